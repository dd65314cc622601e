"""Identifiers written plainly, read many at once: what ``identifiers.read_identifier`` answers for each, as expressions."""

from collections.abc import Callable
from functools import cache, partial
from typing import Final, NamedTuple

import polars as pl
from stdnum.us import ein

from custview_pipeline.standardisation.codes.identifiers import KNOWN_PLACEHOLDERS, RESIDENT_ID
from custview_pipeline.standardisation.codes.resident_ids import RESIDENT_ID_FORM, resident_id_expression
from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Quick


class _Plain(NamedTuple):
    """A scheme whose plainly written numbers are read by expressions over their bare form, the column ``number``.

    Attributes:
        form: What is plainly written.
        is_valid: Makes the expression of whether the scheme accepts the number.
        shown: Groups of the number, which a dash joins.
    """

    form: str
    is_valid: Callable[[], pl.Expr]
    shown: tuple[int, ...]


def _is_ssn() -> pl.Expr:
    number = pl.col("number")
    area = number.str.slice(0, 3)
    never_issued = area.is_in(["000", "666"]) | number.str.starts_with("9")
    return ~never_issued & (number.str.slice(3, 2) != "00") & (number.str.slice(5) != "0000")


def _is_ein() -> pl.Expr:
    return pl.col("number").str.slice(0, 2).is_in(_ein_prefixes())


@cache
def _ein_prefixes() -> tuple[str, ...]:
    return tuple(prefix for prefix in map("{:02}".format, range(100)) if ein.is_valid(f"{prefix}0000000"))


_PLAIN: Final[dict[str, _Plain]] = {
    "us.ssn": _Plain(r"^(?:[0-9]{9}|[0-9]{3}-[0-9]{2}-[0-9]{4})$", _is_ssn, (3, 2, 4)),
    "us.ein": _Plain(r"^(?:[0-9]{9}|[0-9]{2}-[0-9]{7})$", _is_ein, (2, 7)),
    RESIDENT_ID: _Plain(RESIDENT_ID_FORM, partial(resident_id_expression, "number"), (18,)),
}


def plain_identifiers(scheme: str) -> Quick | None:
    """Return a reader of many cells (column ``cell``) at once; None for schemes that are read one by one."""
    plain = _PLAIN.get(scheme)
    return partial(_read, plain=plain, scheme=scheme) if plain else None


def _read(distinct: pl.DataFrame, *, plain: _Plain, scheme: str) -> pl.DataFrame:
    written = distinct.filter(pl.col("cell").str.contains(plain.form)).with_columns(
        number=pl.col("cell").str.replace_all("-", "", literal=True).str.to_uppercase()
    )
    repeated = [digit * sum(plain.shown) for digit in "0123456789"]
    judged = written.with_columns(
        is_filled=~pl.col("number").is_in([*repeated, *sorted(KNOWN_PLACEHOLDERS)]), is_valid=plain.is_valid()
    )
    starts = [sum(plain.shown[:place]) for place in range(len(plain.shown))]
    shown = pl.concat_str(
        [pl.col("number").str.slice(start, length) for start, length in zip(starts, plain.shown, strict=True)], separator="-"
    )
    is_filled, is_valid = pl.col("is_filled"), pl.col("is_valid")
    return judged.select(
        "code",
        position=pl.lit(0),
        value=pl.when(is_filled & is_valid).then(shown).when(is_filled).then("cell"),
        comparable=pl.when(is_filled).then(pl.lit(f"{scheme}:") + pl.col("number")),
        feature=pl.when(is_filled & is_valid).then(pl.lit(f"{scheme}\x1f") + pl.col("number")),
        rule=pl.when(~is_filled).then(pl.lit(PLACEHOLDER)).when(~is_valid).then(pl.lit("not_an_identifier")),
        parts=pl.when(is_filled).then(pl.lit('{"number": "') + pl.col("number") + pl.lit(f'", "scheme": "{scheme}"}}')),
        part_count=pl.when(is_filled).then(2).otherwise(1),
    )
