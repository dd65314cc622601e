"""Deliveries that cannot be read say so in one line that shows no value."""

import gc
import json
import traceback
from collections import deque

import pyarrow as pa
import pyarrow.parquet
import pytest

from custview_pipeline.adapters.csv_files import _Feed, _Lent
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import CANARY, all_rows, delivered, source_contract

HEADER = "id,name,born\n"
GOOD = f"1,{CANARY},2000\n"


def _complaint(source: SourceFiles) -> str:
    with pytest.raises(SourceUnreadable) as raised:
        all_rows(source)
    message = str(raised.value)
    assert "\n" not in message
    assert CANARY not in message
    assert CANARY not in "".join(traceback.format_exception(raised.value)).replace(f'"{CANARY}"', "")
    return message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("\ufeff", "the file is empty"),
        (f"id,{CANARY}\n1,2\n", "the header lacks 'name', 'born', which shop.odcs.yaml describes"),
        (GOOD + GOOD, "the header lacks 'id', 'name', 'born'"),
        (f"id,name,born,name\n1,{CANARY},2,3\n", "the header has 'name' twice"),
        (f"{HEADER}{GOOD}2,{CANARY}\n", "line 3 has 2 fields where the header has 3"),
        (f"{HEADER}{GOOD}\n2,{CANARY},3,4\n", "line 4 has 4 fields where the header has 3"),
        (f'{HEADER}1,"{CANARY}\nx",2\n3,{CANARY}\n', "line 4 has 2 fields where the header has 3"),
        (f'{HEADER}1,"{CANARY},2\n3,4,5\n', "line 2 opens a quote that is never closed"),
        (f'{HEADER}{GOOD}1,2,"{CANARY}', "line 3 opens a quote that is never closed"),
        (f'{HEADER}1,"{CANARY},2\n' + GOOD * 400_000, "line 2 opens a quote that is never closed"),
        (f'{HEADER}1,"{CANARY},2\n3,"\n', "line 2 has 2 fields where the header has 3; is a quote left open?"),
        (f"{HEADER}{GOOD}2,{CANARY}\x00,3\n", "line 3 holds a NUL byte"),
        (f"id,na\x00me,name,born\n1,{CANARY},3\n", "line 2 has 3 fields where the header has 4"),
        (f'id,"name,{CANARY}', "the header lacks 'name', 'born'"),
        ('"' + "x" * 200_000, "the header is not readable as CSV"),
    ],
)
def test_bad_csv(tmp_path, content, complaint):
    message = _complaint(delivered(tmp_path, content))
    assert message.startswith("shop: data/a: ")
    assert complaint in message


@pytest.mark.parametrize(
    ("content", "encoding", "complaint"),
    [
        (f"{HEADER}{GOOD}2,{CANARY} é,3\n".encode("latin-1"), "utf-8", "line 3 (byte 47) is not utf-8, which the contract says"),
        (f"id,name,born,é\n{GOOD}".encode("latin-1"), "utf-8", "line 1 (byte 14) is not utf-8"),
        ((HEADER + GOOD * 100_000 + f"2,{CANARY} é,3\n").encode("latin-1"), "utf-8", "line 100002 (byte 1900028) is not utf-8"),
        (f"{HEADER}2,{CANARY} é".encode()[:-1], "utf-8", "the last character is cut off"),
        (f"{HEADER}{GOOD}".encode() + b"\x81", "gb18030", "gb18030"),
        (f"{HEADER}2,{CANARY} é,3\n".encode(), "ascii", "line 2 (byte 28) is not ascii"),
        (f"{HEADER}{GOOD}".encode("utf-16") + b"\x00", "utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_another_encoding_than_the_contract_says(tmp_path, content, encoding, complaint, file_format):
    if file_format == "jsonl":
        as_json = json.dumps({"id": CANARY}).encode("utf-16-le" if encoding == "utf-16" else "ascii")
        content, complaint = as_json + b"\n\xff\xfe\xfd" if encoding != "utf-16" else as_json + b"\x00", f"{encoding}"
    assert complaint in _complaint(delivered(tmp_path, content, encoding=encoding, file_format=file_format))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the file is empty"),
        (f'{{"id": 1}}\n{{"id": "{CANARY}", "na', "line 2 is not valid JSON"),
        (f'{{"id": "{CANARY}"}} {{"id": 2}}\n', "line 1 is not valid JSON"),
        (f'["{CANARY}"]\n', "line 1 is not a JSON object"),
        (f'\n"{CANARY}"\n', "line 2 is not a JSON object"),
        (f'{{"id": NaN, "name": "{CANARY}"}}\n', "line 1 is not valid JSON"),
        (f'{{"id": {"9" * 5000}, "name": "{CANARY}"}}\n', "line 1 is not valid JSON"),
        ('{"id": ' + "[" * 100_000, "line 1 is not valid JSON"),
        (f'{{"id": 1}}\n\n{{"id": "1", "name": "{CANARY}\\ud800"}}\n', "line 3: 'name' holds half of a surrogate pair"),
        (f'{{"id": "{CANARY}\\u0000"}}\n', "'id' holds a NUL byte"),
        (f'{{"id": "{CANARY}\x00"}}\n', "line 1 is not valid JSON"),
    ],
)
def test_bad_json_lines(tmp_path, content, complaint):
    message = _complaint(delivered(tmp_path, content, file_format="jsonl"))
    assert message.startswith("shop: data/a: ")
    assert complaint in message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"a": '{"id": 1, "name": "x"}\n{"id": 2}\n'}, "shop: data/a: no line has 'born', which shop.odcs.yaml describes"),
        ({"a": '\n{"id": 1}'}, "shop: data/a: no line has 'name', 'born', which shop.odcs.yaml describes"),
        (
            {"a": '{"id": 1, "born": null}\n', "b": '{"id": 2}\n'},
            "shop: data/*: no line has 'name', which shop.odcs.yaml describes",
        ),
    ],
)
def test_a_field_that_no_line_has_is_missed_as_a_column_of_csv_is(tmp_path, content, complaint):
    assert _complaint(delivered(tmp_path, content, file_format="jsonl")) == complaint


@pytest.mark.parametrize(
    "content",
    [
        {"a": "\n"},
        {"a": '{"id": 1, "name": null, "born": ""}\n{"id": 2}\n'},
        {"a": '{"id": 1}\n{"id": 2, "name": "x"}\n', "b": '{"id": 3, "born": null}\n'},
    ],
    ids=["no line", "null is there", "another file has it"],
)
def test_a_field_that_some_line_has_may_be_absent_from_others(tmp_path, content):
    source = delivered(tmp_path, content, file_format="jsonl")
    assert [row[0] for row in all_rows(source)] == [str(1 + n) for n in range("".join(content.values()).count("{"))]


def _parquet(**columns) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_arrays([pa.array(cells) for cells in columns.values()], names=[name.rstrip("_") for name in columns])
    pyarrow.parquet.write_table(table, sink, compression="none", use_dictionary=False, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def _whole() -> bytes:
    return _parquet(id=["1"] * 50, name=[CANARY] * 50, born=["x"] * 50)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (f"{HEADER}{GOOD}".encode(), "not a Parquet file, cut off or damaged"),
        (_whole()[:-20], "not a Parquet file, cut off or damaged"),
        (_whole()[200:], "not a Parquet file, cut off or damaged"),
        (_whole().replace(CANARY.encode(), CANARY[::-1].encode()), "not a Parquet file, cut off or damaged"),
        (_parquet(id=["1"], name=[CANARY]), "the header lacks 'born'"),
        (_parquet(id=["1"], name=[CANARY], name_=["x"], born=["x"]), "the header has 'name' twice"),
        (_parquet(id=["1"], name=[CANARY.encode()], born=["x"]), "'name' holds bytes"),
        (_parquet(id=["1"], name=[CANARY + "\x00"], born=["x"]), "'name' holds a NUL byte"),
    ],
)
def test_bad_parquet(tmp_path, content, complaint):
    message = _complaint(delivered(tmp_path, content, file_format="parquet"))
    assert message.startswith("shop: data/a: ")
    assert complaint in message


def test_no_half_of_a_character_passes_as_text_in_parquet(tmp_path):
    broken = pa.array([CANARY.encode() + b"\xff"], pa.binary()).view(pa.string())
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table({"id": ["1"], "name": broken, "born": ["x"]}), sink, store_schema=True)
    message = _complaint(delivered(tmp_path, sink.getvalue().to_pybytes(), file_format="parquet"))
    assert "damaged" in message


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("data/*.csv", "no file matches data/*.csv"),
        ("nowhere/*.csv", "the folder of nowhere/*.csv does not exist"),
        ("data/inner", "data/inner is a folder; write data/inner/*.csv"),
        ("data/missing.csv", "no file matches data/missing.csv"),
    ],
)
def test_no_file_to_read(tmp_path, pattern, complaint):
    (tmp_path / "data/inner").mkdir(parents=True)
    source = SourceFiles(tmp_path, source_contract(path_pattern=pattern))
    assert complaint in _complaint(source)
    with pytest.raises(SourceUnreadable):
        source.fingerprint()


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()

    def refuse(_):
        raise PermissionError(f"{tmp_path}")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert "cannot be listed (PermissionError)" in _complaint(SourceFiles(tmp_path, source_contract()))


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    source = delivered(tmp_path, f"{HEADER}{GOOD}")

    def refuse(*_, **__):
        raise PermissionError(f"{tmp_path}")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert "the file cannot be read (PermissionError)" in _complaint(source)
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        source.fingerprint()


def test_a_header_at_fault_stops_the_delivery_before_its_first_row(tmp_path):
    source = delivered(tmp_path, {"a": f"{HEADER}{GOOD}", "b": f"id,name\n1,{CANARY}\n"})
    with pytest.raises(SourceUnreadable, match="data/b: the header lacks 'born'"):
        next(source.batches())


LONG = HEADER + GOOD * 400_000  # more than Arrow takes at a time


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (LONG, None),
        (LONG + "1,2\n" + GOOD * 400_000, "fields where the header has"),
        (LONG + "\x00\n" + GOOD, "a NUL byte"),
        ((LONG + "é,2,3\n").encode("latin-1"), "is not utf-8"),
    ],
)
def test_arrows_thread_has_let_go_of_a_csv_file_that_is_left_in_the_middle(tmp_path, content, complaint):
    batches = delivered(tmp_path, content).batches(rows=100_000)
    next(batches)
    if complaint is None:
        batches.close()
    else:
        with pytest.raises(SourceUnreadable, match=complaint):
            deque(batches, maxlen=0)
    assert not [each for each in gc.get_objects() if type(each) is _Feed or (type(each) is _Lent and each.count)]
