"""Tests of ``custview_pipeline.adapters.delta_lake``."""

import contextlib
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from custview_pipeline.adapters import delta_lake, delta_tables, index_segments, lake_commit
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.lake_files import MANIFEST_FILE
from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel.errors import ContractViolation, LakeBusy, LakeError
from custview_pipeline_tests.adapters.small_lakes import (
    GENERATION,
    KEYS,
    ONE,
    TOKENS,
    TWO,
    append,
    files,
    materials,
    record_ids,
)
from custview_pipeline_tests.factories import crosswalk, cuid, golden_records, pointer, protected_records
from custview_pipeline_tests.factories import deliveries as delivery_rows

SECRET = "Wilhelmina"


class Killed(BaseException):
    """A run ends in the middle of its work."""


def append_and_fail(lake, frame=TWO):
    """Write everything a commit can write, and end before it counts."""
    with contextlib.suppress(Killed), lake.writer() as writer, writer.commit("run-2") as commit:
        commit.add_keys(KEYS)
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)
        commit.append(CROSSWALK.name, frame)
        commit.consume("matching", "mark")
        raise Killed


@pytest.mark.parametrize("table", CONTRACTS)
def test_a_lake_that_is_not_there_yet_reads_as_empty_tables(lake, table):
    frame = lake.snapshot().read(table)

    assert frame.schema == CONTRACTS[table].types
    assert frame.is_empty()
    assert lake.snapshot().table_version(table) is None


def test_reading_makes_no_folder(lake, root):
    lake.snapshot().read(CROSSWALK.name)

    assert not root.exists()


def test_what_is_committed_can_be_read(lake):
    append(lake, ONE)
    append(lake, TWO)

    assert lake.snapshot().read(CROSSWALK.name).sort("record_id").equals(pl.concat([ONE, TWO]))
    assert lake.snapshot().read(CROSSWALK.name, ["cuid"]).columns == ["cuid"]
    assert lake.snapshot().manifest.sequence == 2
    assert lake.snapshot().manifest.run_id == "run-1"


@pytest.mark.parametrize(
    ("table", "frame"),
    [
        ("protected_records", protected_records({"record_id": -1}, {"record_id": 2, "payload_sealed": None, "updated_at": None})),
        (GOLDEN_RECORDS.name, golden_records({"cuid": cuid(1), "email": pointer(1), "country": pointer(1, value="CN")})),
        (GOLDEN_RECORDS.name, golden_records()),
        (CUSTOMER_CORE.name, CUSTOMER_CORE.empty()),
        (GOLDEN_LINEAGE.name, GOLDEN_LINEAGE.empty()),
    ],
    ids=["binary and nulls", "structs", "no rows", "lists, no rows", "no rows of lineage"],
)
def test_tables_keep_their_types(lake, table, frame):
    append(lake, frame, table)
    found = lake.snapshot().read(table)

    assert found.schema == CONTRACTS[table].types
    assert found.equals(frame)


def test_a_table_may_be_replaced(lake):
    append(lake, pl.concat([ONE, TWO]))
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.replace(CROSSWALK.name, TWO)

    assert record_ids(lake.snapshot()) == [2]


def test_appending_nothing_makes_no_version(lake):
    append(lake, ONE)
    version = lake.snapshot().table_version(CROSSWALK.name)
    append(lake, ONE.clear())

    assert lake.snapshot().table_version(CROSSWALK.name) == version


def test_one_commit_may_append_to_a_table_twice(lake):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append(CROSSWALK.name, ONE)
        commit.append(CROSSWALK.name, TWO)

    assert record_ids(lake.snapshot()) == [1, 2]


def test_stages_remember_what_they_worked_on(lake):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.consume("matching", "mark")

    assert lake.snapshot().consumed("matching") == "mark"
    assert lake.snapshot().consumed("views") is None


def test_index_segments_add_up_and_an_empty_one_is_none(lake, root):
    for frame in (TOKENS, TOKENS, TOKENS.clear()):
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.add_index(IndexPart.NEIGHBOURHOODS, frame, generation=GENERATION)

    assert lake.snapshot().read_index(IndexPart.NEIGHBOURHOODS).equals(pl.concat([TOKENS, TOKENS]))
    assert lake.snapshot().read_index(IndexPart.CLAIMS).is_empty()
    assert len(files(root, "index")) == 2


def test_a_column_of_the_index_that_came_later_is_null_in_earlier_segments(lake, monkeypatch):
    earlier = pl.Schema({name: kind for name, kind in INDEX_SCHEMAS[IndexPart.NEIGHBOURHOODS].items() if name != "part"})
    with monkeypatch.context() as patch, lake.writer() as writer, writer.commit("run-1") as commit:
        patch.setitem(INDEX_SCHEMAS, IndexPart.NEIGHBOURHOODS, earlier)
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS.select(earlier.names()), generation=GENERATION)

    found = lake.snapshot().read_index(IndexPart.NEIGHBOURHOODS)
    assert found.schema == INDEX_SCHEMAS[IndexPart.NEIGHBOURHOODS]
    assert found["token"].equals(TOKENS["token"])
    assert found["part"].null_count() == found.height


def test_key_segments_open_again(lake):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_keys(KEYS)

    assert materials(lake.snapshot(), (1, 1), (1, 2), (2, 1)) == [bytes(12), None, None]


def test_a_snapshot_stays_as_it_is_whatever_is_committed_meanwhile(lake):
    append(lake, ONE)
    before = lake.snapshot()
    with lake.writer() as writer:
        inside = writer.snapshot()
        with writer.commit("run-2") as commit:
            commit.replace(CROSSWALK.name, TWO)
            assert record_ids(lake.snapshot()) == [1], "a commit counts when it ended"
        assert record_ids(inside) == [1]
        assert record_ids(writer.snapshot()) == [2]

    assert record_ids(before) == [1]


def test_a_failed_commit_leaves_the_last_state_and_the_next_one_works(lake):
    append(lake, ONE)
    append_and_fail(lake)

    assert record_ids(lake.snapshot()) == [1]
    assert lake.snapshot().consumed("matching") is None

    append(lake, crosswalk({"record_id": 3, "cuid": cuid(3)}))

    assert record_ids(lake.snapshot()) == [1, 3]


def test_a_failed_first_commit_leaves_an_empty_lake_and_the_next_one_works(lake):
    append_and_fail(lake)

    assert record_ids(lake.snapshot()) == []

    append(lake, ONE)

    assert record_ids(lake.snapshot()) == [1]
    assert materials(lake.snapshot(), (1, 1)) == [None]


def test_the_next_writer_sweeps_what_no_manifest_names(lake, root):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_keys(KEYS)
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)
    kept = files(root, "keys") | files(root, "index")
    append_and_fail(lake)
    assert files(root, "keys") | files(root, "index") > kept
    (root / f".{MANIFEST_FILE}.12345678").write_text("{")

    with lake.writer():
        pass

    assert files(root, "keys") | files(root, "index") == kept
    assert not list(root.glob(".manifest*"))


def test_a_folder_that_somebody_put_there_is_no_stray_segment(lake, root):
    append(lake, ONE)
    (root / "keys" / "backup").mkdir(parents=True)

    with lake.writer():
        pass

    assert (root / "keys" / "backup").is_dir()


def test_versions_of_a_table_that_no_manifest_names_are_rolled_back(lake, root):
    append(lake, ONE)
    for _ in range(2):
        write_deltalake(str(root / "tables" / CROSSWALK.name), TWO, mode="append")
    assert record_ids(lake.snapshot()) == [1]

    append(lake, crosswalk({"record_id": 3, "cuid": cuid(3)}))

    assert record_ids(lake.snapshot()) == [1, 3]


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (lake_commit, "seal_segment"),
        (index_segments, "write_encrypted"),
        (delta_tables, "write_deltalake"),
        (lake_commit, "write_whole"),
        (delta_lake, "write_whole"),
    ],
    ids=["sealing keys", "index", "table", "keys", "manifest"],
)
def test_whichever_step_fails_the_last_state_stays_and_a_retry_succeeds(lake, monkeypatch, module, step):
    append(lake, ONE)

    def everything():
        with lake.writer() as writer, writer.commit("run-2") as commit:
            commit.add_keys(KEYS)
            commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)
            commit.append(CROSSWALK.name, TWO)

    def be_killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(module, step, be_killed)
        with pytest.raises(Killed):
            everything()
    assert record_ids(lake.snapshot()) == [1]
    assert lake.snapshot().read_index(IndexPart.NEIGHBOURHOODS).is_empty()

    everything()

    assert record_ids(lake.snapshot()) == [1, 2]
    assert lake.snapshot().read_index(IndexPart.NEIGHBOURHOODS).height == 1


def test_keys_are_stored_before_what_they_open_and_the_manifest_last(lake, monkeypatch):
    append(lake, ONE)
    order = []

    def note(module, function, name):
        original = getattr(module, function)
        monkeypatch.setattr(module, function, lambda *args, **named: (order.append(name), original(*args, **named))[1])

    note(lake_commit, "write_whole", "keys")
    note(index_segments, "write_encrypted", "index")
    note(delta_tables, "write_deltalake", "table")
    note(delta_lake, "write_whole", "manifest")
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.add_keys(KEYS)
        commit.append(CROSSWALK.name, TWO)
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)

    assert order == ["keys", "table", "index", "manifest"]


def test_one_process_writes_at_a_time_and_readers_never_wait(lake, root, lake_keyring):
    append(lake, ONE)
    with lake.writer(), pytest.raises(LakeBusy, match="another run"), DeltaLake(root, lake_keyring).writer(wait_seconds=0):
        pass  # pragma: no cover
    with lake.writer():
        assert record_ids(DeltaLake(root, lake_keyring).snapshot()) == [1]


def test_the_lake_is_free_again_after_a_failure(lake):
    append_and_fail(lake)

    with lake.writer(wait_seconds=0):
        pass


def test_a_lake_that_cannot_be_made_is_one_clear_error(tmp_path, lake_keyring):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(LakeError, match="cannot be"), DeltaLake(tmp_path / "file" / "lake", lake_keyring).writer():
        pass  # pragma: no cover


def with_cell(frame, **cells):
    return frame.with_columns(**{name: pl.lit(value) for name, value in cells.items()})


@pytest.mark.parametrize(
    ("table", "frame", "named"),
    [
        (CROSSWALK.name, with_cell(ONE, cuid=SECRET), "cuid: str_matches"),
        (CROSSWALK.name, with_cell(ONE, version=SECRET), "version: wrong_datatype"),
        (CROSSWALK.name, with_cell(ONE, nickname=SECRET), "column_not_in_schema"),
        (CROSSWALK.name, ONE.drop("source_key"), "column_not_in_dataframe"),
        (CROSSWALK.name, ONE.with_columns(source_key=pl.lit(None, pl.String)), "source_key: series_contains_nulls"),
        ("deliveries", delivery_rows({"row_count": -731}), "row_count: greater_than_or_equal_to"),
        ("protected_records", with_cell(protected_records({"record_id": 1}), entity_type=SECRET), "entity_type: isin"),
    ],
    ids=["pattern", "type", "column too many", "column too few", "null", "range", "allowed values"],
)
def test_rows_that_break_their_contract_are_not_stored_and_not_quoted(lake, table, frame, named):
    with pytest.raises(ContractViolation) as refused:
        append(lake, frame, table)

    assert str(refused.value).startswith(f"{table} breaks its contract: ")
    assert named in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "731" not in str(refused.value)
    assert lake.snapshot().read(table).is_empty()


def test_an_index_segment_has_the_columns_of_its_part(lake):
    with pytest.raises(ContractViolation, match="neighbourhoods"), lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS.drop("part"), generation=GENERATION)


def test_no_stored_byte_of_the_index_is_readable(lake, root):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)

    for path in (root / "index").glob("*"):
        assert b"token" not in path.read_bytes()


def test_a_table_left_by_a_killed_first_commit_is_begun_anew(lake, root):
    append_and_fail(lake)
    assert DeltaTable(str(root / "tables" / CROSSWALK.name)).version() == 0

    append(lake, ONE)

    assert lake.snapshot().read(CROSSWALK.name).equals(ONE)


def test_a_clock_that_was_set_back_stops_writers_and_no_reader(lake):
    append(lake, ONE)
    manifest = lake.snapshot().manifest
    lake.replace_manifest(manifest.model_copy(update={"committed_at": datetime.now(UTC) + timedelta(hours=1)}))

    with pytest.raises(LakeError, match="set the clock right"), lake.writer():
        pass  # pragma: no cover
    assert record_ids(lake.snapshot()) == [1]

    lake.replace_manifest(manifest.model_copy(update={"committed_at": datetime.now(UTC) + timedelta(minutes=4)}))
    with lake.writer(wait_seconds=0):
        pass
