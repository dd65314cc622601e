"""Files of an object store, for which the file system of fsspec that lives in memory stands."""

from io import BytesIO

import fsspec
import polars as pl
import pytest

from custview_pipeline.adapters import object_files
from custview_pipeline.adapters.object_files import ObjectFiles
from custview_pipeline.kernel.errors import Redacted, SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import CANARY, all_rows, source_contract

ROWS = [("1", "Ann", "2000"), ("2", "Bo", None)]
FRAME = pl.DataFrame(ROWS, schema=["id", "name", "born"], orient="row")


@pytest.fixture
def store():
    """Give a store that is empty, before and after."""
    filesystem = fsspec.filesystem("memory")
    filesystem.rm("/", recursive=True)
    yield filesystem
    filesystem.rm("/", recursive=True)


def source(location: str = "memory://crm/*", **changes) -> ObjectFiles:
    return ObjectFiles(source_contract(path_pattern=location, **changes))


def as_parquet() -> bytes:
    written = BytesIO()
    FRAME.write_parquet(written)
    return written.getvalue()


def as_excel() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    workbook, written = openpyxl.Workbook(), BytesIO()
    for row in (FRAME.columns, *ROWS):
        workbook.active.append(row)
    workbook.save(written)
    return written.getvalue()


FORMATS = {
    "csv": lambda: FRAME.write_csv().encode(),
    "jsonl": lambda: FRAME.write_ndjson().encode(),
    "parquet": as_parquet,
    "xlsx": as_excel,
}


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_is_read(store, file_format):
    store.pipe("/crm/a", FORMATS[file_format]())
    store.pipe("/crm/b", FORMATS[file_format]())
    stored = source(file_format=file_format)
    assert all_rows(stored) == ROWS * 2
    with stored.reading():
        assert all_rows(stored) == ROWS * 2
    assert [batch.file for batch in stored.batches()] == ["a", "b"]


def test_patterns_reach_into_folders_and_leave_hidden_objects_out(store):
    for name in ("2026/05/b.csv", "2026/04/a.csv", "2026/04/.hidden.csv", "2026/04/a.txt"):
        store.pipe(f"/crm/{name}", b"id,name,born\n")
    assert [file.name for file in source("memory://crm/**/*.csv").files()] == ["2026/04/a.csv", "2026/05/b.csv"]
    assert [file.name for file in source("memory://crm/2026/04/a.csv").files()] == ["a.csv"]


@pytest.mark.parametrize("told", [{}, {"ETag": "x"}])
def test_the_fingerprint_changes_with_names_and_contents_and_prefers_the_digests_of_the_store(store, monkeypatch, told):
    digests = {}

    def glob(pattern, **how):
        found = fsspec.implementations.memory.MemoryFileSystem.glob(store, pattern, **how)
        return {path: {**info, **({"ETag": digests.setdefault(path, "first")} if told else {})} for path, info in found.items()}

    monkeypatch.setattr(store, "glob", glob, raising=False)
    store.pipe("/crm/a", b"id,name,born\n1,a,b\n")
    first = source().fingerprint()
    assert source().fingerprint() == first
    store.pipe("/crm/a", b"id,name,born\n1,a,c\n")
    digests["/crm/a"] = "second"
    second = source().fingerprint()
    store.pipe("/crm/b", b"id,name,born\n")
    assert len({first, second, source().fingerprint()}) == 3


def test_marks_tell_name_time_and_size(store):
    store.pipe("/crm/a", b"id,name,born\n")
    ((name, changed, size),) = source().stat_mark()
    assert (name, size) == ("a", 13)
    assert changed > 1_700_000_000 * 10**9
    assert not source().is_settled(60)
    assert source().is_settled(0)


def _complaint(stored: ObjectFiles) -> str:
    with pytest.raises(SourceUnreadable) as raised:
        all_rows(stored)
    assert CANARY not in str(raised.value)
    return str(raised.value)


def test_what_is_wrong_names_source_and_object(store):
    assert "shop: no object matches memory://crm/*; the path stands in" in _complaint(source())
    store.pipe("/crm/a", f"id,{CANARY}\n".encode())
    assert _complaint(source()) == "shop: a: the header lacks 'name', 'born', which shop.odcs.yaml describes"
    store.pipe("/crm/a", b"")
    assert _complaint(source()) == "shop: a: the file is empty"
    assert _complaint(source("nowhere://crm/*")) == "shop: no library knows URLs of nowhere://"


def test_a_store_whose_library_is_missing_names_the_extra(monkeypatch):
    def missing(protocol, **_):
        raise ImportError(protocol)

    monkeypatch.setattr(object_files.fsspec, "filesystem", missing)
    assert _complaint(source("s3://crm/*")) == "shop: s3:// needs an extra: pip install 'custview-pipeline[s3]'"
    assert "install the library that fsspec reaches it by" in _complaint(source("sftp://crm/*"))


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (PermissionError(CANARY), SourceUnreadable, "cannot be listed .PermissionError"),
        (RuntimeError(CANARY), Redacted, "failed: RuntimeError"),
    ],
)
def test_what_a_store_says_is_not_quoted(store, monkeypatch, fault, kind, message):
    def refuse(*_, **__):
        raise fault

    monkeypatch.setattr(store, "glob", refuse, raising=False)
    with pytest.raises(kind, match=message) as raised:
        all_rows(source())
    assert CANARY not in str(raised.value)


def test_another_service_than_the_usual_one_is_reached_by_its_endpoint(monkeypatch):
    asked = []
    monkeypatch.setattr(object_files.fsspec, "filesystem", lambda protocol, **options: asked.append((protocol, options)))
    with pytest.raises(Redacted):
        all_rows(source("s3://crm/*", endpoint="https://objects.example.org"))
    assert asked == [("s3", {"endpoint_url": "https://objects.example.org"})]
