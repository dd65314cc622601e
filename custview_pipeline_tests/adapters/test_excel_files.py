"""Excel workbooks, read as a person sees them; damaged ones say so."""

import datetime as dt
import logging
import sys
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custview_pipeline.adapters.new_project import draft_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import CANARY, all_rows, source_contract

HEADER = ["id", "name", "born"]


def workbook(directory, *rows, header=HEADER, above=0):
    """Write a workbook and return it as a source."""
    book = openpyxl.Workbook()
    sheet = book.active
    for place, row in enumerate([header, *rows] if header else rows, start=1 + above):
        for column, cell in enumerate(row, start=1):
            sheet.cell(place, column, cell)
    book.create_sheet("other").append(["not", "read"])
    (directory / "data").mkdir(exist_ok=True)
    book.save(directory / "data/a")
    return SourceFiles(directory, source_contract(file_format="xlsx"))


MOMENT = dt.datetime.fromisoformat("2026-01-02T03:04:05")  # a workbook knows no time zones
CELLS = [
    ("Ann", "Ann"), ("007", "007"), ("", None), (None, None), (" padded ", " padded "), ("2026-01-02", "2026-01-02"),
    (7, "7"), (2125550142, "2125550142"), (1.5, "1.5"), (-3.0, "-3"), (0.1, "0.1"), (True, "true"), (False, "false"),
    (dt.date(1986, 4, 12), "1986-04-12"), (MOMENT, "2026-01-02T03:04:05"),
    (MOMENT + dt.timedelta(milliseconds=250), "2026-01-02T03:04:05.250"), (dt.time(12, 30), "12:30:00"), ("李雷", "李雷"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), CELLS)
def test_a_cell_is_read_as_a_person_sees_it(tmp_path, cell, text):
    assert all_rows(workbook(tmp_path, ["k", cell, "x"])) == [("k", text, "x")]


def test_a_column_may_mix_types_and_empty_rows_are_left_out(tmp_path):
    rows = [[1, dt.date(1986, 4, 12), None], [None, None, None], ["b", "text", 5]]
    assert all_rows(workbook(tmp_path, *rows, above=2)) == [("1", "1986-04-12", None), ("b", "text", "5")]


def test_columns_are_found_by_their_headers(tmp_path):
    source = workbook(tmp_path, ["x", 1990, None, "k"], header=["name", "born", None, "id"])
    assert all_rows(source) == [("k", "x", "1990")]


def test_a_sheet_of_a_header_only_has_no_rows(tmp_path):
    assert all_rows(workbook(tmp_path)) == []


@given(st.lists(st.integers(-(10**12), 10**12) | st.text("abcé李", min_size=1, max_size=5), min_size=1, max_size=5))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_and_texts_keep_their_look(tmp_path, cells):
    rows = all_rows(workbook(tmp_path, *([f"k{place}", cell, None] for place, cell in enumerate(cells))))
    assert [name for _, name, _ in rows] == [str(cell) for cell in cells]


def complaint(source):
    with pytest.raises(SourceUnreadable) as raised:
        all_rows(source)
    assert CANARY not in str(raised.value)
    assert str(raised.value).startswith("shop: data/a: ")
    return str(raised.value)


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([["1", CANARY]], ["id", "name"], "the header lacks 'born'"),
        ([["1", CANARY, "x", "y"]], [*HEADER, "name"], "the header has 'name' twice"),
        ([], [], "the file is empty"),
    ],
)
def test_a_header_at_fault_is_told_of(tmp_path, rows, header, said):
    assert said in complaint(workbook(tmp_path, *rows, header=header))


def cut(content, share):
    return content[: int(len(content) * share)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: cut(content, 0), "the file is empty"),
        (lambda content: cut(content, 0.5), "not an Excel workbook"),
        (lambda content: cut(content, 0.99), "not an Excel workbook"),
        (lambda content: content.replace(b"PK", b"KP"), "not an Excel workbook"),
        (lambda content: CANARY.encode() + cut(content, 0.1), "not an Excel workbook"),
        (lambda content: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + cut(content, 0.5), "not an Excel workbook"),
    ],
)
def test_a_damaged_workbook_is_told_of(tmp_path, damage, said):
    source = workbook(tmp_path, ["1", CANARY, "x"])
    path = tmp_path / "data/a"
    path.write_bytes(damage(path.read_bytes()))
    assert said in complaint(source)


def test_what_reads_workbooks_logs_nothing_of_theirs(tmp_path):
    all_rows(workbook(tmp_path, ["1", CANARY, "x"]))
    assert not logging.getLogger("calamine.xlsx").isEnabledFor(logging.CRITICAL)


def test_a_packed_file_of_another_kind_is_no_workbook(tmp_path):
    source = workbook(tmp_path)
    with zipfile.ZipFile(tmp_path / "data/a", "w") as packed:
        packed.writestr("names.txt", CANARY)
    assert "not an Excel workbook" in complaint(source)


def test_where_the_extra_is_missing_it_is_named(tmp_path, monkeypatch):
    source = workbook(tmp_path, ["1", CANARY, "x"])
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    assert "pip install 'custview-pipeline[excel]'" in complaint(source)


def test_a_contract_is_drafted_from_a_workbook(tmp_path):
    workbook(tmp_path, *([n, f"ada{n}@example.org", dt.date(1980, 1, 1 + n)] for n in range(25)), header=["ID", "E-Mail", "Born"])
    (tmp_path / "data/a").rename(tmp_path / "crm.xlsx")
    draft_project(tmp_path / "mine", tmp_path / "crm.xlsx")
    (contract,) = load_project(tmp_path / "mine").contracts
    assert [column.attribute for column in contract.columns] == ["source_key", "email", "birth_date"]
    assert sum(batch.frame.height for batch in SourceFiles(tmp_path / "mine", contract).batches()) == 25
