"""What Dagster shows of tables, sources and reports; all metadata pass ``told``, which takes names and counts only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG  # how an observation names it; not exported

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.defs.declared_names import NONE, Declared
from custview_pipeline.kernel.errors import PlaintextLeak
from custview_pipeline.validation.rules import limits_of

ROW_COUNT: Final = "dagster/row_count"  # the name that Dagster draws a curve of
PLATFORM_TEAM: Final = "team:data-platform"  # owns what no single source owns
_LONGEST_TAG: Final = 63  # Dagster's limit
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")  # as Dagster reads an owner

Cell = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A small table to show.

    Attributes:
        columns: Names and types (string, int, float) of its columns.
        rows: Its cells; texts are declared names.
    """

    columns: Mapping[str, str]
    rows: Sequence[Sequence[Cell]]


Told = bool | int | float | str | tuple[str, ...] | dg.TableSchema | Rows
Shown = bool | int | float | str | dg.TableSchema | dg.TableMetadataValue


def told(values: Mapping[str, Told], declared: Declared = NONE) -> dict[str, Shown]:
    """Return metadata, the one way in which anything becomes some: counts, flags, column schemas, and names.

    Args:
        values: What to tell, by name. Several names are told as one text.
        declared: The names that a text may be, besides those of tables, columns, attributes and dimensions.

    Raises:
        PlaintextLeak: A text is no declared name, so it may be anybody's.
    """
    return {name: _shown(name, value, declared) for name, value in values.items()}


def _shown(name: str, value: Told, declared: Declared) -> Shown:
    match value:
        case bool() | int() | float() | dg.TableSchema():
            return value
        case str():
            return _name(name, value, declared)
        case tuple() if type(value) is tuple:  # Dagster's own values are tuples too
            return ", ".join(_name(name, one, declared) for one in value)
        case Rows():
            return _table(name, value, declared)
    raise PlaintextLeak(f"metadata {name!r} is neither a number nor a name, but a {type(value).__name__}")


def _name(place: str, text: Cell, declared: Declared) -> str:
    if not isinstance(text, str) or text not in declared:
        raise PlaintextLeak(f"metadata {place!r} holds a text that is no declared name")
    return text


def _table(place: str, shown: Rows, declared: Declared) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                column: cell if cell is None or isinstance(cell, bool | int | float) else _name(place, cell, declared)
                for column, cell in zip(shown.columns, row, strict=True)
            }
        )
        for row in shown.rows
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(column, kind) for column, kind in shown.columns.items()])
    return dg.MetadataValue.table(records, schema=schema)


def observation(key: dg.AssetKey, values: Mapping[str, Told], *, version: str, changed_at: float | None) -> dg.AssetObservation:
    """Return what was seen of an asset that others make.

    Args:
        key: The asset.
        values: What to tell of it, as ``told`` takes it.
        version: The version of its data: a keyed digest.
        changed_at: When it last changed, seconds since the epoch; None where that is not known.
    """
    changed = {} if changed_at is None else {"dagster/last_updated_timestamp": dg.MetadataValue.timestamp(changed_at)}
    return dg.AssetObservation(key, metadata={**told(values), **changed}, tags={DATA_VERSION_TAG: version})


def column_schema(contract: TableContract) -> dg.TableSchema:
    """Return the columns of a table with type, meaning, constraints and sensitivity."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, other=[check.error or check.name or "rule" for check in column.checks]
                ),
                tags={"sensitivity": contract.sensitivities[name].value},
            )
            for name, column in contract.schema.columns.items()
        ]
    )


def source_schema(contract: SourceContract) -> dg.TableSchema:
    """Return the columns of a source that the pipeline reads: header, type, attribute, limits."""
    return dg.TableSchema(columns=[_source_column(column) for column in contract.columns])


def _source_column(column: SourceColumn) -> dg.TableColumn:
    attribute = ATTRIBUTES[column.attribute]
    critical = {"critical": "yes"} if column.is_critical else {}
    limits = [text for limit, text in limits_of(column).items() if limit not in {"required", "unique"}]
    scheme = {"scheme": tag_value(column.scheme)} if column.scheme else {}
    sensitivity = "personal" if column.is_personal and not attribute.is_personal else attribute.sensitivity
    return dg.TableColumn(
        name=column.name,
        type=column.logical_type,
        description=column.description or attribute.meaning,
        constraints=dg.TableColumnConstraints(nullable=not column.is_required, unique=column.is_unique, other=limits),
        tags={"attribute": column.attribute, "sensitivity": sensitivity, **critical, **scheme},
    )


def owners_of(contract: SourceContract) -> list[str]:
    """Return the owner of a source as Dagster takes it: an e-mail address, or a team."""
    if not contract.owner:
        return [PLATFORM_TEAM]
    return [contract.owner if _ADDRESS.fullmatch(contract.owner) else f"team:{tag_value(contract.owner)}"]


def tag_value(text: str) -> str:
    """Return what Dagster accepts as the value of a tag: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_")[:_LONGEST_TAG].strip("_") or "unnamed"


def table_spec(table: str, *, group: str, deps: list[str], kinds: set[str], code_version: str = "1") -> dg.AssetSpec:
    """Return the asset of a stored table, described by its contract."""
    contract = CONTRACTS[table]
    return dg.AssetSpec(
        key=table,
        group_name=group,
        deps=deps,
        kinds=kinds,
        code_version=code_version,
        description=f"{contract.meaning} Written by {contract.written_by}, read by {contract.read_by}.",
        owners=[PLATFORM_TEAM],
        metadata=told({"dagster/column_schema": column_schema(contract), "table": table, "key": contract.key}),
        tags={"custview/sealed": "true"} if _holds_sealed(contract) else {},
    )


def _holds_sealed(contract: TableContract) -> bool:
    return any(level.value == "ciphertext" for level in contract.sensitivities.values())


def counts(report: object) -> dict[str, Told]:
    """Return the numbers and flags of a report, to be told; whatever is neither is left out."""
    if not is_dataclass(report):
        raise TypeError("a report is a dataclass")
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    return {name: value for name, value in values.items() if isinstance(value, bool | int | float)}


def counted(counts_by_name: Mapping[str, int], *, what: str) -> Rows:
    """Return names and counts as a small table."""
    return Rows({what: "string", "rows": "int"}, tuple(counts_by_name.items()))
