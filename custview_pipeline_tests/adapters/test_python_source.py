"""Rows that programs of other packages give."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint

import polars as pl
import pyarrow as pa
import pytest

from custview_pipeline.adapters import python_source
from custview_pipeline.adapters.python_source import ENTRY_POINTS, PythonSource
from custview_pipeline.contracts.source_server import RowsOfProgram
from custview_pipeline.kernel.errors import CustviewError, Redacted, SourceUnreadable
from custview_pipeline_tests.adapters.delivered_files import CANARY, all_rows, source_contract

ANN = {"id": 1, "name": "Ann", "born": None, "other": b"not read"}
BO = {"id": 2, "name": "Bo", "born": "2000"}
ROWS = [("1", "Ann", None), ("2", "Bo", "2000")]
given: list[object] = []
asked: list[tuple[str, datetime | None]] = []


def our_rows(contract_id, since):
    """Yield what a test wants; raise it where it is an error."""
    asked.append((contract_id, since))
    for each in given:
        if isinstance(each, Exception):
            raise each
        yield each


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    points = [EntryPoint("our_rows", f"{__name__}:our_rows", ENTRY_POINTS), EntryPoint("broken", "no.such:thing", ENTRY_POINTS)]
    monkeypatch.setattr(python_source, "entry_points", lambda *, group: points if group == ENTRY_POINTS else [])
    given.clear()
    asked.clear()


def program(name="our_rows", since=None, **changes) -> PythonSource:
    origin = RowsOfProgram(name)
    return PythonSource(source_contract(origin=origin, file_format="python", **changes), origin, since=since)


def frame() -> pl.DataFrame:
    return pl.DataFrame([ANN, BO], schema={"id": pl.Int64, "name": pl.String, "born": pl.String, "other": pl.Binary})


KINDS = {
    "mappings": lambda: [ANN, BO],
    "a frame": lambda: [frame()],
    "pages": lambda: [frame().head(1), frame().tail(1)],
    "a record batch": lambda: frame().to_arrow().to_batches(),
    "a mixture": lambda: [ANN, frame().tail(1)],
    "a frame and a mapping": lambda: [frame().head(1), BO],
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_kind_are_read_as_text(kind):
    given.extend(KINDS[kind]())
    assert all_rows(program()) == ROWS


def test_values_are_written_as_an_export_to_csv_would_whatever_they_come_in():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    row = {"id": 1.0, "name": True, "born": moment}
    given.append(row)
    as_mapping = all_rows(program())
    given[:] = [pl.DataFrame([row])]
    assert as_mapping == all_rows(program()) == [("1", "true", "2026-01-02T03:04:05+00:00")]


def test_a_program_is_called_once_for_a_delivery_and_told_since_when():
    given.extend([ANN, BO])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    source = program(since=since, extract="changes")
    with source.reading():
        first, fingerprint = all_rows(source), source.fingerprint()
        given.clear()
        assert all_rows(source) == first
        assert [batch.first_row for batch in source.batches(["name"], rows=1)] == [0, 1]
        assert source.fingerprint() == fingerprint
    assert asked == [("shop", since)]
    assert (source.is_snapshot, program().is_snapshot) == (False, True)
    assert all_rows(source) == []
    assert source.fingerprint() != fingerprint


def test_the_fingerprint_is_of_the_rows_and_not_of_their_order_or_pages_and_tells_how_often_each_is_there():
    pages = {"": [ANN, BO], "other order": [BO, ANN], "pages": [frame().tail(1), frame().head(1)], "twice": [ANN, ANN, BO]}
    found = {}
    for name, rows in pages.items():
        given[:] = rows
        found[name] = program().fingerprint()
    given[:] = [ANN, BO | {"name": "Bob"}]
    assert found["other order"] == found["pages"] == found[""]
    assert len({found[""], found["twice"], program().fingerprint(), "0" * 64}) == 4
    given[:] = [{"id": "1", "name": "a", "born": "bc"}]
    first = program().fingerprint()
    given[:] = [{"id": "1", "name": "ab", "born": "c"}]
    assert program().fingerprint() != first


def test_a_program_that_has_a_fingerprint_is_not_called_for_one(monkeypatch):
    told = iter(["first", "first", "second"])
    monkeypatch.setattr(our_rows, "fingerprint", lambda _: next(told), raising=False)
    given.append(BO)
    source = program()
    first = source.fingerprint()
    assert asked == []
    with source.reading():
        assert source.fingerprint() == source.fingerprint() == first
    assert source.fingerprint() != first
    assert len(asked) == 1


def test_many_small_pages_become_few_pieces():
    given.extend([frame()] * 40)
    with (source := program()).reading():
        assert {batch.file for batch in source.batches()} == {"our_rows, part 1"}


WRONG = [
    ([{"id": 1, "name": "x"}], "the entry point our_rows: no row has 'born', which shop.odcs.yaml describes"),
    ([pl.DataFrame({"id": [1]})], "our_rows, part 1: the header lacks 'name', 'born', which shop.odcs.yaml describes"),
    ([{**ANN, "born": b"x"}], "the entry point our_rows: 'born' holds bytes"),
    ([{**ANN, "born": timedelta(1)}], "the entry point our_rows: 'born' holds durations"),
    ([frame().with_columns(born=pl.lit(b"x"))], "our_rows, part 1: 'born' holds bytes"),
    ([{**ANN, "born": "a\x00b"}], "our_rows, part 1: row 1: 'born' holds a NUL byte"),
    ([pa.table({"id": [1]}), 7], "the entry point our_rows: it gave int; rows are mappings, record batches of Arrow"),
]


@pytest.mark.parametrize(("rows", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_are_no_rows_of_the_contract_is_named(rows, message):
    given.extend(rows)
    with pytest.raises(SourceUnreadable) as raised:
        all_rows(program())
    assert str(raised.value).startswith(f"shop: {message}")


@pytest.mark.parametrize(
    "fault", [ConnectionError(CANARY), ValueError(CANARY), KeyError(CANARY)], ids=lambda fault: type(fault).__name__
)
def test_what_a_program_says_when_it_fails_is_not_quoted(fault):
    given.extend([ANN, fault])
    with pytest.raises(Redacted, match=f"^shop: the entry point our_rows failed: {type(fault).__name__}") as raised:
        all_rows(program())
    assert CANARY not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_program_that_is_not_installed_or_cannot_be_loaded_is_named():
    with pytest.raises(
        SourceUnreadable, match=r"has the entry point our_row in custview_pipeline\.sources; did you mean 'our_rows'"
    ):
        all_rows(program("our_row"))
    with pytest.raises(CustviewError, match="the entry point broken failed: ModuleNotFoundError"):
        all_rows(program("broken"))
