"""Tricks with values that are wrong, missing or made up: slips of the keyboard, swapped fields, blanks, placeholders.

Each trick takes the records it befalls and draws, and returns the columns it changes, in the same order.
"""

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.demo.chance import Chance, Numbers
from custview_pipeline.demo.pools import choose, one_way

_LETTERS: Final = tuple("abcdefghiklmnoprstuvwyeeeaaaiioott")  # frequent ones more often
PLACEHOLDER_DATE: Final = date(1900, 1, 1)
ADDRESS: Final = ("house_number", "street", "unit", "district", "city", "region", "postal_code")


def misspell(texts: pl.Series, chance: Chance) -> pl.Series:
    """Return each text with one letter after its first inserted, left out, replaced, or swapped with the next."""
    count = len(texts)
    place = 1 + chance.whole_below(texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64) - 2)
    frame = pl.DataFrame({"text": texts, "place": place, "letter": choose(_LETTERS, chance, count)})
    slip = pl.Series("slip", chance.weighted((24.0, 28.0, 26.0, 22.0), count))
    text, here = pl.col("text").str, pl.col("place")
    before, after = text.slice(0, here), text.slice(here + 1)
    ways = (
        before + pl.col("letter") + text.slice(here),
        before + after,
        before + pl.col("letter") + after,
        before + text.slice(here + 1, 1) + text.slice(here, 1) + text.slice(here + 2),
    )
    return frame.select(one_way(slip, ways)).to_series()


def misspell_given_name(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip in the given name."""
    return records.select(given=misspell(records["given"], chance))


def misspell_family_name(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip in the family name."""
    return records.select(family=misspell(records["family"], chance))


def misspell_street(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip in the street."""
    return records.select(street=misspell(records["street"], chance))


def misspell_city(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip in the city."""
    return records.select(city=misspell(records["city"], chance))


def misspell_enterprise_name(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip in the name of the enterprise."""
    return records.select(enterprise_core=misspell(records["enterprise_core"], chance))


def misspell_mailbox(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A slip before the @."""
    parts = records["email"].str.split_exact("@", 1).struct
    local = misspell(parts.field("field_0"), chance).str.strip_chars(".")
    return records.select(email=local.str.replace_all("..", ".", literal=True) + "@" + parts.field("field_1"))


def swap_given_and_family(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Given and family name stand in each other's field."""
    return records.select(given="family", family="given")


def swap_day_and_month(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Day and month of birth are swapped."""
    born = pl.col("birth_date").dt
    return records.select(birth_date=pl.date(born.year(), born.day(), born.month()))


def mistype_birth_date(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A year or a day of birth is one or ten off."""
    years = pl.Series(np.array((0, 0, 1, -1, 10, -10))[chance.whole(0, 5, records.height)])
    days = pl.when(years == 0).then(pl.Series(np.array((1, -1, 10, -2))[chance.whole(0, 3, records.height)])).otherwise(0)
    moved = pl.col("birth_date").dt.offset_by(pl.format("{}y", years)) + pl.duration(days=days)
    return records.select(birth_date=moved.cast(pl.Date))


def keep_year_of_birth(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """Only the year was known: the first of January stands for it."""
    return records.select(birth_date=pl.date(pl.col("birth_date").dt.year(), 1, 1))


def mistype_mobile(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """One of the last digits of the mobile number is another."""
    return records.select(_with_other_digit("mobile", chance.whole(1, 4, records.height), chance))


def mistype_identifiers(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A digit near the end of the identifiers is another, so that check characters fail."""
    place = chance.whole(2, 4, records.height)
    return records.select(_with_other_digit(name, place, chance) for name in ("ssn", "ric", "ein", "uscc"))


def cut_mobile(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The mobile number lost its last three digits."""
    return records.select(pl.col("mobile").str.head(-3))


def break_mailbox(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """The e-mail address lost its @, or what is behind it."""
    is_cut = pl.Series(chance.happens(records.height, 0.5))
    mailbox = pl.col("email").str
    return records.select(
        email=pl.when(is_cut).then(mailbox.replace("@.*$", "@")).otherwise(mailbox.replace("@", "", literal=True))
    )


def mistype_postal_code(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """The last two characters of the postal code are swapped."""
    code = pl.col("postal_code").str
    return records.select(postal_code=code.head(-2) + code.tail(1) + code.slice(-2, 1))


def leave_out_mailbox(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No e-mail address."""
    return _blank(records, "email")


def leave_out_mobile(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No mobile number."""
    return _blank(records, "mobile")


def leave_out_landline(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No landline number."""
    return _blank(records, "landline", "extension")


def leave_out_birth_date(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No date of birth."""
    return _blank(records, "birth_date")


def leave_out_address(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No address."""
    return _blank(records, *ADDRESS)


def leave_out_postal_code(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No postal code."""
    return _blank(records, "postal_code")


def leave_out_unit(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No flat or suite."""
    return _blank(records, "unit")


def leave_out_identifiers(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """No identifiers."""
    return _blank(records, "ssn", "ric", "ein", "uscc")


def fill_in_mailbox(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A placeholder instead of the e-mail address."""
    made_up = ("noemail@noemail.com", "none@none.com", "N/A", "unknown", "na@na.com")
    return records.select(email=choose(made_up, chance, records.height))


def fill_in_mobile(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A placeholder instead of the mobile number."""
    return records.select(mobile=choose(("555 5555555", "000 0000000", "999 9999999", "123 4567890"), chance, records.height))


def fill_in_ssn(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A placeholder instead of the social security number."""
    return records.select(ssn=choose(("000-00-0000", "999-99-9999", "123-45-6789", "N/A"), chance, records.height))


def fill_in_birth_date(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """A placeholder instead of the date of birth."""
    return _blank(records, "birth_date").fill_null(PLACEHOLDER_DATE)


def fill_in_address(records: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """A placeholder instead of the street, and nothing else of the address but the country."""
    return _blank(records, *ADDRESS).with_columns(
        street=choose(("N/A", "unknown", "UNKNOWN", "n/a", "-"), chance, records.height)
    )


def lose_key(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """A row without its key, which no contract accepts."""
    return _blank(records, "source_key")


def lose_name(records: pl.DataFrame, _: Chance) -> pl.DataFrame:
    """A row without a name, which contracts with a required name refuse."""
    return _blank(records, "given", "middle", "family", "suffix", "enterprise_core", "legal_form", "branch")


def _blank(records: pl.DataFrame, *columns: str) -> pl.DataFrame:
    return records.select(columns).clear(records.height)


def _with_other_digit(column: str, place: Numbers, chance: Chance) -> pl.Expr:
    """Return a column with a drawn digit at ``place``, counted from the end and from 1."""
    from_end = pl.lit(pl.Series(place))
    digit = pl.lit(pl.Series(chance.whole(0, 9, len(place))).cast(pl.String))
    text = pl.col(column).str
    return (text.head(-from_end) + digit + text.tail(from_end - 1)).alias(column)
