"""What a stored table is: a pandera schema in which every column states its meaning and its sensitivity.

The sensitivity is the one thing that the storage door looks at, so a column without one cannot be written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from custview_pipeline.kernel.errors import ContractViolation, PlaintextLeak

UTC_TIME: Final = pl.Datetime("us", "UTC")


class Sensitivity(StrEnum):
    """How much a column says about a person to whoever can read the file."""

    PLAINTEXT = "plaintext"  # readable personal data; lives in memory only
    CIPHERTEXT = "ciphertext"  # sealed; readable again with a key
    TOKEN = "token"  # noqa: S105 -- keyed digest; links records, reveals nothing
    OPEN = "open"  # says nothing about the person


@dataclass(frozen=True, slots=True)
class TableContract:
    """One stored table.

    Attributes:
        name: Name of the table and of its folder.
        meaning: What a row is, for a reader outside engineering.
        key: Columns that tell rows apart.
        written_by, read_by: Rooms.
        schema: Columns, in order, and their rules.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    written_by: str
    read_by: str
    schema: pa.DataFrameSchema

    @property
    def types(self) -> pl.Schema:
        """Return the polars types of the columns."""
        return pl.Schema({name: column.dtype.type for name, column in self.schema.columns.items()})

    @property
    def sensitivities(self) -> Mapping[str, Sensitivity]:
        """Return the sensitivity of each column."""
        return {name: Sensitivity((c.metadata or {})["sensitivity"]) for name, c in self.schema.columns.items()}

    def empty(self) -> pl.DataFrame:
        """Return the table without rows."""
        return pl.DataFrame(schema=self.types)

    def assert_storable(self) -> None:
        """Refuse a table that would put readable personal data on disk.

        Raises:
            PlaintextLeak: A column holds readable personal data.
        """
        readable = sorted(name for name, level in self.sensitivities.items() if level is Sensitivity.PLAINTEXT)
        if readable:
            raise PlaintextLeak(f"{self.name} holds readable columns {', '.join(readable)}")

    def assert_holds(self, frame: pl.DataFrame) -> None:
        """Refuse rows that break the contract; the message has names of columns and rules, and counts.

        Raises:
            PlaintextLeak: A column holds readable personal data.
            ContractViolation: The frame breaks the contract.
        """
        self.assert_storable()
        try:
            self.schema.validate(frame, lazy=True)
        except SchemaErrors as found:
            broken = sorted({_name_of(error) for error in found.schema_errors})
            raise ContractViolation(f"{self.name} breaks its contract: {', '.join(broken)}") from None


def _name_of(error: SchemaError) -> str:
    """Name the column and the rule of one failure; never its cells."""
    rule = getattr(error.check, "name", None) or getattr(error.reason_code, "name", "schema").lower()
    return f"{getattr(error.schema, 'name', None) or 'table'}: {rule}"


def column(dtype: Any, sensitivity: Sensitivity, meaning: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    """Declare one column of a table."""
    return pa.Column(dtype, list(checks), nullable=nullable, description=meaning, metadata={"sensitivity": sensitivity.value})


def open_column(dtype: Any, meaning: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    """Declare a column that says nothing about a person."""
    return column(dtype, Sensitivity.OPEN, meaning, *checks, nullable=nullable)


def table(name: str, meaning: str, /, *, key: tuple[str, ...], rooms: tuple[str, str], **columns: pa.Column) -> TableContract:
    """Declare a stored table; ``rooms`` are who writes and who reads it."""
    return TableContract(name, meaning, key, *rooms, pa.DataFrameSchema(columns, strict=True, ordered=True))
