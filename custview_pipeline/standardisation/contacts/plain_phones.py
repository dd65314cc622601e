"""Plain telephone numbers many at a time: digits, brackets, blanks, dots and hyphens, a plus before and an extension behind."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import polars as pl

from custview_pipeline.standardisation.contacts.numbering_plans import (
    Plan,
    calling_codes,
    has_calling_code,
    national_number,
    plan_of_code,
    plan_of_region,
    with_types,
    without_prefix_abroad,
    without_trunk_prefix,
)
from custview_pipeline.standardisation.contacts.phones import EXTENSION_WORD, FILLERS, FLOAT, LEAST_DIGITS

_NUMBERS: Final = pl.Schema({"code": pl.UInt32(), "extension": pl.String(), "national": pl.String(), "calling_code": pl.Int32()})
# Below so many numbers of one plan the package itself is as fast: polars compiles the plan's patterns anew for every batch.
FEWEST: Final = 25
_LONGEST: Final = 40
_PLAIN: Final = r"\(?\+?\(?[0-9][0-9 ().-]*"
_EXTENDED: Final = rf"(?i)^({_PLAIN}?) ?{EXTENSION_WORD}\.? ?:? ?([0-9]{{1,7}})$"
_EQUAL_DIGITS: Final = "|".join(f"{digit}{{{LEAST_DIGITS}}}$" for digit in range(10))
# More than read_phones takes for placeholders; what it does not is left to it.
_DOUBTFUL: Final = f"{_EQUAL_DIGITS}|^0*$|{'|'.join(sorted(FILLERS))}"


def read_plain_phones(cells: pl.DataFrame, *, fewest: int = FEWEST) -> pl.DataFrame:
    """Return the readings of plain cells that hold one valid number, as ``read_phones`` would give them.

    Args:
        cells: ``code``, ``cell`` and ``country``.
        fewest: Numbers of a plan; one with fewer is left out.
    """
    plain = _plain(cells)
    at_home, abroad = plain.filter(~pl.col("is_abroad")), [plain.filter("is_abroad")]
    numbers = [_NUMBERS.to_frame()]
    for country, dialled in _by("country", at_home, fewest):
        if plan := plan_of_region(country):
            found, dialled_abroad = _dialled_at_home(dialled, plan)
            abroad.append(dialled_abroad)
            numbers.extend(found)
    written = pl.concat(abroad).with_columns(calling_code=pl.col("digits").str.extract(calling_codes(), 0).cast(pl.Int32))
    for code, dialled in _by("calling_code", written, fewest):
        numbers.append(_numbers(dialled, pl.col("digits").str.slice(len(str(code))), plan_of_code(code)))
    typed = [with_types(found, code, fewest) for code, found in _by("calling_code", pl.concat(numbers), fewest)]
    return _readings(pl.concat([_NUMBERS.to_frame().with_columns(type=pl.lit("")), *chain.from_iterable(typed)]))


def _plain(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``country``, ``digits``, ``extension`` and ``is_abroad`` (a plus is written) of plain cells."""
    text = pl.col("cell")
    short = cells.filter((text.str.len_bytes() <= _LONGEST) & ~text.str.contains(FLOAT))
    is_bare = pl.col("is_bare")
    marked = short.with_columns(is_bare=text.str.contains(f"^{_PLAIN}$"))
    bare = marked.filter(is_bare).with_columns(base=text, extension=pl.lit(None, pl.String))
    extended = marked.filter(~is_bare).with_columns(base=text.str.extract(_EXTENDED, 1), extension=text.str.extract(_EXTENDED, 2))
    return (
        pl.concat([bare, extended.drop_nulls("base")])
        .select(
            "code",
            "country",
            "extension",
            digits=pl.col("base").str.replace_all("[^0-9]", ""),
            is_abroad=pl.col("base").str.contains("+", literal=True),
        )
        .filter(~pl.col("digits").str.contains(_DOUBTFUL))
    )


def _by(column: str, frame: pl.DataFrame, fewest: int) -> Iterator[tuple[Any, pl.DataFrame]]:
    for (key,), part in frame.drop_nulls(column).partition_by(column, as_dict=True).items():
        if part.height >= fewest:
            yield key, part


def _dialled_at_home(dialled: pl.DataFrame, plan: Plan) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Return the numbers of a region's own plan, and what was dialled to call abroad with the digits behind the prefix."""
    digits, code = pl.col("digits"), str(plan.calling_code)
    split = dialled.with_columns(rest=without_prefix_abroad(digits, plan))
    abroad = split.filter(pl.col("rest").is_not_null()).with_columns(digits="rest").drop("rest")
    home = split.filter(pl.col("rest").is_null()).drop("rest")
    begins = digits.str.starts_with(code)
    marked = home.filter(begins).with_columns(is_coded=has_calling_code(digits, plan))
    others = pl.concat([home.filter(~begins), marked.filter(~pl.col("is_coded")).drop("is_coded")])
    bare = without_trunk_prefix(digits.str.slice(len(code)), plan)
    coded = marked.filter("is_coded").with_columns(digits=bare)
    return [_numbers(coded, digits, plan_of_code(plan.calling_code)), _numbers(others, digits, plan)], abroad


def _numbers(dialled: pl.DataFrame, digits: pl.Expr, plan: Plan | None) -> pl.DataFrame:
    if plan is None:
        return _NUMBERS.to_frame()
    national, code = national_number(digits, plan), pl.lit(plan.calling_code, pl.Int32)
    return dialled.select("code", "extension", national=national, calling_code=code).drop_nulls("national")


def _readings(numbers: pl.DataFrame) -> pl.DataFrame:
    value = pl.format("+{}{}", "calling_code", "national")
    behind = pl.format('"extension": "{}", ', "extension").fill_null("")
    return (
        numbers.with_columns(value=value)
        .filter(~pl.col("value").str.contains(_DOUBTFUL))
        .select(
            "code",
            position=pl.lit(0),
            value="value",
            comparable="value",
            feature="national",
            rule=pl.lit(None, pl.String),
            parts=pl.format('{{{}"number": "{}", "type": "{}"}}', behind, "value", "type"),
            part_count=pl.lit(2) + pl.col("extension").is_not_null(),
        )
    )
