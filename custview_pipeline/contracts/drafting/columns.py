"""Decides what each column of an undescribed file probably means, by its header and its cells."""

from dataclasses import replace
from typing import Final

import polars as pl

from custview_pipeline.contracts.drafting.cell_shapes import ISO, date_patterns_of, shares_of
from custview_pipeline.contracts.drafting.drafted_column import Confidence, DraftedColumn
from custview_pipeline.contracts.drafting.header_words import NamedAttribute, attribute_of_header
from custview_pipeline.contracts.drafting.neighbours import corrected, each_once, with_one_key

_SURE: Final = 0.8  # share of cells from which on their shape settles it
_DOUBTFUL: Final = 0.3  # share of cells under which a header is not believed

# What the cells of an attribute look like, in words.
_LOOKS: Final = {
    "email": ("email", "e-mail addresses"),
    "phone": ("phone", "telephone numbers"),
    "website": ("url", "web addresses"),
    "country": ("country", "countries"),
    "entity_type": ("entity_type", "words for person or enterprise"),
    "gender": ("gender", "genders"),
    "name_prefix": ("prefix", "titles before a name"),
    "house_number": ("digit", "texts with a digit"),
    "lei": ("lei", "LEIs with right check digits"),
}
# Schemes of identifiers by the shape of their cells.
_SCHEMES: Final = (
    ("national_id", "us.ssn", "ssn", "written as US social security numbers"),
    ("national_id", "cn.ric", "resident_id", "Chinese resident ids with right check digits"),
    ("tax_id", "cn.uscc", "credit_code", "Chinese credit codes with right check digits"),
    ("tax_id", "us.ein", "ein", "written as US employer numbers"),
)
_DATED: Final = frozenset({"birth_date", "updated_at", "created_at"})


def draft_columns(sample: pl.DataFrame) -> tuple[DraftedColumn, ...]:
    """Return what the columns of a sample probably mean; exactly one of them is the key, where there is a column at all.

    Args:
        sample: Rows of the file, all String, an empty cell null.
    """
    columns = [_column(sample[name]) for name in sample.columns]
    columns = with_one_key([corrected(column, columns) for column in columns])
    return tuple(each_once(columns))


def _column(cells: pl.Series) -> DraftedColumn:
    trimmed = cells.str.strip_chars()
    filled = trimmed.filter(trimmed.str.len_bytes() > 0).drop_nulls()
    shares, dates = shares_of(filled), date_patterns_of(filled)
    column = DraftedColumn(
        cells.name,
        None,
        Confidence.NONE,
        "",
        cells.len(),
        filled.len(),
        filled.n_unique(),
        is_line=shares.get("address", 0) >= 0.5,  # noqa: PLR2004 -- most of them
        has_digits=shares.get("digit", 0) >= 0.5,  # noqa: PLR2004 -- most of them
    )
    column = _meant(column, attribute_of_header(cells.name), shares, dates)
    return _typed(column, shares, dates)


def _meant(
    column: DraftedColumn, named: NamedAttribute | None, shares: dict[str, float], dates: dict[str, float]
) -> DraftedColumn:
    """Add the attribute that header and cells stand for."""
    by_cells = _by_cells(column, shares, max(dates.values(), default=0.0))
    if named is None or by_cells.confidence is Confidence.SURE:
        is_agreed = named is not None and named.attribute == by_cells.attribute
        return replace(by_cells, why=f"{by_cells.why}, and so says the header") if is_agreed else by_cells
    column = replace(column, attribute=named.attribute, scheme=named.scheme or _scheme_of(named.attribute, shares))
    if not column.filled_count:
        return replace(column, confidence=Confidence.GUESS, why="guess by the header, for all cells are empty")
    looks = _looks(column, shares, dates)
    if looks is not None and looks[0] < _DOUBTFUL and by_cells.attribute is not None:
        return by_cells
    return _believed(column, looks, is_whole=named.is_whole)


def _believed(column: DraftedColumn, looks: tuple[float, str] | None, *, is_whole: bool) -> DraftedColumn:
    """Return how far a header is believed whose cells look so."""
    if looks is None:
        confidence = Confidence.LIKELY if is_whole else Confidence.GUESS
        return replace(column, confidence=confidence, why=f"{confidence.name.lower()}: by the header")
    share, what = looks
    if share >= _SURE:
        return replace(column, confidence=Confidence.SURE, why=f"sure: the header, and {share:.0%} of cells are {what}")
    if share >= _DOUBTFUL:
        return replace(column, confidence=Confidence.LIKELY, why=f"likely: by the header; {share:.0%} of cells are {what}")
    return column.without(f"the header says {column.attribute}, but only {share:.0%} of cells are {what}")


def _by_cells(column: DraftedColumn, shares: dict[str, float], dated: float) -> DraftedColumn:
    """Return what the cells alone tell: what has a shape of its own. A date is written as some telephones are."""
    for attribute, scheme, shape, what in _SCHEMES:
        if shares.get(shape, 0) >= _SURE:
            why = f"sure: {shares[shape]:.0%} of cells are {what}"
            return replace(column, attribute=attribute, scheme=scheme, confidence=Confidence.SURE, why=why)
    for attribute in ("email", "website", "lei"):
        shape, what = _LOOKS[attribute]
        if shares.get(shape, 0) >= _SURE:
            why = f"sure: {shares[shape]:.0%} of cells are {what}"
            return replace(column, attribute=attribute, confidence=Confidence.SURE, why=why)
    if min(shares.get("phone", 0), shares.get("written_phone", 0)) >= _SURE and dated < _DOUBTFUL:
        why = f"likely: {shares['phone']:.0%} of cells are written as telephone numbers"
        return replace(column, attribute="phone", confidence=Confidence.LIKELY, why=why)
    if shares.get("address", 0) >= _SURE:
        why = f"likely: {shares['address']:.0%} of cells are written as addresses"
        return replace(column, attribute="address", confidence=Confidence.LIKELY, why=why)
    return column


def _scheme_of(attribute: str, shares: dict[str, float]) -> str | None:
    fitting = (scheme for meant, scheme, shape, _ in _SCHEMES if meant == attribute and shares.get(shape, 0) >= _DOUBTFUL)
    return next(fitting, None)


def _looks(column: DraftedColumn, shares: dict[str, float], dates: dict[str, float]) -> tuple[float, str] | None:
    """Return how many cells look like the column's attribute, and like what; None where such cells may be any text."""
    if column.attribute in _DATED:
        return max(dates.values(), default=0.0), "dates"
    shape, what = _LOOKS.get(column.attribute or "", (None, ""))
    return None if shape is None else (shares.get(shape, 0.0), what)


def _typed(column: DraftedColumn, shares: dict[str, float], dates: dict[str, float]) -> DraftedColumn:
    """Add type and date format; what carries another attribute than a date stays text, so that no zero in front is lost."""
    if column.attribute in _DATED or (column.attribute is None and max(dates.values(), default=0.0) >= _SURE):
        return _dated(column, dates)
    if column.attribute is not None or not shares:
        return column
    kinds = (("boolean", "boolean"), ("integer", "whole_number"), ("number", "number"))
    return replace(column, logical_type=next((kind for kind, shape in kinds if shares[shape] >= 1.0), "string"))


def _dated(column: DraftedColumn, dates: dict[str, float]) -> DraftedColumn:
    if not dates:
        return replace(column, logical_type="date" if column.attribute == "birth_date" else "timestamp")
    best, share = next(iter(dates.items()))
    has_time = best == ISO or ":" in best
    why = column.why
    if any(other != best and dates[other] == share and _is_day_first(other) != _is_day_first(best) for other in dates):
        why += "; guess: day and month cannot be told apart in these cells"
    elif share < _SURE:
        why += f"; {share:.0%} of them written so, other known formats follow"
    return replace(column, logical_type="timestamp" if has_time else "date", date_format=None if best == ISO else best, why=why)


def _is_day_first(pattern: str) -> bool:
    return pattern.startswith("dd")
