"""Deliveries of every format, read as text."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline_tests.adapters.delivered_files import all_rows, delivered, source_contract

SHARED = Path(__file__).parents[3] / "shared"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("id,name,born\n1,Ann,2000\n", [("1", "Ann", "2000")]),
        ("id,name,born\n", []),
        ("id,name,born", []),
        ("\n\nid,name,born\n1,,\n", [("1", None, None)]),
        ("born,extra,name,id\n2000,x,Ann,1\n", [("1", "Ann", "2000")]),
        ('id,name,born\n1,"Ann\nLee, ""A""",""\n', [("1", 'Ann\nLee, "A"', None)]),
        ('"id","na\nme","name",born\n1,x,y,z\n', [("1", "y", "z")]),
        ("id,name,born\r\n1, Ann ,x\r\n2,b,c\r\n", [("1", " Ann ", "x"), ("2", "b", "c")]),
        ("id,name,born\n\n1,a,b\n\n", [("1", "a", "b")]),
        ('id,name,born\n1,5" pipe,b\n', [("1", '5" pipe', "b")]),
        ("id,name,born\n007,NULL,nan\n", [("007", "NULL", "nan")]),
        ("\ufeffid,name,born\n1,李雷,b\n", [("1", "李雷", "b")]),
        ("id,id2,id2,name,born\n1,2,3,a,b\n", [("1", "a", "b")]),
    ],
)
def test_csv_is_read_as_it_is_written(tmp_path, content, rows):
    assert all_rows(delivered(tmp_path, content)) == rows


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
    ],
)
def test_csv_is_read_in_the_encoding_of_the_contract(tmp_path, encoding, said):
    content = "id;name;born\n1;李雷;é\n".encode(encoding)
    assert all_rows(delivered(tmp_path, content, encoding=said, delimiter=";")) == [("1", "李雷", "é")]


def test_latin_1_is_read(tmp_path):
    assert all_rows(delivered(tmp_path, "id,name,born\n1,José,x\n".encode("latin-1"), encoding="latin-1")) == [("1", "José", "x")]


JSON_CASES = [
    ({"id": 1, "name": "Ann", "born": None}, ("1", "Ann", None)),
    ({"id": 12345678901234567890, "name": True, "born": ""}, ("12345678901234567890", "true", None)),
    ({"id": "a", "name": {"x": [1, 2.5], "é": None}, "born": [1]}, ("a", '{"x": [1, 2.5], "é": null}', "[1]")),
    ({"id": "b", "unread": 1}, ("b", None, None)),
]


def test_json_lines_are_read_as_text(tmp_path):
    content = "\n\n".join(json.dumps(record) for record, _ in JSON_CASES)
    assert all_rows(delivered(tmp_path, content, file_format="jsonl")) == [row for _, row in JSON_CASES]


def test_numbers_in_json_keep_their_text(tmp_path):
    content = '{"id": 1.10, "name": 1E5, "born": -0.0}\r\n{"id": "x\u2028y", "name": 2}\n'
    assert all_rows(delivered(tmp_path, content, file_format="jsonl")) == [("1.10", "1E5", "-0.0"), ("x\u2028y", "2", None)]


_MOMENT = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
PARQUET_CASES = [
    (pa.array(["x", "", None]), ["x", None, None]),
    (pa.array(["x", None]).dictionary_encode(), ["x", None]),
    (pa.array([1, None], pa.int32()), ["1", None]),
    (pa.array([2**63, 7], pa.uint64()), ["9223372036854775808", "7"]),
    (pa.array([2125550100.0, 1.5, -3.0, float("nan"), None]), ["2125550100", "1.5", "-3", None, None]),
    (pa.array([True, False, None]), ["true", "false", None]),
    (pa.array([Decimal("12.50"), Decimal("0.00")]), ["12.50", "0.00"]),
    (pa.array([date(2024, 2, 29), None]), ["2024-02-29", None]),
    (
        pa.array([_MOMENT, _MOMENT + timedelta(milliseconds=1250)], pa.timestamp("us")),
        ["2024-02-29T12:30:00", "2024-02-29T12:30:01.250"],
    ),
    (pa.array([_MOMENT], pa.timestamp("us", "Europe/Paris")), ["2024-02-29T12:30:00+00:00"]),
    (pa.array([clock(12, 30)]), ["12:30:00"]),
    (pa.array([{"a": 1}, None]), ['{"a": 1}', None]),
    (pa.array([["x", "é"], []]), ['["x", "é"]', "[]"]),
    (pa.array([None, None], pa.null()), [None, None]),
]


@pytest.mark.parametrize(
    ("column", "texts"), PARQUET_CASES, ids=lambda case: str(case.type) if isinstance(case, pa.Array) else ""
)
def test_parquet_of_any_type_is_read_as_text(tmp_path, column, texts):
    (tmp_path / "data").mkdir()
    keys = [str(place) for place in range(len(texts))]
    table = pa.table({"name": column, "id": keys, "born": keys, "unread": [b"x"] * len(keys)})
    pyarrow.parquet.write_table(table, tmp_path / "data/a.parquet")
    rows = all_rows(SourceFiles(tmp_path, source_contract(file_format="parquet")))
    assert rows == [(key, text, key) for key, text in zip(keys, texts, strict=True)]


def test_a_parquet_column_with_a_dot_in_its_name_is_found(tmp_path):
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(pa.table({"a.b": ["x"], "a": ["y"]}), tmp_path / "data/a.parquet")
    columns = (SourceColumn("a.b", "source_key"), SourceColumn("a", "full_name"))
    assert all_rows(SourceFiles(tmp_path, source_contract(file_format="parquet", columns=columns))) == [("x", "y")]


def test_only_the_columns_asked_for_are_read_in_the_order_of_the_contract(tmp_path):
    source = delivered(tmp_path, "id,name,born\n1,a,b\n")
    assert all_rows(source, columns=["born", "id"]) == [("1", "b")]
    with pytest.raises(ValueError, match="no column of shop"):
        next(source.batches(["unknown"]))


def test_files_are_read_in_the_order_of_their_names(tmp_path):
    source = delivered(tmp_path, {"b": "id,name,born\n2,x,y\n", "a": "born,id,name\ny,1,x\n", ".partial": "nothing to read"})
    batches = list(source.batches())
    assert [(batch.file, batch.first_row, batch.frame["id"].to_list()) for batch in batches] == [
        ("data/a", 0, ["1"]),
        ("data/b", 0, ["2"]),
    ]
    assert batches[0].frame.schema == {"id": pl.String, "name": pl.String, "born": pl.String}


def test_batches_are_full_up_to_the_last_of_a_file(tmp_path):
    source = delivered(tmp_path, "id,name,born\n" + "".join(f"{n},x,y\n" for n in range(10)))
    assert [(batch.first_row, batch.frame.height) for batch in source.batches(rows=4)] == [(0, 4), (4, 4), (8, 2)]


_cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
_rows = st.lists(st.tuples(_cells, _cells, _cells).filter(any), max_size=12)


@given(_rows, st.integers(1, 15), st.sampled_from(["csv", "jsonl", "parquet"]))
def test_batches_of_any_size_give_the_same_rows(rows, size, file_format):
    with TemporaryDirectory() as folder:
        source = delivered(Path(folder), _written(rows, file_format), file_format=file_format)
        assert all_rows(source, rows=size) == [tuple(cell or None for cell in row) for row in rows]


def _written(rows: list[tuple[str, str, str]], file_format: str) -> bytes:
    if file_format == "csv":
        quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [("id", "name", "born"), *rows]]
        return "".join(f"{line}\n" for line in quoted).encode()
    if file_format == "jsonl":
        return "".join(json.dumps(dict(zip(("id", "name", "born"), row, strict=True))) + "\n" for row in rows).encode() or b"\n"
    sink = pa.BufferOutputStream()
    columns = dict(zip(("id", "name", "born"), zip(*rows, strict=True) if rows else ((), (), ()), strict=True))
    pyarrow.parquet.write_table(pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()}), sink)
    return sink.getvalue().to_pybytes()


def test_rows_that_cross_the_blocks_of_a_long_file_stay_whole(tmp_path):
    rows = [(str(n), "line\nbreak, " * 40, "é") for n in range(12_000)]
    source = delivered(tmp_path, _written(rows, "csv"))
    assert all_rows(source, rows=5_000) == rows


def test_the_fingerprint_follows_names_and_contents(tmp_path):
    source = delivered(tmp_path, {"a": "id,name,born\n", "b": "x"})
    before = source.fingerprint()
    assert (len(before), source.fingerprint()) == (64, before)
    os.utime(tmp_path / "data/a", (1, 1))
    assert source.fingerprint() == before
    (tmp_path / "data/b").write_text("y")
    changed = source.fingerprint()
    (tmp_path / "data/b").rename(tmp_path / "data/c")
    assert len({before, changed, source.fingerprint()}) == 3


def test_the_mark_follows_time_and_size(tmp_path):
    source = delivered(tmp_path, "id,name,born\n")
    os.utime(tmp_path / "data/a", ns=(5, 5))
    assert source.stat_mark() == (("data/a", 5, 13),)


@pytest.mark.parametrize(("age", "is_settled"), [(0, False), (50, False), (70, True), (-50, False), (-70, True)])
def test_files_are_settled_when_none_changed_lately(tmp_path, age, is_settled):
    source = delivered(tmp_path, "id,name,born\n")
    os.utime(tmp_path / "data/a", (time.time() - age,) * 2)
    assert source.is_settled(60) is is_settled


def test_a_source_without_files_is_not_settled(tmp_path):
    source = SourceFiles(tmp_path, source_contract())
    assert (source.stat_mark(), source.is_settled(0)) == ((), False)


def test_an_absolute_path_gives_the_names_and_fingerprint_of_a_relative_one(tmp_path):
    relative = delivered(tmp_path, "id,name,born\n1,a,b\n", path_pattern="data/*")
    absolute = SourceFiles(tmp_path, source_contract(path_pattern=f"{tmp_path}/data/*"))
    assert [file.name for file in absolute.files()] == ["a"]
    assert all_rows(absolute) == all_rows(relative)


@pytest.mark.parametrize(("name", "rows"), [("historical", 50_578), ("febrl4", 10_000), ("dedupe_csv", 3_337)])
def test_the_evaluation_data_can_be_read(name, rows):
    if not (SHARED / "data" / name).is_dir():
        pytest.skip("the shared folder is not here")
    project = load_project(SHARED / "data" / name)
    sources = [SourceFiles(project.directory, contract) for contract in project.contracts]
    assert sum(batch.frame.height for source in sources for batch in source.batches()) == rows
