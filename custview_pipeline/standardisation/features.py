"""The features that matching compares, out of what the standardisers found."""

from functools import lru_cache
from typing import Final, NamedTuple

import jellyfish
import polars as pl

from custview_pipeline.contracts.match_features import FURTHER_ADDRESS_PARTS
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.standardisation.codes.identifiers import NATIONAL_SCHEMES, SCHEME_ENDS
from custview_pipeline.standardisation.names.nicknames import group_of, groups_of
from custview_pipeline.standardisation.reading import read_each_once

_FIRST: Final = ("birth_date", "gender", "birth_place", "occupation", "employer", "email")
# University of California and University of Michigan do not begin alike.
_SMALL_WORDS: Final = r"(?-u:\b)(?:of|for|in|on|at|by|to|de|del|la|las|le|les|los|du|des|der|die|das|y|e)(?-u:\b) ?"
_NO_TEXTS: Final = pl.lit([], pl.List(pl.String))


class Found(NamedTuple):
    """What the standardisers found; each frame has ``row``.

    Attributes:
        names: Columns of ``names.PERSON``, at most one row a record.
        enterprises: ``enterprise_name`` and ``words`` (by spaces), in the order of importance, any number a record.
        addresses: Columns of ``addresses.ADDRESS``, in the order of row and importance.
        readings: ``feature`` of each value by golden attribute, in the order of importance.
    """

    names: pl.DataFrame
    enterprises: pl.DataFrame
    addresses: pl.DataFrame
    readings: dict[str, pl.DataFrame]


@lru_cache(200_000)
def sound(name: str) -> str:
    """Return how a name sounds (Metaphone), the name itself where it has no sound."""
    return jellyfish.metaphone(name.replace(" ", "")) or name


def build_features(rows: pl.DataFrame, found: Found) -> pl.DataFrame:
    """Return one row of features a record.

    Args:
        rows: ``row`` and ``is_enterprise`` of every record, in order.
        found: What the standardisers found.

    Returns:
        A frame with the schema ``FEATURE_TEXTS``.
    """
    frame = rows
    for part in (
        found.names.select("row", "given", "middle", "family", "name_suffix", "native_name", "name_words"),
        *_addresses(found.addresses),
        *(_first(found.readings, attribute) for attribute in _FIRST),
        _enterprise_features(found.enterprises),
        _collected(_told(found.readings, "email"), "emails"),
        _collected(_told(found.readings, "phone"), "phones"),
        *_identifiers(_told(found.readings, "identifier")),
    ):
        frame = frame.join(part, on="row", how="left", maintain_order="left")
    frame = frame.with_columns(name_words=_words("name_words", "enterprise_words"))
    lists = [name for name, kind in FEATURE_TEXTS.items() if kind == pl.List and name in frame.columns]
    derived = _derive(frame.with_columns(pl.col(lists).fill_null(_NO_TEXTS)))
    return derived.select(pl.col(name).cast(kind) for name, kind in FEATURE_TEXTS.items())


def _told(readings: dict[str, pl.DataFrame], attribute: str) -> pl.DataFrame:
    return readings[attribute].select("row", "feature").drop_nulls()


def _first(readings: dict[str, pl.DataFrame], attribute: str) -> pl.DataFrame:
    return _told(readings, attribute).rename({"feature": attribute}).unique("row", keep="first", maintain_order=True)


def _collected(told: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the different features of each row as a list, in the order of the alphabet."""
    if not told["row"].is_unique().all():
        return told.unique().sort("row", "feature").group_by("row", maintain_order=True).agg(pl.col("feature").alias(name))
    return told.select("row", pl.concat_list("feature").alias(name))


def _identifiers(told: pl.DataFrame) -> tuple[pl.DataFrame, ...]:
    """Return the identifiers and their schemes, of all and of the national ones."""
    schemed = told.with_columns(scheme=pl.col("feature").str.extract(f"^([^{SCHEME_ENDS}]*)"))
    national = schemed.filter(pl.col("scheme").is_in(sorted(NATIONAL_SCHEMES)))
    return (
        _collected(told, "identifiers"),
        _collected(schemed.select("row", feature="scheme"), "identifier_schemes"),
        _collected(national.select("row", "feature"), "national_ids"),
        _collected(national.select("row", feature="scheme"), "national_id_schemes"),
    )


def _addresses(found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the parts of the first address of each row that says anything, and lists of the parts of its other ones."""
    parts = [*FURTHER_ADDRESS_PARTS]
    telling = found.select("row", *parts).filter(pl.any_horizontal(pl.col(parts).is_not_null()))
    if not telling["row"].is_unique().all():
        telling = telling.unique(maintain_order=True)
    is_first = telling["row"].is_first_distinct()
    lists = {name: pl.col(part) for part, name in FURTHER_ADDRESS_PARTS.items()}
    return telling.filter(is_first), telling.filter(~is_first).group_by("row", maintain_order=True).agg(**lists)


def _enterprise_features(found: pl.DataFrame) -> pl.DataFrame:
    """Return the first name's letters and leading two words, all names, and the words of all of them."""
    filled = found.filter(pl.col("words") != "")
    telling = pl.col("words").first().str.replace_all(_SMALL_WORDS, "").str.strip_chars(" ")
    pair = telling.replace("", None).fill_null(pl.col("words").first()).str.split(" ").list.head(2).list.join(" ")
    return filled.group_by("row", maintain_order=True).agg(
        enterprise_name=pl.col("enterprise_name").first(),
        enterprise_lead=pair,
        enterprise_names=pl.col("enterprise_name").unique().sort(),
        enterprise_words=pl.col("words").str.join(" "),
    )


def _words(person: str, enterprise: str) -> pl.Expr:
    text = pl.coalesce(person, enterprise)
    return pl.when(text != "").then(text.str.split(" ").list.unique().list.sort())


def _derive(frame: pl.DataFrame) -> pl.DataFrame:
    given, birth, local = pl.col("given"), pl.col("birth_date"), pl.col("email").str.split("@").list.first()
    is_whole_date = birth.str.len_chars() > len("1985")
    frame = frame.with_columns(
        given_initial=given.str.slice(0, 1),
        given=pl.when(given.str.len_chars() > 1).then(given),
        middle_initial=pl.col("middle").str.slice(0, 1),
        middle=pl.when(pl.col("middle").str.len_chars() > 1).then("middle"),
        family_prefix=pl.col("family").str.slice(0, 3),
        birth_year=birth.str.slice(0, 4),
        birth_month=pl.when(is_whole_date).then(birth.str.slice(5, 2)),
        birth_day=pl.when(is_whole_date).then(birth.str.slice(8, 2)),
        birth_date=pl.when(is_whole_date).then(birth),
        email_local=local,
        email_domain=pl.col("email").str.split("@").list.last(),
        postal_area=pl.col("postal_code").str.slice(0, 3),
    )
    frame = frame.with_columns(
        given_prefix=pl.col("given").str.slice(0, 3),
        is_birth_first_of_january=pl.col("birth_date").str.ends_with("-01-01").fill_null(value=False),
        is_email_from_name=_is_made_of("given") | _is_made_of(pl.col("family").str.split(" ").list.last()),
        family=pl.col("family").str.replace_all(" ", "", literal=True),
        phone_tails=pl.col("phones").list.eval(pl.element().str.slice(-7)).list.unique().list.sort(),
        given_group=group_of(pl.col("given")),
        given_groups=groups_of(pl.col("given")).fill_null(_NO_TEXTS),
    )
    return frame.with_columns(
        given_sound=read_each_once(frame["given"], sound),
        family_sound=read_each_once(frame["family"], sound),
    )


def _is_made_of(name: str | pl.Expr) -> pl.Expr:
    """Return whether the local part holds the name, or the first four letters of a longer one."""
    word, local = pl.col(name) if isinstance(name, str) else name, pl.col("email_local")
    length = word.str.len_chars()
    holds = local.str.contains(word, literal=True) & (length > 1)
    return (holds | (local.str.contains(word.str.slice(0, 4), literal=True) & (length > len("four")))).fill_null(value=False)
