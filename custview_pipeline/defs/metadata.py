"""What Dagster shows of a table: columns, their meaning and sensitivity, counts. Names and numbers only, never a value."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Final

import dagster as dg

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract
from custview_pipeline.validation.rules import limits_of

PLATFORM_TEAM: Final = "team:data-platform"  # owns what no single source owns
_LONGEST_TAG: Final = 63  # Dagster's limit
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")  # as Dagster reads an owner


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
        metadata={"dagster/column_schema": column_schema(contract), "table": table, "key": ", ".join(contract.key)},
        tags={"custview/sealed": "true"} if _holds_sealed(contract) else {},
    )


def _holds_sealed(contract: TableContract) -> bool:
    return any(level.value == "ciphertext" for level in contract.sensitivities.values())


def counts(report: object) -> dict[str, dg.MetadataValue]:
    """Return the numbers and flags of a report as metadata; whatever is neither is left out."""
    if not is_dataclass(report):
        raise TypeError("a report is a dataclass")
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    return {
        name: dg.MetadataValue.bool(value) if isinstance(value, bool) else _number(value)
        for name, value in values.items()
        if isinstance(value, bool | int | float)
    }


def _number(value: float) -> dg.MetadataValue:
    return dg.MetadataValue.int(value) if isinstance(value, int) else dg.MetadataValue.float(value)


def counted_table(counted: Mapping[str, int], *, what: str) -> dg.MetadataValue:
    """Return names and counts as a small table."""
    records = [dg.TableRecord({what: name, "rows": count}) for name, count in counted.items()]
    schema = dg.TableSchema(columns=[dg.TableColumn(what, "string"), dg.TableColumn("rows", "int")])
    return dg.MetadataValue.table(records, schema=schema)
