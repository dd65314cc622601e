"""Tests of ``custview_pipeline.adapters.written_tables``."""

import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest

from custview_pipeline.adapters.written_tables import TableFormat, format_of, write_table
from custview_pipeline.kernel.errors import ProjectInvalid, Redacted

FRAME = pl.DataFrame({"source_key": ["k1", "k,2", None], "cuid": ["CU1", '"quoted"', "客户"], "score": [0.5, None, 1.0]})
READERS = {TableFormat.CSV: pl.read_csv, TableFormat.PARQUET: pl.read_parquet, TableFormat.JSON: pl.read_ndjson}


def is_clean(folder, *expected):
    return sorted(path.name for path in folder.iterdir()) == sorted(expected)


@pytest.mark.parametrize("table_format", TableFormat)
def test_a_table_reads_back_as_it_was(tmp_path, table_format):
    write_table(FRAME, tmp_path / "out", table_format)

    assert READERS[table_format](tmp_path / "out").equals(FRAME)
    assert is_clean(tmp_path, "out")


@pytest.mark.parametrize("table_format", TableFormat)
def test_a_table_is_its_owners_alone_from_the_first_byte(tmp_path, monkeypatch, table_format):
    (tmp_path / "out").touch(mode=0o644)
    written = []

    def replace(unfinished, path):
        written.append(stat.S_IMODE(unfinished.stat().st_mode))
        unfinished.rename(path)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    for method in ("write_csv", "write_parquet", "write_ndjson"):
        write = getattr(pl.DataFrame, method)
        monkeypatch.setattr(pl.DataFrame, method, lambda frame, file, write=write: (watch(file), write(frame, file)))

    def watch(_):
        (begun,) = (path for path in tmp_path.iterdir() if path.name.startswith(".out."))
        written.append(stat.S_IMODE(begun.stat().st_mode))

    write_table(FRAME, tmp_path / "out", table_format)

    assert written == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_json_is_one_object_a_line(tmp_path):
    write_table(FRAME, tmp_path / "out", TableFormat.JSON)

    assert [json.loads(line)["cuid"] for line in (tmp_path / "out").read_text("utf-8").splitlines()] == FRAME["cuid"].to_list()


@pytest.mark.parametrize("table_format", TableFormat)
def test_a_table_without_rows_is_written_too(tmp_path, table_format):
    write_table(FRAME.clear(), tmp_path / "out", table_format)

    assert (tmp_path / "out").is_file()


def test_an_earlier_file_is_replaced(tmp_path):
    (tmp_path / "out").write_text("before")
    write_table(FRAME, tmp_path / "out", TableFormat.CSV)

    assert pl.read_csv(tmp_path / "out").equals(FRAME)


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: folder / "missing" / "out",
        lambda folder: folder,
        lambda folder: folder / "file" / "out",
        lambda folder: folder / ("x" * 300),
        lambda folder: type(folder)("/"),
    ],
    ids=["no such folder", "a folder", "below a file", "name too long", "root"],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ProjectInvalid, match="cannot be written"):
        write_table(FRAME, place(tmp_path), TableFormat.CSV)
    assert is_clean(tmp_path, "file")


def make_device(path):
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))  # what /dev/null is


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (os.mkfifo, stat.S_ISFIFO),
        pytest.param(make_device, stat.S_ISCHR, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")),
    ],
    ids=["a pipe", "a device"],
)
@pytest.mark.parametrize("is_linked", [False, True])
def test_what_is_no_regular_file_stays_what_it_is(tmp_path, make, kind, is_linked):
    place, output = tmp_path / "place", tmp_path / ("link" if is_linked else "place")
    try:
        make(place)
    except PermissionError:
        pytest.skip("devices cannot be made here")
    if is_linked:
        output.symlink_to(place)

    with pytest.raises(ProjectInvalid, match="no regular file"):
        write_table(FRAME, output, TableFormat.CSV)
    assert kind(place.stat().st_mode)
    assert is_clean(tmp_path, *{"place", output.name})


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_the_file_that_it_leads_to_is_written(tmp_path, is_there):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    if is_there:
        (folder / "out").write_text("before")
    (tmp_path / "middle").symlink_to(Path("elsewhere") / "out")
    (tmp_path / "link").symlink_to("middle")
    write_table(FRAME, tmp_path / "link", TableFormat.CSV)

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    assert pl.read_csv(folder / "out").equals(FRAME)
    assert is_clean(folder, "out")
    assert is_clean(tmp_path, "elsewhere", "link", "middle")


@pytest.mark.parametrize("target", ["link", "missing/out", "."], ids=["itself", "no such folder", "a folder"])
def test_a_link_that_leads_nowhere_a_file_can_be_is_refused_and_stays(tmp_path, target):
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(ProjectInvalid, match="cannot be written"):
        write_table(FRAME, tmp_path / "link", TableFormat.CSV)
    assert (tmp_path / "link").is_symlink()
    assert is_clean(tmp_path, "link")


def test_a_failure_leaves_the_earlier_file_and_quotes_nothing(tmp_path):
    (tmp_path / "out").write_text("before")
    nested = pl.DataFrame({"names": [["Wilhelmina"]]})

    with pytest.raises(Redacted) as failed:
        write_table(nested, tmp_path / "out", TableFormat.CSV)

    assert "Wilhelmina" not in str(failed.value)
    assert (tmp_path / "out").read_text() == "before"
    assert is_clean(tmp_path, "out")


@pytest.mark.parametrize(
    ("name", "table_format"),
    [("x.csv", "csv"), ("x.parquet", "parquet"), ("x.PARQUET", "parquet"), ("x.json", "json"), ("x.jsonl", "json"), ("x", "csv")],
)
def test_the_ending_of_a_name_tells_the_format(name, table_format):
    assert format_of(Path(name)) == table_format
