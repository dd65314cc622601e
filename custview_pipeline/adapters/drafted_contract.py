"""Drafts the contract of a file of one's own: reads a sample of it as a delivery would be read, and stores no value."""

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.adapters.csv_files import csv_header, read_csv
from custview_pipeline.adapters.delivery_file import DeliveryFile
from custview_pipeline.adapters.excel_files import excel_header, read_excel
from custview_pipeline.adapters.json_files import json_fields, read_json_lines
from custview_pipeline.adapters.parquet_files import parquet_header, read_parquet
from custview_pipeline.adapters.sniffed_file import Form, sniff
from custview_pipeline.contracts.drafting.cell_shapes import shares_of
from custview_pipeline.contracts.drafting.columns import draft_columns
from custview_pipeline.contracts.drafting.document import DraftedSource, contract_text
from custview_pipeline.contracts.drafting.header_words import attribute_of_header
from custview_pipeline.contracts.odcs_quality import snake_case
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.kernel.redaction import silenced

_SAMPLE_ROWS: Final = 20_000
_VALUE_SHAPES: Final = ("email", "phone", "ssn", "zip", "url", "address", "number", "resident_id")
_READERS: Final = {"csv": read_csv, "jsonl": read_json_lines, "parquet": read_parquet, "xlsx": read_excel}


class Draft(NamedTuple):
    """A drafted contract.

    Attributes:
        source_system: Its id.
        path: Where the file is, relative to the project.
        text: The contract as YAML; no value of the file is in it.
    """

    source_system: str
    path: str
    text: str


class _Headers(NamedTuple):
    usable: list[str]
    left_out: tuple[str, ...]


def draft_contract(file: Path, directory: Path, taken: Mapping[str, str]) -> Draft:
    """Draft the contract of a file for the project in ``directory``.

    Args:
        file: The file.
        directory: The project directory.
        taken: Ids that other sources have, and the path of each.

    Raises:
        SourceUnreadable: The file cannot be read, or its first row looks like a record and not like a header.
    """
    with silenced("drafting a contract"):
        form, path = sniff(file), _path_from(directory, file)
        source_system = _source_system(file, path, taken)
        delivered = DeliveryFile(file, file.name, _stub(source_system, form))
        headers = _headers(delivered, form)
        sample = _sample(delivered, form, headers.usable)
        if form.file_format in {"csv", "xlsx"}:
            _refuse_record(delivered, headers.usable, sample)
        source = DraftedSource(
            source_system,
            path,
            form.file_format,
            form.encoding,
            form.delimiter,
            sample.height,
            form.encoding_why,
            headers.left_out,
        )
        return Draft(source_system, path, contract_text(source, draft_columns(sample)))


def _source_system(file: Path, path: str, taken: Mapping[str, str]) -> str:
    """Return an id made of the file's name, and of its folder's where another file has that id already."""
    names = [file.name.partition(".")[0], f"{file.absolute().parent.name}_{file.name.partition('.')[0]}"]
    ids = [snake_case(name).lstrip("0123456789_") or "source" for name in names]
    return next((own for own in ids if taken.get(own, path) == path), ids[-1])


def _stub(source_system: str, form: Form) -> SourceContract:
    """Return a contract that says how the file is read and nothing of its columns."""
    return SourceContract(
        source_system=source_system,
        version="",
        title="",
        domain=None,
        owner=None,
        purpose=None,
        path_pattern="",
        file_format=form.file_format,
        encoding=form.encoding,
        delimiter=form.delimiter,
        columns=(),
    )


def _headers(file: DeliveryFile, form: Form) -> _Headers:
    """Return the columns that can be read, and why others cannot."""
    if form.file_format == "jsonl":
        return _Headers(json_fields(file, _SAMPLE_ROWS), ())
    if form.file_format == "parquet":
        found = parquet_header(file)
    else:
        found = [(name, "") for name in (csv_header(file) if form.file_format == "csv" else excel_header(file))]
    names = [name for name, _ in found]
    reasons = {}
    for place, (name, unreadable) in enumerate(found, start=1):
        if not name.strip():
            reasons[place] = f"column {place} has no header"
        elif names.count(name) > 1:
            reasons[place] = f"column {place}: its header is there twice"
        elif unreadable:
            reasons[place] = f"column {place} holds {unreadable}"
    usable = [name for place, name in enumerate(names, start=1) if place not in reasons]
    if not usable:
        raise file.unreadable("no column of it can be read: each needs a header of its own")
    return _Headers(usable, tuple(reasons.values()))


def _sample(file: DeliveryFile, form: Form, headers: list[str]) -> pl.DataFrame:
    """Return the first rows; of a file without rows the header tells what it can."""
    frames = [pl.DataFrame(schema=dict.fromkeys(headers, pl.String))]
    left = _SAMPLE_ROWS
    for frame in _READERS[form.file_format](file, headers):
        frames.append(frame.head(left))
        left -= frames[-1].height
        if not left:
            break
    return pl.concat(frames)


def _refuse_record(file: DeliveryFile, headers: list[str], sample: pl.DataFrame) -> None:
    """Refuse a file without a header: its first record would become names of columns, for everybody to read.

    Raises:
        SourceUnreadable: A header has the shape of a value, or stands among the cells under it; or none of them is a word
            that headers are made of.
    """
    for place, header in enumerate(headers, start=1):
        shares = shares_of(pl.Series([header.strip()]))
        if any(shares[shape] for shape in _VALUE_SHAPES) or (sample[header] == header).any():
            raise file.unreadable(f"its first row looks like a record and not like a header (column {place}): add a header")
    if not any(attribute_of_header(header) for header in headers):
        raise file.unreadable("no header of it is a known word, its first row may be a record: add a header, or name a column id")


def _path_from(directory: Path, file: Path) -> str:
    """Return the path of a file as the server of a contract writes it: relative to the project, a pattern of this file only."""
    try:
        shown = os.path.relpath(file.resolve(), directory.resolve())
    except ValueError:  # another drive
        shown = str(file.resolve())
    return glob.escape(Path(shown).as_posix())
