"""What only the columns together tell: which one is the key, and what a column is beside the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.drafting.drafted_column import Confidence, DraftedColumn

_REPEATABLE: Final = frozenset({"phone", "email", "national_id", "tax_id", "family_name", "trading_name", "website"})
_AMBIGUOUS_NAMES: Final = frozenset({"nom", "nome", "nombre"})  # given, family or whole name, by language and neighbours


def corrected(column: DraftedColumn, columns: Sequence[DraftedColumn]) -> DraftedColumn:
    """Correct what only the other columns tell."""
    others = {other.attribute for other in columns if other.header != column.header}
    if column.attribute == "street_name" and column.has_digits and "house_number" not in others:
        return _guessed(column, "address" if column.is_line else "address_line1", "the header, and cells with numbers")
    if column.attribute == "address" and not column.is_line and others & {"city", "postal_code"}:
        return _guessed(column, "address_line1", "the header, and columns for the city or postal code")
    if column.attribute == "legal_name" and "entity_type" not in others and others & {"given_name", "family_name"}:
        return _guessed(column, "employer", "a company beside the name of a person; legal_name where it is the customer")
    is_alone = not {"given_name", "family_name"} <= {*others, column.attribute}
    if column.header.strip().lower() in _AMBIGUOUS_NAMES and is_alone:
        return _guessed(column, "full_name", "the header, and no column for the rest of the name")
    return column


def _guessed(column: DraftedColumn, attribute: str, why: str) -> DraftedColumn:
    return replace(column, attribute=attribute, confidence=Confidence.GUESS, why=f"guess: by {why}")


def with_one_key(columns: Sequence[DraftedColumn]) -> list[DraftedColumn]:
    """Choose the key: the column called so whose cells differ most, else the one that would do best."""
    if not columns:
        return []
    named = [column for column in columns if column.attribute == "source_key"]
    timeless = [column for column in columns if column.logical_type not in {"date", "timestamp"}]
    free = [column for column in timeless if column.attribute is None or not ATTRIBUTES[column.attribute].is_personal]
    key = max(named or free or timeless or columns, key=lambda column: column.key_share)
    kept = [column.without("called like a key; another column is") if column in named else column for column in columns]
    return [_as_key(key) if column.header == key.header else other for column, other in zip(columns, kept, strict=True)]


def _as_key(column: DraftedColumn) -> DraftedColumn:
    is_named, empty = column.attribute == "source_key", column.row_count - column.filled_count
    counted = ((empty, "empty"), (column.filled_count - column.distinct_count, "repeating another"))
    said = "called like a key" if is_named else "no column is called like a key; of all this one has the most different cells"
    faults = [f"{count:,} of {column.row_count:,} cells {fault}" for count, fault in counted if count]
    said += f"; {' and '.join(faults)}" if faults else ", and no two cells are alike"
    confidence = Confidence.SURE if is_named and not faults else Confidence.LIKELY if is_named else Confidence.GUESS
    return replace(
        column,
        attribute="source_key",
        scheme=None,
        confidence=confidence,
        why=f"{confidence.name.lower()}: {said}",
        logical_type="string",
        date_format=None,
    )


def each_once(columns: Sequence[DraftedColumn]) -> list[DraftedColumn]:
    """Leave an attribute that a record has once to the column that carries it most surely."""
    best: dict[str, DraftedColumn] = {}
    for column in columns:
        known = best.get(column.attribute or "")
        if column.attribute is not None and (known is None or column.confidence > known.confidence):
            best[column.attribute] = column
    return [
        column
        if column.attribute is None or column.attribute in _REPEATABLE or best[column.attribute] is column
        else column.without(f"could be {column.attribute}, which {best[column.attribute].header!r} is already")
        for column in columns
    ]
