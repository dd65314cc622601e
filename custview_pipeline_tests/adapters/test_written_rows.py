"""Tests of ``custview_pipeline.adapters.written_rows``: what people write is read with its lines, or refused without a value."""

import pytest

from custview_pipeline.adapters.written_rows import read_rows
from custview_pipeline.kernel.errors import ProjectInvalid

COLUMNS = ("name", "of")
SECRET = "Winterbourne"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "rows.csv"


@pytest.mark.parametrize(
    "content",
    [
        b"name,of\na,1\nb,2\n",
        b"\xef\xbb\xbfname,of\r\na,1\r\nb,2\r\n",
        b"name;of\na;1\nb;2",
        b"name\tof\na\t1\nb\t2\n",
        b'"name", of\n a ,"1"\nb,2\n',
        b"more,name,of\nx,a,1\n,b,2\n",
    ],
    ids=["plain", "as a spreadsheet saves it", "semicolons", "tabs", "quotes and spaces", "further columns"],
)
def test_rows_are_read_as_text_with_their_lines(file, content):
    file.write_bytes(content)
    found = read_rows(file, COLUMNS)
    assert found.columns == ["name", "of", "line"]
    assert found.rows() == [("a", "1", 2), ("b", "2", 3)]


def test_an_empty_cell_is_null_and_an_empty_line_is_no_row(file):
    file.write_text("name,of\na,\n\n ,2\n", encoding="utf-8")
    assert read_rows(file, COLUMNS).rows() == [("a", None, 2), (None, "2", 4)]


def test_a_row_over_several_lines_is_named_by_its_last(file):
    file.write_text('name,of\n"a\nb",1\nc,2\n', encoding="utf-8")
    assert read_rows(file, COLUMNS).rows() == [("a\nb", "1", 3), ("c", "2", 4)]


def test_a_column_may_be_called_line_as_long_as_it_gets_another_name(file):
    file.write_text("of,line\na,x\n", encoding="utf-8")
    assert read_rows(file, ("line", "of"), names=("entity", "key")).to_dicts() == [{"entity": "x", "key": "a", "line": 2}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "{file}: is empty"),
        (b"\n", "{file}: is empty"),
        (b"Winterbourne,1\n", "{file}:1: the header should name name, of; or others"),
        (b"name,x\n", "{file}:1: the header should name of; or others"),
        (b"name,of,of\n", "{file}:1: the header should name of once; or others"),
        (b"name,of\na,1\nWinterbourne\n", "{file}:3: has 1 cells where the header has 2"),
        (b"name,of\na,1,Winterbourne\n", "{file}:2: has 3 cells where the header has 2"),
        (b'name,of\na,"Winterbourne\n', "{file}:2: is not readable as CSV; is a quote left open?"),
        (b"name,of\nM\xfcller,Winterbourne\n", "{file}: is not UTF-8: save it as CSV UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_without_a_value(file, content, said):
    file.write_bytes(content)
    with pytest.raises(ProjectInvalid) as caught:
        read_rows(file, COLUMNS, option="; or others")
    assert str(caught.value) == said.format(file=file)
    assert SECRET not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ProjectInvalid, match="cannot be read"):
        read_rows(tmp_path / "none.csv", COLUMNS)
