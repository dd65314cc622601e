"""Tests of ``custview_pipeline.adapters.encrypted_parquet``."""

import shutil

import polars as pl
import pyarrow.parquet as pq
import pytest

from custview_pipeline.adapters.encrypted_parquet import read_encrypted, write_encrypted
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.kernel.errors import CustviewError, LakeDamaged, LakeError, UnsealFailed, WrongKey
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

FRAME = pl.DataFrame(
    {
        "given_token": [7_234_567_890_123_456_789, None, 3],
        "phones_token": [[1, 2], [], None],
        "is_enterprise": [True, False, None],
    },
    schema={"given_token": pl.Int64, "phones_token": pl.List(pl.Int64), "is_enterprise": pl.Boolean},
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("project") / "keys"


@pytest.fixture(scope="module")
def keyring(directory):
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


@pytest.fixture
def path(tmp_path, keyring):
    path = tmp_path / "segment-1.parquet"
    write_encrypted(FRAME, path, keyring)
    return path


def copied(directory, place):
    """Return the keyring of a copy of the key directory."""
    shutil.copytree(directory, place)
    return Keyring.open(FileKeyProvider(place), KeyDirectory(place))


@pytest.mark.parametrize("frame", [FRAME, FRAME.head(0), FRAME.select("given_token")], ids=["rows", "no rows", "one column"])
def test_what_is_written_can_be_read_back(tmp_path, keyring, frame):
    write_encrypted(frame, tmp_path / "a.parquet", keyring)

    assert read_encrypted(tmp_path / "a.parquet", keyring).equals(frame)
    assert read_encrypted(tmp_path / "a.parquet", keyring).schema == frame.schema


def test_columns_can_be_chosen(path, keyring):
    wanted = ["is_enterprise", "given_token"]

    assert read_encrypted(path, keyring, wanted).select(wanted).equals(FRAME.select(wanted))
    with pytest.raises(LakeDamaged, match="lacks a column"):
        read_encrypted(path, keyring, ["family_token"])


def test_neither_names_nor_values_nor_the_place_are_readable(path):
    raw = path.read_bytes()

    assert raw[:4] == raw[-4:] == b"PARE"
    assert not any(name.encode() in raw for name in FRAME.columns)
    assert (7_234_567_890_123_456_789).to_bytes(8, "little") not in raw
    assert path.name.encode() not in raw
    with pytest.raises(OSError, match="encrypted"):
        pq.ParquetFile(path)


def test_the_same_frame_is_written_differently_each_time(path, keyring):
    before = path.read_bytes()
    write_encrypted(FRAME, path, keyring)

    assert path.read_bytes()[:200] != before[:200]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_another_keyring_does_not_open_it(path, tmp_path):
    other = Keyring.open(FileKeyProvider(tmp_path / "other"), KeyDirectory(tmp_path / "other"))

    with pytest.raises(UnsealFailed, match="segment-1"):
        read_encrypted(path, other)


def test_old_and_new_files_are_readable_while_the_index_key_rotates(path, directory, tmp_path):
    newer = path.with_name("segment-2.parquet")
    rotated = copied(directory, tmp_path / "rotated")
    rotated.add(Purpose.INDEX)
    rotated.promote(Purpose.INDEX)
    write_encrypted(FRAME, newer, rotated)
    read_meanwhile = read_encrypted(path, rotated)
    rotated.retire(Purpose.INDEX, 1)

    assert read_meanwhile.equals(FRAME)
    assert read_encrypted(newer, rotated).equals(FRAME)
    with pytest.raises(WrongKey, match="no version 1 of the index key"):
        read_encrypted(path, rotated)


def test_a_file_under_another_name_is_refused(path, keyring):
    with pytest.raises(UnsealFailed, match="another place"):
        read_encrypted(path.rename(path.with_name("segment-2.parquet")), keyring)


def test_a_readable_file_in_its_place_is_refused(path, keyring):
    FRAME.write_parquet(path)

    with pytest.raises(LakeDamaged, match="not encrypted"):
        read_encrypted(path, keyring)


def test_a_missing_file_is_damage(path, keyring):
    path.unlink()

    with pytest.raises(LakeDamaged, match="No such file"):
        read_encrypted(path, keyring)


def test_a_truncated_file_is_damage(path, keyring):
    raw = path.read_bytes()
    for length in range(0, len(raw), 37):
        path.write_bytes(raw[:length])
        with pytest.raises(LakeDamaged) as damage:
            read_encrypted(path, keyring)
        assert damage.value.__cause__ is None


def test_changed_bytes_never_give_another_frame(path, keyring):
    raw = path.read_bytes()
    for place in range(0, len(raw), 11):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x80]) + raw[place + 1 :])
        try:
            assert read_encrypted(path, keyring).equals(FRAME)  # some bytes of the key's description say nothing
        except CustviewError as refusal:
            assert isinstance(refusal, LakeDamaged | UnsealFailed | WrongKey)  # noqa: PT017 - either outcome is right


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path, keyring):
    with pytest.raises(LakeError, match="cannot be written"):
        write_encrypted(FRAME, tmp_path / "missing" / "a.parquet", keyring)

    assert not list(tmp_path.iterdir())
