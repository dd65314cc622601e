"""Which tricks befall the records of a source, how often, and the one way in which they are played."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.demo import appearance, mistakes, versions
from custview_pipeline.demo.chance import Chance

_IS_PERSON: Final = ~pl.col("is_enterprise")
_IS_LATIN: Final = ~pl.col("is_native")
_IS_WESTERN_PLACE: Final = pl.col("country").is_in(["US", "GB"]) | pl.col("is_romanised")
_DAY, _MONTH = pl.col("birth_date").dt.day(), pl.col("birth_date").dt.month()
_LAST_MONTH: Final = 12
_LONG_ENOUGH: Final = 4  # characters of a word that is misspelt


class Trick(NamedTuple):
    """One thing that makes matching hard.

    Attributes:
        change: From the records it befalls to the columns it changes; its name is the trick's.
        share: Probability that it befalls a record it may befall.
        may_befall: Which records those are; null counts as no.
    """

    change: Callable[[pl.DataFrame, Chance], pl.DataFrame]
    share: float
    may_befall: pl.Expr

    @property
    def name(self) -> str:
        """Name of the trick."""
        return self.change.__name__


def has(*columns: str) -> pl.Expr:
    """Return whether a record has a value in each of ``columns``."""
    return pl.all_horizontal(pl.col(column).is_not_null() for column in columns)


def has_word(column: str) -> pl.Expr:
    """Return whether a record has a word in ``column`` that is long enough to be misspelt and recognised."""
    return pl.col(column).str.len_chars() >= _LONG_ENOUGH


def has_identifier() -> pl.Expr:
    """Return whether a record has one of the identifiers."""
    return pl.any_horizontal(pl.col("ssn", "ric", "ein", "uscc").is_not_null())


BEFORE_PLACES: Final = (Trick(versions.use_former_home, 0.42, has("former_home")),)

TRICKS: Final = (
    Trick(versions.use_second_mailbox, 0.16, has("second_email")),
    Trick(versions.use_family_mailbox, 0.5, has("family_email")),
    Trick(versions.use_office_mailbox, 0.06, has("office_email")),
    Trick(versions.use_second_mobile, 0.13, has("second_mobile")),
    Trick(versions.use_office_switchboard, 0.2, has("office_phone")),
    Trick(versions.use_maiden_name, 0.3, has("former_family")),
    Trick(versions.use_nickname, 0.2, pl.col("given").is_in(tuple(versions.nicknames()))),
    Trick(versions.drop_middle_name, 0.35, has("middle")),
    Trick(versions.shorten_middle_name, 0.6, has("middle")),
    Trick(versions.drop_suffix, 0.3, has("suffix")),
    Trick(versions.shorten_given_name, 0.012, _IS_PERSON & (pl.col("culture") != "cn")),
    Trick(versions.write_native_script, 0.64, (pl.col("culture") == "cn") | has("native_core")),
    Trick(versions.romanise_address, 0.5, (pl.col("country") == "CN") & _IS_LATIN),
    Trick(versions.vary_legal_form, 0.42, has("legal_form")),
    Trick(versions.drop_legal_form, 0.16, has("legal_form")),
    Trick(versions.drop_branch, 0.2, has("branch")),
    Trick(mistakes.misspell_given_name, 0.025, has_word("given") & _IS_LATIN),
    Trick(mistakes.misspell_family_name, 0.03, has_word("family") & _IS_LATIN),
    Trick(mistakes.misspell_enterprise_name, 0.04, has_word("enterprise_core") & _IS_LATIN),
    Trick(mistakes.misspell_street, 0.03, has_word("street") & _IS_WESTERN_PLACE),
    Trick(mistakes.misspell_city, 0.012, has_word("city") & _IS_WESTERN_PLACE),
    Trick(mistakes.misspell_mailbox, 0.012, has("email")),
    Trick(mistakes.swap_given_and_family, 0.012, has("given", "family")),
    Trick(mistakes.swap_day_and_month, 0.03, (_DAY <= _LAST_MONTH) & (_DAY != _MONTH)),
    Trick(mistakes.mistype_birth_date, 0.014, has("birth_date")),
    Trick(mistakes.keep_year_of_birth, 0.008, has("birth_date")),
    Trick(mistakes.mistype_mobile, 0.012, has("mobile")),
    Trick(mistakes.cut_mobile, 0.006, has("mobile")),
    Trick(mistakes.break_mailbox, 0.006, has("email")),
    Trick(mistakes.mistype_identifiers, 0.016, has_identifier()),
    Trick(mistakes.mistype_postal_code, 0.01, has("postal_code")),
    Trick(appearance.abbreviate_street, 0.4, has("street") & _IS_WESTERN_PLACE),
    Trick(appearance.abbreviate_with_full_stop, 0.08, has("street") & _IS_WESTERN_PLACE),
    Trick(appearance.spell_out_point, 0.4, pl.col("street").str.contains("^[NSEW] ")),
    Trick(appearance.abbreviate_unit, 0.35, pl.col("unit").str.contains("^(Apt|Unit|Suite|Flat) ")),
    Trick(appearance.extend_zip_code, 0.14, (pl.col("country") == "US") & has("postal_code")),
    Trick(appearance.close_up_postcode, 0.1, (pl.col("country") == "GB") & has("postal_code")),
    Trick(appearance.write_in_capitals, 0.03, _IS_LATIN),
    Trick(appearance.write_in_small_letters, 0.015, _IS_LATIN),
    Trick(appearance.leave_spaces, 0.006, has("family", "street")),
    Trick(mistakes.leave_out_mailbox, 0.15, has("email")),
    Trick(mistakes.leave_out_mobile, 0.13, has("mobile")),
    Trick(mistakes.leave_out_landline, 0.3, has("landline")),
    Trick(mistakes.leave_out_birth_date, 0.14, has("birth_date")),
    Trick(mistakes.leave_out_address, 0.05, has("city")),
    Trick(mistakes.leave_out_postal_code, 0.04, has("postal_code")),
    Trick(mistakes.leave_out_unit, 0.14, has("unit")),
    Trick(mistakes.leave_out_identifiers, 0.5, has_identifier()),
    Trick(mistakes.fill_in_mailbox, 0.01, _IS_PERSON),
    Trick(mistakes.fill_in_mobile, 0.012, _IS_PERSON & (pl.col("country") == "US")),
    Trick(mistakes.fill_in_ssn, 0.02, has("ssn")),
    Trick(mistakes.fill_in_birth_date, 0.008, _IS_PERSON),
    Trick(mistakes.fill_in_address, 0.006, has("street")),
    Trick(mistakes.lose_key, 0.0018, has("source_key")),
    Trick(mistakes.lose_name, 0.0018, has("entity")),
)


def corrupt(records: pl.DataFrame, tricks: Sequence[Trick], chance: Chance) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the records after all ``tricks``, in order, and how many records each befell."""
    counts: dict[str, int] = {}
    for trick in tricks:
        records, counts[trick.name] = _play(trick, records, chance.apart(trick.name))
    return records, counts


def _play(trick: Trick, records: pl.DataFrame, chance: Chance) -> tuple[pl.DataFrame, int]:
    may = records.select(trick.may_befall.fill_null(value=False)).to_series().to_numpy()
    rows = np.flatnonzero(may & chance.happens(records.height, trick.share))
    if not len(rows):
        return records, 0
    changed = trick.change(records[rows], chance)
    source = np.arange(records.height)
    source[rows] = records.height + np.arange(len(rows))
    both = [pl.concat([records[name], changed[name].cast(records[name].dtype)], rechunk=True) for name in changed.columns]
    return records.with_columns(column.gather(source) for column in both), len(rows)
