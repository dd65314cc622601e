"""What a contract describes is opened by its kind; a file may always stand in its place."""

from datetime import UTC, datetime

import pytest

from custview_pipeline.adapters.source_files import one_file
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.source_server import DatabaseTable, RowsOfProgram
from custview_pipeline_tests.adapters.delivered_files import all_rows, source_contract

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TABLE = {"origin": DatabaseTable("customers"), "file_format": "sql"}
PROGRAM = {"origin": RowsOfProgram("ours"), "file_format": "python"}
CHANGES = {"extract": "changes"}

KINDS = [
    ({}, "SourceFiles", True),
    (CHANGES, "SourceFiles", False),
    ({"path_pattern": "memory://crm/*.csv"}, "ObjectFiles", True),
    (TABLE, "SqlSource", True),
    (TABLE | CHANGES, "SqlSource", False),
    (PROGRAM, "PythonSource", True),
    (PROGRAM | CHANGES, "PythonSource", False),
]


@pytest.mark.parametrize(("described", "kind", "is_snapshot"), KINDS)
def test_a_source_is_opened_by_its_kind_and_knows_whether_it_holds_every_record(tmp_path, described, kind, is_snapshot):
    source = open_source(tmp_path, source_contract(**described), since=NOON)
    assert (type(source).__name__, source.is_snapshot) == (kind, is_snapshot)


def test_a_table_that_is_asked_for_everything_holds_every_record_whatever_the_contract_extracts(tmp_path):
    assert open_source(tmp_path, source_contract(**TABLE, **CHANGES)).is_snapshot


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "id;name;born\n1;Ann;\n"), ("a.jsonl", '{"id": "1", "name": "Ann", "born": ""}\n')]
)
def test_a_file_in_place_of_a_table_tells_its_own_form(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert all_rows(one_file(tmp_path / name, source_contract(**TABLE))) == [("1", "Ann", None)]
