"""Writes a drafted contract as ODCS, with comments that say how sure each part is. No value of the data is in it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.drafting.drafted_column import DraftedColumn
from custview_pipeline.contracts.source_contract import FileFormat

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_COMMENT_COLUMN: Final = 44


@dataclass(frozen=True, slots=True)
class DraftedSource:
    """A file as it was found.

    Attributes:
        source_system: The id to give it.
        path: Where it is, as the server of the contract names it.
        encoding, delimiter: How it is read; ``encoding_why`` says by what that was seen, where it is not UTF-8.
        row_count: Rows that were looked at.
        left_out: Why columns cannot be read, one line each.
    """

    source_system: str
    path: str
    file_format: FileFormat
    encoding: str
    delimiter: str
    row_count: int
    encoding_why: str = ""
    left_out: tuple[str, ...] = ()


def contract_text(source: DraftedSource, columns: Sequence[DraftedColumn]) -> str:
    """Return the contract as YAML."""
    name, path = source.source_system.replace("_", " "), json.dumps(source.path, ensure_ascii=False)
    lines = [
        f"# Drafted by custview init from {source.row_count:,} rows. Comments say how sure each line is: sure, likely or guess.",
        "# Look it over; docs/contracts.md has all attributes and rules, `custview dictionary` lists the attributes.",
        "apiVersion: v3.2.0",
        "kind: DataContract",
        f"id: {source.source_system}",
        "version: 0.1.0",
        "status: draft",
        f"name: {quoted(name)}",
        "# team: {members: [{username: name@example.org, role: owner}]}   # who answers for its findings",
        "servers:",
        f"  - {{server: production, type: local, path: {path}, format: {source.file_format}}}",
        "schema:",
        "  - name: records",
        "    logicalType: object",
        "    properties:",
        *(line for column in columns for line in _column_lines(column)),
        *(f"      # left out: {reason}" for reason in source.left_out),
        "    quality:",
        "      - {type: library, metric: rowCount, mustBeGreaterThan: 0, dimension: completeness, severity: error}",
        "customProperties:",
        *_custom_lines(source),
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a text as YAML writes it: plain where it is a name, else in quotes, with what is not printed as escapes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _custom_lines(source: DraftedSource) -> Iterator[str]:
    if source.encoding != "utf-8":
        yield _commented(f"  - {{property: encoding, value: {source.encoding}}}", source.encoding_why)
    if source.file_format == "csv" and source.delimiter != ",":
        yield f"  - {{property: delimiter, value: {json.dumps(source.delimiter)}}}"
    yield _commented(
        "  - {property: extract, value: snapshot}", "snapshot: absent keys are deletions | changes: only new and changed rows"
    )
    yield _commented("  - {property: trust, value: 0.5}", "0 to 1, against other sources")


def _column_lines(column: DraftedColumn) -> Iterator[str]:
    lines = list(_read_lines(column)) if column.attribute else list(_unread_lines(column))
    yield from (f"      {line}" if column.attribute else f"      # {line}" for line in lines)


def _read_lines(column: DraftedColumn) -> Iterator[str]:
    attribute = ATTRIBUTES[column.attribute or ""]
    is_key = attribute.name == "source_key"
    yield f"- name: {quoted(column.header)}"
    yield f"  logicalType: {column.logical_type}"
    if column.date_format is not None:
        yield f"  logicalTypeOptions: {{format: {json.dumps(column.date_format, ensure_ascii=False)}}}"
    if is_key:
        yield "  required: true"
        yield "  primaryKey: true"
    elif column.is_filled:
        yield _commented("  required: true", f"no empty cell in {column.row_count:,} rows; delete it where one may be")
    if not is_key and column.is_filled and column.all_differ and column.logical_type == "string":
        yield _commented("  # unique: true", "all cells differ; only where two records may never share one")
    yield f"  classification: {'pii' if attribute.is_personal else 'internal'}"
    scheme = f", {{property: scheme, value: {column.scheme}}}" if column.scheme else ""
    yield _commented(f"  customProperties: [{{property: attribute, value: {attribute.name}}}{scheme}]", column.why)


def _unread_lines(column: DraftedColumn) -> Iterator[str]:
    said = column.why or "nothing tells what it is"
    empty = column.row_count - column.filled_count
    yield _commented(f"- name: {quoted(column.header)}", f"never read as long as it has no attribute: {said}")
    yield f"  logicalType: {column.logical_type}"
    if column.date_format is not None:
        yield f"  logicalTypeOptions: {{format: {json.dumps(column.date_format, ensure_ascii=False)}}}"
    filled = f"{empty:,} of {column.row_count:,} cells empty, {column.distinct_count:,} different"
    yield _commented("  customProperties: [{property: attribute, value: CHOOSE}]", filled)


def _commented(line: str, comment: str) -> str:
    return f"{line:<{_COMMENT_COLUMN}} # {comment}" if comment else line
