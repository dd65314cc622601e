"""Tests of ``custview_pipeline.adapters.stored_files``: every file that lies there, named by a manifest or not."""

import pytest

from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline_tests.factories import crosswalk, cuid, index_claims


@pytest.fixture
def files(lake, lake_keyring):
    for number in (1, 2):
        with lake.writer() as writer, writer.commit(f"run-{number}") as commit:
            commit.replace("crosswalk", crosswalk({"record_id": number, "cuid": cuid(number)}))
            commit.add_index(IndexPart.CLAIMS, index_claims({"record_id": number}), generation="g;key=1")
    return StoredFiles(lake.root, lake_keyring)


def test_former_versions_of_a_table_are_read_too(lake, files):
    found = [frame["record_id"].to_list() for frame in files.tables("crosswalk", ["record_id"])]

    assert lake.snapshot().read("crosswalk")["record_id"].to_list() == [2]
    assert sorted(found) == [[1], [2]]
    assert list(files.tables("match_edges", ["left_id"])) == []


def test_every_segment_is_read_under_the_columns_asked_for(files):
    assert [frame.to_dict(as_series=False) for frame in files.index("claims", ["record_id"])] == [
        {"record_id": [1]},
        {"record_id": [2]},
    ]
    assert list(files.index("tokens", ["record_id"])) == []


def test_segments_under_other_keys_and_what_is_cut_off_cannot_be_read(lake, files, other_keyring):
    assert list(StoredFiles(lake.root, other_keyring).index("claims", ["record_id"])) == [None, None]
    (lake.root / "tables/crosswalk/torn.parquet").write_bytes(b"PAR1")
    assert [frame is None for frame in files.tables("crosswalk", ["record_id"])].count(True) == 1
    (lake.root / "keys").mkdir()
    (lake.root / "keys" / "empty").touch()
    assert list(files.key_segments()) == [None]


def test_logs_are_read_as_text_and_checkpoints_as_what_they_say(lake, files):
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.purge("crosswalk")
    texts = list(files.logs())
    assert {text is None for text in texts} == {False}
    assert sum("source_key" in text for text in texts) == 1, "of the versions before, the log tells nothing"
    (lake.root / "tables/crosswalk/_delta_log/00000000000000000009.checkpoint.parquet").write_bytes(b"PAR1")
    (lake.root / "tables/crosswalk/_delta_log/00000000000000000009.json").write_bytes(b"\xff\xfe")
    assert [text is None for text in files.logs()].count(True) == 2


def test_files_that_are_none_of_a_lakes_are_counted(lake, files):
    assert files.strangers() == 0
    for name in ("access_log.jsonl", "access_log.lock", "writer.lock"):
        (lake.root / name).touch()
    assert files.strangers() == 0
    for name in (
        "tables/other/rows.parquet",
        "index/notes.txt",
        "tables/crosswalk/notes.txt",
        "copy/crosswalk.parquet",
        "all.csv",
    ):
        (lake.root / name).parent.mkdir(exist_ok=True)
        (lake.root / name).touch()
    assert files.strangers() == 5


def test_a_link_to_a_folder_is_a_stranger_and_not_followed(lake, files, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rows.csv").touch()
    (lake.root / "more").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert files.strangers() == 1


def test_files_that_the_lake_names_are_told_from_those_that_were_left(lake, files):
    (lake.root / "tables/crosswalk/left.parquet").write_bytes(_any(lake.root / "tables/crosswalk", "*.parquet").read_bytes())
    (lake.root / "index/claims-00000009-k1-abcdef01.parquet").write_bytes(b"PAR1")

    def counts(read, *arguments):
        return [len(list(read(*arguments, is_named=is_named))) for is_named in (True, False, None)]

    assert counts(files.tables, "crosswalk", ["record_id"]) == [2, 1, 3]
    assert counts(files.index, "claims", ["record_id"]) == [2, 1, 3]
    with lake.writer() as writer, writer.commit("run-3") as commit:
        commit.purge("crosswalk")
    assert counts(files.tables, "crosswalk", ["record_id"]) == [1, 0, 1], "named by a checkpoint now"


def test_segments_under_a_version_of_the_index_key_that_is_gone_are_closed(lake, files):
    assert files.closed_segments() == 0
    for name in ("claims-00000009-k7-abcdef01.parquet", "claims-of-nobody"):
        (lake.root / "index" / name).write_bytes(b"PARE")
    assert files.closed_segments() == 1


def _any(folder, pattern):
    return next(iter(folder.glob(pattern)))


def test_there_is_a_lake_or_none(files, lake_keyring, tmp_path):
    assert files.exists()
    assert not StoredFiles(tmp_path / "nowhere", lake_keyring).exists()
