"""Writes the sources of a project as plain CSV, for tools that know neither our contracts nor our formats of files.

Every source becomes one UTF-8 file whose columns are called by the attributes of our contract (a second phone is ``phone_2``);
countries are ISO codes and kinds of customer PERSON or ENTERPRISE. All other values stay as the source has them.
``sources.json`` beside the files names them and the strptime formats that their contracts give.
"""

import json
from pathlib import Path

import polars as pl

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.standardisation.codes.codes import entity_type_of
from custview_pipeline.standardisation.codes.countries import country_of

SOURCES_FILE = "sources.json"
_READ = {"country": country_of, "entity_type": entity_type_of}


def write_plain(project_directory: Path, target: Path) -> None:
    """Write the sources of a project into ``target``; rows without a key are left out, of rows with one key the first is kept."""
    project = load_project(project_directory)
    target.mkdir(parents=True, exist_ok=True)
    for contract in project.contracts:
        plain_rows(project.directory, contract).write_csv(target / f"{contract.source_system}.csv")
    sources = {contract.source_system: _date_formats(contract) for contract in project.contracts}
    (target / SOURCES_FILE).write_text(json.dumps({"region": project.region, "date_formats": sources}), encoding="utf-8")


def plain_rows(directory: Path, contract: SourceContract) -> pl.DataFrame:
    """Return the rows of one source, columns called by attribute."""
    rows = pl.concat([batch.frame for batch in SourceFiles(directory, contract).batches()])
    names = plain_names([column.attribute for column in contract.columns])
    named = rows.select(pl.col(column.name).alias(name) for column, name in zip(contract.columns, names, strict=True))
    read = [_read_by(named[name], name) for name in named.columns if name in _READ]
    return named.with_columns(read).drop_nulls("source_key").unique("source_key", keep="first", maintain_order=True)


def plain_names(attributes: list[str]) -> list[str]:
    """Return names of columns for attributes: the second of a kind is called ``phone_2``."""
    counts: dict[str, int] = {}
    names = []
    for attribute in attributes:
        counts[attribute] = counts.get(attribute, 0) + 1
        names.append(attribute if counts[attribute] == 1 else f"{attribute}_{counts[attribute]}")
    return names


def _read_by(cells: pl.Series, attribute: str) -> pl.Series:
    spellings = {text: _READ[attribute](text) for text in cells.drop_nulls().unique().to_list()}
    return cells.replace_strict(spellings, default=None, return_dtype=pl.String)


def _date_formats(contract: SourceContract) -> list[str]:
    return [column.date_format for column in contract.carrying("birth_date") if column.date_format]
