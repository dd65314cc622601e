"""Tests of ``custview_pipeline.adapters.lake_commit``: forgotten keys, removed rows, purged versions, index generations."""

import shutil

import polars as pl
import pytest

from custview_pipeline.adapters import delta_lake
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.adapters.small_lakes import (
    GENERATION,
    ONE,
    TOKENS,
    TWO,
    append,
    entries,
    files,
    materials,
    record_ids,
)
from custview_pipeline_tests.factories import crosswalk, cuid

OTHER = "rules;key=2"
PART = IndexPart.NEIGHBOURHOODS
MORE_TOKENS = pl.DataFrame([(21, 22, 1), (31, 32, 0)], schema=NEIGHBOURHOODS, orient="row")


class Killed(Exception):
    """A run ends in the middle of its work."""


@pytest.fixture
def lake_keyring(tmp_path):
    """Return a keyring of the test's own: these tests change it."""
    return Keyring.open(FileKeyProvider(tmp_path / "keys"), KeyDirectory(tmp_path / "keys"))


def commit_keys(lake, *records):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_keys(entries(*records))


def forget(lake, *records):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.forget_keys(entries(*records).drop("material"))


def forget_and_be_killed(lake, *records):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.forget_keys(entries(*records).drop("material"))
        raise Killed


def remove_and_purge(lake, record_id):
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.remove(CROSSWALK.name, "record_id", pl.Series([record_id]))
        commit.purge(CROSSWALK.name)


def append_and_be_killed(lake, frame):
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.append(CROSSWALK.name, frame)
        raise Killed


def commit_index(lake, frame, generation=GENERATION):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_index(PART, frame, generation=generation)


# Of one shard: 1, 257 and 513; of another: 2.


def test_forgotten_material_is_gone_and_all_other_stays(lake):
    commit_keys(lake, (1, 1), (1, 2), (257, 1))
    commit_keys(lake, (513, 1), (2, 1))
    forget(lake, (1, 1), (257, 1))

    assert materials(lake.snapshot(), (1, 1), (257, 1)) == [None, None]
    kept = [(1, 2), (513, 1), (2, 1)]
    assert materials(lake.snapshot(), *kept) == entries(*kept)["material"].to_list()


def test_no_copy_of_the_lake_opens_forgotten_material_with_the_keys_of_now(lake, root, lake_keyring, tmp_path):
    commit_keys(lake, (1, 1), (257, 1), (2, 1))
    shutil.copytree(root, tmp_path / "copy")
    forget(lake, (1, 1))

    copied = DeltaLake(tmp_path / "copy", lake_keyring).snapshot()
    assert materials(copied, (1, 1), (257, 1)) == [None, None], "its shard has no key any more"
    assert materials(copied, (2, 1)) == entries((2, 1))["material"].to_list()


def test_keys_are_destroyed_only_after_the_commit_counts(lake, lake_keyring, monkeypatch):
    commit_keys(lake, (1, 1))
    destroyed = []
    original = lake_keyring.destroy_shards
    monkeypatch.setattr(
        type(lake_keyring), "destroy_shards", lambda _, floors: (destroyed.append(dict(floors)), original(floors))
    )
    with pytest.raises(Killed):
        forget_and_be_killed(lake, (1, 1))

    assert all(floors == {} for floors in destroyed)
    assert materials(lake.snapshot(), (1, 1)) == entries((1, 1))["material"].to_list()


def test_what_a_killed_commit_left_to_destroy_the_next_writer_destroys(lake, lake_keyring, monkeypatch):
    commit_keys(lake, (1, 1), (257, 1))
    with monkeypatch.context() as patched:
        patched.setattr(delta_lake.DeltaLake, "finish", lambda _: None)
        with lake.writer() as writer, writer.commit("run-2") as commit:
            commit.forget_keys(entries((1, 1)).drop("material"))
    generations = lake_keyring.shard_keys().generations
    assert materials(lake.snapshot(), (1, 1)) == [None], "the manifest is enough"
    assert len(generations[1]) == 2

    with lake.writer():
        pass

    assert len(lake_keyring.shard_keys().generations[1]) == 1
    assert materials(lake.snapshot(), (1, 1), (257, 1)) == [None, *entries((257, 1))["material"]]


def test_material_added_in_the_commit_that_forgets_is_kept(lake):
    commit_keys(lake, (1, 1))
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.add_keys(entries((257, 1)))
        commit.forget_keys(entries((1, 1)).drop("material"))
        commit.add_keys(entries((513, 1)))

    assert materials(lake.snapshot(), (1, 1), (257, 1), (513, 1)) == [None, *entries((257, 1), (513, 1))["material"]]


def test_forgetting_what_is_not_there_changes_nothing(lake):
    commit_keys(lake, (1, 1))
    forget(lake, (3, 1), (1, 9))
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.forget_keys(entries().drop("material"))

    assert materials(lake.snapshot(), (1, 1), (3, 1)) == [*entries((1, 1))["material"], None]


def test_the_key_table_can_be_sealed_anew_as_one_segment(lake, root, lake_keyring):
    records = [(number, 1) for number in range(600)]
    commit_keys(lake, *records[:300])
    commit_keys(lake, *records[300:])
    before = [lake_keyring.shard_keys().newest(shard)[0] for shard in range(256)]
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.reseal_keys()

    assert len(files(root, "keys")) == 1
    assert materials(lake.snapshot(), *records) == entries(*records)["material"].to_list()
    assert [lake_keyring.shard_keys().newest(shard)[0] for shard in range(256)] == [generation + 1 for generation in before]


def test_rows_are_removed_by_value(lake):
    three = crosswalk({"record_id": 3, "cuid": cuid(3)})
    append(lake, pl.concat([ONE, TWO]))
    append(lake, three)
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.remove(CROSSWALK.name, "record_id", pl.Series([2, 2, 9, None], dtype=pl.Int64))
        commit.remove("golden_records", "cuid", pl.Series([cuid(1)]))

    assert lake.snapshot().read(CROSSWALK.name).sort("record_id").equals(pl.concat([ONE, three]))

    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.remove(CROSSWALK.name, "cuid", pl.Series([cuid(3)]))

    assert record_ids(lake.snapshot()) == [1]


def test_a_purged_table_keeps_nothing_of_its_former_versions(lake, root):
    append(lake, pl.concat([ONE, TWO]))
    append(lake, crosswalk({"record_id": 3, "cuid": cuid(3)}))
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.remove(CROSSWALK.name, "cuid", pl.Series([cuid(2)]))
        commit.purge(CROSSWALK.name, "golden_records")

    folder = root / "tables" / CROSSWALK.name
    stored = pl.concat([pl.read_parquet(path) for path in folder.glob("*.parquet")])
    assert sorted(stored["record_id"]) == record_ids(lake.snapshot()) == [1, 3]
    told = b"".join(path.read_bytes() for path in (folder / "_delta_log").iterdir())
    assert cuid(2).encode() not in told
    assert lake.snapshot().manifest.unpurged == ()

    append(lake, TWO)
    assert record_ids(lake.snapshot()) == [1, 2, 3]


def test_what_a_killed_commit_left_to_purge_the_next_writer_purges(lake, root, monkeypatch):
    append(lake, pl.concat([ONE, TWO]))
    with monkeypatch.context() as patched:
        patched.setattr(delta_lake, "purge_table", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            remove_and_purge(lake, 2)
    assert record_ids(lake.snapshot()) == [1], "the commit counts"
    assert lake.snapshot().manifest.unpurged == (CROSSWALK.name,)

    with lake.writer():
        pass

    assert [pl.read_parquet(path)["record_id"].to_list() for path in (root / "tables/crosswalk").glob("*.parquet")] == [[1]]
    assert lake.snapshot().manifest.unpurged == ()


def test_a_failed_commit_after_a_purge_is_rolled_back(lake):
    append(lake, pl.concat([ONE, TWO]))
    remove_and_purge(lake, 2)
    with pytest.raises(Killed):
        append_and_be_killed(lake, TWO)

    append(lake, crosswalk({"record_id": 3, "cuid": cuid(3)}))

    assert record_ids(lake.snapshot()) == [1, 3]


def test_no_log_of_a_table_has_statistics_of_its_values(lake, root):
    append(lake, ONE)
    logs = [path.read_text() for path in (root / "tables/crosswalk/_delta_log").glob("*.json")]

    assert logs
    assert not any(cuid(1) in log or ONE["source_key"][0] in log for log in logs)


def test_two_generations_of_the_index_stand_beside_each_other_until_the_switch(lake, root):
    commit_index(lake, TOKENS)
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.begin_index(OTHER)
        commit.add_index(PART, MORE_TOKENS, generation=OTHER)
    assert lake.snapshot().index_generations() == (GENERATION, OTHER)
    assert lake.snapshot().read_index(PART).equals(TOKENS)
    assert lake.snapshot().read_index(PART, generation=OTHER).equals(MORE_TOKENS)

    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.switch_index()

    assert lake.snapshot().index_generations() == (OTHER, None)
    assert lake.snapshot().read_index(PART).equals(MORE_TOKENS)
    assert lake.snapshot().read_index(PART, generation=GENERATION).is_empty()
    assert len(files(root, "index")) == 1


def test_a_generation_that_is_given_up_leaves_nothing(lake, root):
    commit_index(lake, TOKENS)
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.begin_index(OTHER)
        commit.add_index(PART, MORE_TOKENS, generation=OTHER)
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.drop_next_index()

    assert lake.snapshot().index_generations() == (GENERATION, None)
    assert len(files(root, "index")) == 1


def test_rows_of_a_generation_that_was_not_begun_are_refused(lake):
    commit_index(lake, TOKENS)
    with pytest.raises(LakeDamaged, match="generation"):
        commit_index(lake, TOKENS, OTHER)
    with pytest.raises(LakeDamaged, match="no other generation"), lake.writer() as writer, writer.commit("run-2") as commit:
        commit.switch_index()


def test_rows_of_the_index_are_left_out_in_every_generation_and_other_segments_stay(lake, root):
    commit_index(lake, TOKENS)
    untouched = files(root, "index")
    commit_index(lake, MORE_TOKENS)
    with lake.writer() as writer, writer.commit("run-2") as commit:
        commit.begin_index(OTHER)
        commit.add_index(PART, MORE_TOKENS.head(1), generation=OTHER)
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.rewrite_index(PART, lambda rows: rows.filter(pl.col("token") != 21))
        commit.rewrite_index(IndexPart.CLAIMS, lambda rows: rows.clear())

    assert lake.snapshot().read_index(PART)["token"].to_list() == [11, 31]
    assert lake.snapshot().read_index(PART, generation=OTHER).is_empty()
    assert files(root, "index") > untouched
    assert len(files(root, "index")) == 2


def test_segments_under_a_former_key_are_written_anew_a_few_at_a_time(lake, lake_keyring):
    for _ in range(3):
        commit_index(lake, TOKENS)
    lake_keyring.add(Purpose.INDEX)
    lake_keyring.promote(Purpose.INDEX)
    commit_index(lake, TOKENS)
    assert lake.snapshot().index_key_versions() == {1, 2}
    left = []
    for _ in range(3):
        with lake.writer() as writer, writer.commit("run-2") as commit:
            left.append(commit.reencrypt_index(2))

    assert left == [1, 0, 0]
    assert lake.snapshot().index_key_versions() == {2}
    assert lake.snapshot().read_index(PART).equals(pl.concat([TOKENS] * 4))


def test_erasures_that_were_carried_out_are_named_once(lake):
    for _ in range(2):
        with lake.writer() as writer, writer.commit("run-1") as commit:
            commit.carry_out("0123456789abcdef")

    assert lake.snapshot().erasures() == ("0123456789abcdef",)


def test_what_a_snapshot_opens_stays_open_whatever_is_forgotten_meanwhile(lake):
    commit_keys(lake, (1, 1), (257, 1))
    before = lake.snapshot()
    forget(lake, (257, 1))

    assert materials(before, (1, 1)) == entries((1, 1))["material"].to_list()
