"""What Dagster shows of a table: columns, their meaning and sensitivity, counts. Names and numbers only, never a value."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import dagster as dg

from custview_pipeline.contracts.base import TableContract
from custview_pipeline.contracts.registry import CONTRACTS


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
        owners=["team:data-platform"],
        metadata={"dagster/column_schema": column_schema(contract), "key": ", ".join(contract.key)},
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
