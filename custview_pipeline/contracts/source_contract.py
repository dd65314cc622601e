"""A source's contract, as the pipeline uses it; read from ODCS by ``contracts.odcs``."""

from dataclasses import dataclass, field
from typing import Literal

from custview_pipeline.contracts.source_server import DatabaseTable, RowsOfProgram

FileFormat = Literal["csv", "jsonl", "parquet", "xlsx", "sql", "python"]
Extract = Literal["snapshot", "changes"]
Severity = Literal["warning", "error"]


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column of a source that carries an attribute.

    Attributes:
        name: Header of the column in the source.
        attribute: Its meaning, a name of the attribute dictionary.
        is_required: A row without it is refused.
        is_unique: Rows of different keys that have the same value in one delivery are refused, all of them, where they are new or
            changed; a row that has not changed keeps its record. A key is required and unique.
        is_personal: The contract's ``classification`` calls it personal (pii, confidential, restricted, sensitive).
        date_format: strptime format translated from the contract's JDK pattern, tried first; None where none is given.
        pattern, min_length, max_length, minimum, maximum, allowed: Limits of ``logicalTypeOptions`` and ``enum``.
        earliest, latest: Limits of a date or timestamp, ISO 8601.
        refuses_invalid: A row whose value breaks the field standard is refused; otherwise the value is marked invalid.
        scheme: For identifiers and codes: us.ssn, us.ein, ...; None where the contract gives none.
    """

    name: str
    attribute: str
    logical_type: str = "string"
    is_required: bool = False
    is_unique: bool = False
    is_personal: bool = False
    is_critical: bool = False
    refuses_invalid: bool = False
    date_format: str | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    earliest: str | None = None
    latest: str | None = None
    allowed: tuple[str, ...] = ()
    scheme: str | None = None
    issuer: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class QualityRule:
    """One ODCS ``quality`` entry.

    Attributes:
        metric: rowCount, nullValues, missingValues, invalidValues, duplicateValues; or the type (sql, custom, text) of a rule
            that the pipeline does not execute; or required, unique, limits, format: what a contract says of a column that
            is not read.
        column: The column it is about; None for the table.
        operator: mustBe, mustNotBe, mustBeGreaterThan, mustBeGreaterOrEqualTo, mustBeLessThan, mustBeLessOrEqualTo,
            mustBeBetween, mustNotBeBetween.
        threshold: One number, or two for the between operators.
        unit: rows | percent.
        arguments: missingValues, validValues, pattern, or the columns (properties) that are unique together.
        description: What the contract says about the rule.
        is_executable: False for sql, custom and text rules: they are reported as not executed, never skipped in silence.
    """

    name: str
    metric: str
    column: str | None
    operator: str | None
    threshold: tuple[float, ...]
    unit: Literal["rows", "percent"] = "rows"
    dimension: str = "conformity"
    severity: Severity = "error"
    is_executable: bool = True
    arguments: tuple[tuple[str, tuple[str, ...]], ...] = ()
    description: str | None = None

    def argument(self, name: str) -> tuple[str, ...]:
        """Return the values of one argument; empty where the rule has none."""
        return dict(self.arguments).get(name, ())


@dataclass(frozen=True, slots=True)
class SourceContract:
    """One source system.

    Attributes:
        source_system: The contract's id; snake_case, so that assets and tables can be named by it.
        version: The contract's version.
        path_pattern: Glob of the source's files, relative to the project directory, or their URL; of other sources how they are
            called.
        file_format: Format of the files; sql for a table of a database, python for rows that a program gives.
        origin: The table or the program; None for files.
        endpoint: URL of the service of an object store; None for its usual one.
        columns: The columns that carry an attribute, in the order of the contract. Others are never read.
        trust: Trust score of every attribute, 0 to 1; ``trust_by_attribute`` where one differs.
        max_refused_share: Share of refused rows, 0 to 1, from which on the delivery is stopped.
        max_deleted_share: Share of the known records, 0 to 1, above which a delivery that deletes them waits for a person.
        freshness_hours: Hours from one delivery to the next, at most.
        record_age_hours: Hours since a record's last change, at most.
        channel: Through which the source meets customers (web, store, ...).
        quality_targets: Scores aimed at, 0 to 1, by dimension.
        attribute_targets: The same for one attribute, where it differs.
        refuses_erased: A record that was erased is not taken in again; otherwise it is, and reported.
        has_unique_customers: The source promises that no two of its records are one customer, so that none are linked.
    """

    source_system: str
    version: str
    title: str
    domain: str | None
    owner: str | None
    purpose: str | None
    path_pattern: str
    file_format: FileFormat
    encoding: str
    delimiter: str
    columns: tuple[SourceColumn, ...]
    quality: tuple[QualityRule, ...] = ()
    extract: Extract = "snapshot"
    trust: float = 0.5
    trust_by_attribute: dict[str, float] = field(default_factory=dict)
    legal_basis: str | None = None
    max_refused_share: float = 0.1
    max_deleted_share: float = 0.2
    freshness_hours: float | None = None
    record_age_hours: float | None = None
    channel: str | None = None
    quality_targets: dict[str, float] = field(default_factory=dict)
    attribute_targets: dict[str, dict[str, float]] = field(default_factory=dict)
    refuses_erased: bool = True
    has_unique_customers: bool = False
    origin: DatabaseTable | RowsOfProgram | None = None
    endpoint: str | None = None
    file: str = ""

    def carrying(self, attribute: str) -> tuple[SourceColumn, ...]:
        """Return the columns that carry ``attribute``, in the order of the contract."""
        return tuple(column for column in self.columns if column.attribute == attribute)

    @property
    def key_column(self) -> SourceColumn:
        """Return the column that carries the record's key; reading a contract guarantees one."""
        return self.carrying("source_key")[0]
