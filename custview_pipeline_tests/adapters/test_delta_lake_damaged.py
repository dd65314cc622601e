"""Tests of ``custview_pipeline.adapters.delta_lake`` on lakes that lack what their manifest names, or lack the manifest."""

import json
import shutil

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.lake_files import MANIFEST_FILE
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.errors import LakeDamaged, WrongKey
from custview_pipeline_tests.adapters.small_lakes import GENERATION, KEYS, ONE, TOKENS, append, files, materials


def test_a_lake_made_under_another_key_is_refused(lake, root, other_keyring):
    append(lake, ONE)

    with pytest.raises(WrongKey, match="CUSTVIEW_KEYS"):
        DeltaLake(root, other_keyring)


def cut_manifest(root):
    text = (root / MANIFEST_FILE).read_text()
    (root / MANIFEST_FILE).write_text(text[: len(text) // 2])


def age_manifest(root):
    manifest = json.loads((root / MANIFEST_FILE).read_text()) | {"format_version": 99}
    (root / MANIFEST_FILE).write_text(json.dumps(manifest))


def garble_manifest(root):
    (root / MANIFEST_FILE).write_bytes(b"\xff\xfe")


def remove_manifest(root):
    (root / MANIFEST_FILE).unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_manifest, "no manifest of a lake"),
        (age_manifest, "format 99"),
        (garble_manifest, "cannot be read"),
        (remove_manifest, "restore it from a backup"),
    ],
    ids=["cut off", "of another version", "not text", "missing"],
)
def test_a_damaged_manifest_stops_readers_and_writers_and_nothing_is_swept(lake, root, lake_keyring, damage, message):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_keys(KEYS)
        commit.append(CROSSWALK.name, ONE)
    kept = files(root, "keys")
    damage(root)

    for use in (lambda: DeltaLake(root, lake_keyring), lake.snapshot, lake.writer().__enter__):
        with pytest.raises(LakeDamaged, match=message):
            use()
    assert files(root, "keys") == kept


def remove_table(root):
    shutil.rmtree(root / "tables" / CROSSWALK.name)


def remove_rows(root):
    for path in (root / "tables" / CROSSWALK.name).glob("*.parquet"):
        path.unlink()


def garble_rows(root):
    for path in (root / "tables" / CROSSWALK.name).glob("*.parquet"):
        path.write_bytes(b"PAR1 no longer")


def remove_log(root):
    shutil.rmtree(root / "tables" / CROSSWALK.name / "_delta_log")


@pytest.mark.parametrize("damage", [remove_table, remove_rows, garble_rows, remove_log])
def test_a_damaged_table_is_named(lake, root, damage):
    append(lake, ONE)
    damage(root)

    with pytest.raises(LakeDamaged, match="table crosswalk cannot be read at version 0"):
        lake.snapshot().read(CROSSWALK.name)


def test_a_missing_segment_of_the_key_table_is_noticed(lake, root):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_keys(KEYS)
    snapshot = lake.snapshot()
    shutil.rmtree(root / "keys")

    with pytest.raises(LakeDamaged, match="key table"):
        materials(snapshot, (1, 1))


def test_a_missing_segment_of_the_index_is_noticed(lake, root):
    with lake.writer() as writer, writer.commit("run-1") as commit:
        commit.add_index(IndexPart.NEIGHBOURHOODS, TOKENS, generation=GENERATION)
    shutil.rmtree(root / "index")

    with pytest.raises(LakeDamaged):
        lake.snapshot().read_index(IndexPart.NEIGHBOURHOODS)
