"""The features that matching compares, out of what the standardisers found."""

import csv
from collections import Counter
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import jellyfish
import polars as pl

from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.standardisation.reading import read_each_once


class Found(NamedTuple):
    """What the standardisers found; each frame has ``row``.

    Attributes:
        names: Columns of ``names.PERSON``, at most one row a record.
        enterprises: ``enterprise_name`` and ``words`` (by spaces), in the order of importance, any number a record.
        addresses: Columns of ``addresses.ADDRESS``; the first of a record is compared.
        readings: ``feature`` of each value by golden attribute, in the order of importance.
    """

    names: pl.DataFrame
    enterprises: pl.DataFrame
    addresses: pl.DataFrame
    readings: dict[str, pl.DataFrame]


@cache
def nickname_groups() -> dict[str, str]:
    """Return for each nickname the formal name that has the most nicknames (package ``nicknames``)."""
    with (files("nicknames") / "names.csv").open(encoding="utf-8") as lines:
        pairs = [(line[0].lower(), line[2].lower()) for line in csv.reader(lines)][1:]
    size, best = Counter(formal for formal, _ in pairs), dict[str, str]()
    for formal, nickname in sorted(pairs):
        if size[formal] > size.get(best.get(nickname, nickname), 0):
            best[nickname] = formal
    return best


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
        found.addresses.unique("row", keep="first", maintain_order=True).select(
            "row", "house_number", "street", "unit", "city", "postal_code"
        ),
        *(_first(found.readings, attribute) for attribute in ("birth_date", "gender", "birth_place", "occupation", "email")),
        _enterprise_features(found.enterprises),
        _collected(found.readings, "phone", "phones"),
        _collected(found.readings, "identifier", "identifiers"),
    ):
        frame = frame.join(part, on="row", how="left", maintain_order="left")
    frame = frame.with_columns(name_words=_words("name_words", "enterprise_words"))
    return _derive(frame).select(pl.col(name).cast(kind) for name, kind in FEATURE_TEXTS.items())


def _first(readings: dict[str, pl.DataFrame], attribute: str) -> pl.DataFrame:
    found = readings[attribute].select("row", pl.col("feature").alias(attribute)).drop_nulls()
    return found.unique("row", keep="first", maintain_order=True)


def _collected(readings: dict[str, pl.DataFrame], attribute: str, name: str) -> pl.DataFrame:
    found = readings[attribute].select("row", pl.col("feature").alias(name)).drop_nulls()
    return found.unique().sort("row", name).group_by("row", maintain_order=True).agg(name)


def _enterprise_features(found: pl.DataFrame) -> pl.DataFrame:
    """Return the first name's letters and leading two words, all names, and the words of all of them."""
    filled = found.filter(pl.col("words") != "")
    pair = pl.col("words").first().str.split(" ").list.head(2).list.join(" ")
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
    nothing = pl.lit([], pl.List(pl.String))
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
        phones=pl.col("phones").fill_null(nothing),
        identifiers=pl.col("identifiers").fill_null(nothing),
        enterprise_names=pl.col("enterprise_names").fill_null(nothing),
        name_words=pl.col("name_words").fill_null(nothing),
    )
    frame = frame.with_columns(
        given_prefix=pl.col("given").str.slice(0, 3),
        is_birth_first_of_january=pl.col("birth_date").str.ends_with("-01-01").fill_null(value=False),
        is_email_from_name=_is_made_of("given") | _is_made_of(pl.col("family").str.split(" ").list.last()),
        phone_tails=pl.col("phones").list.eval(pl.element().str.slice(-7)).list.unique().list.sort(),
        identifier_schemes=pl.col("identifiers").list.eval(pl.element().str.split("\x1f").list.first()).list.unique().list.sort(),
    )
    groups = nickname_groups()
    return frame.with_columns(
        given_group=read_each_once(frame["given"], lambda name: groups.get(name, name)),
        given_sound=read_each_once(frame["given"], sound),
        family_sound=read_each_once(frame["family"], sound),
    )


def _is_made_of(name: str | pl.Expr) -> pl.Expr:
    """Return whether the local part holds the name, or the first four letters of a longer one."""
    word, local = pl.col(name) if isinstance(name, str) else name, pl.col("email_local")
    length = word.str.len_chars()
    holds = local.str.contains(word, literal=True) & (length > 1)
    return (holds | (local.str.contains(word.str.slice(0, 4), literal=True) & (length > len("four")))).fill_null(value=False)
