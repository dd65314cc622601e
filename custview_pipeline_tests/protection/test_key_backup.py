"""Tests of ``custview_pipeline.protection.key_backup`` and ``custview_pipeline.contracts.key_backups``."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import example, given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.key_backups import BackupNote, BackupRegister
from custview_pipeline.kernel.errors import BackupUnusable, ProjectInvalid
from custview_pipeline.protection.key_backup import (
    COST,
    BackupContent,
    Cost,
    check_passphrase,
    open_backup,
    read_label,
    seal_backup,
)
from custview_pipeline.protection.key_changes import first_keys

ROOT = bytes(range(32))
PASSPHRASE = "seven pale owls count rain"
CHEAP = Cost(8, 1, 1)
MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD_BYTES = 57


def note(number=1, made=MADE, **facts):
    return BackupNote(number=number, created_at=made, expires_at=made + timedelta(days=30), **facts)


CONTENT = BackupContent(root_key=ROOT, keyring=first_keys(ROOT), ledger=b"line\n", backups=(note(),))
SEALED = seal_backup(CONTENT, note(), PASSPHRASE, cost=CHEAP)
UNUSABLE = "^cannot be opened: wrong passphrase, or no key backup, or an altered one$"


def opened(blob, passphrase=PASSPHRASE):
    with pytest.raises(BackupUnusable, match=UNUSABLE) as refusal:
        open_backup(blob, passphrase)
    assert refusal.value.__cause__ is None


def test_what_is_sealed_is_opened_again():
    assert open_backup(SEALED, PASSPHRASE) == CONTENT
    without_root = CONTENT.model_copy(update={"root_key": None})
    assert open_backup(seal_backup(without_root, note(), PASSPHRASE, cost=CHEAP), PASSPHRASE) == without_root


def test_the_cost_is_what_the_rfc_recommends_and_more_than_owasp_asks_for(monkeypatch):
    paid = []
    derive = Argon2id.derive
    monkeypatch.setattr(Argon2id, "derive", lambda kdf, secret: paid.append(len(secret)) or derive(kdf, secret))
    assert open_backup(seal_backup(CONTENT, note(), PASSPHRASE), PASSPHRASE) == CONTENT

    assert COST == (64 * 1024, 3, 4)
    assert len(paid) == 2


def test_the_outside_says_number_and_days_and_nothing_of_the_keys():
    assert read_label(SEALED) == (1, MADE, MADE + timedelta(days=30))
    assert not any(secret in SEALED for secret in (ROOT, b"keyring", b"purposes", b"line"))
    assert seal_backup(CONTENT, note(), PASSPHRASE, cost=CHEAP)[HEAD_BYTES:] != SEALED[HEAD_BYTES:]


@pytest.mark.parametrize(
    "passphrase", ["", "seven pale owls count rai", "Seven pale owls count rain", PASSPHRASE + " ", "\ud800"]
)
def test_another_passphrase_opens_nothing(passphrase):
    opened(SEALED, passphrase)


def test_letters_may_be_composed_or_not():
    assert open_backup(
        seal_backup(CONTENT, note(), "se\u0301ve\u0301rite\u0301 acquise", cost=CHEAP), "s\u00e9v\u00e9rit\u00e9 acquise"
    )


@pytest.mark.parametrize("position", [*range(HEAD_BYTES), HEAD_BYTES + 1, 3000, len(SEALED) - 17, len(SEALED) - 1])
def test_one_altered_bit_is_noticed(position):
    altered = bytearray(SEALED)
    altered[position] ^= 1

    opened(bytes(altered))


@pytest.mark.parametrize("length", [0, 1, 4, 5, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 15, len(SEALED) - 1])
def test_a_cut_off_file_is_noticed(length):
    opened(SEALED[:length])


def test_a_longer_file_is_noticed():
    opened(SEALED + b"\0")


@pytest.mark.parametrize("content", [b"{}", b"", b"\xff", b"[]", CONTENT.model_dump_json().encode()[:-1]])
def test_what_was_sealed_and_is_no_backup_is_refused(monkeypatch, content):
    monkeypatch.setattr(BackupContent, "model_dump_json", lambda _: content.decode("latin-1"))
    forged = seal_backup(CONTENT, note(), PASSPHRASE, cost=CHEAP)
    monkeypatch.undo()

    opened(forged)


@pytest.mark.parametrize(
    ("at", "value"),
    [(25, b"\xff\xff\xff\xff"), (29, b"\xff"), (29, b"\0"), (30, b"\0"), (30, b"\xff")],
    ids=["memory", "many passes", "no pass", "no lane", "more lanes than memory"],
)
def test_a_forged_cost_is_not_paid(at, value):
    opened(SEALED[:at] + value + SEALED[at + len(value) :])


@given(st.binary(max_size=200))
@example(b"CVKB\x01" + bytes(200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_backup_or_the_one_clear_error(blob):
    opened(blob)
    with pytest.raises(BackupUnusable):
        read_label(blob[: HEAD_BYTES - 1])


@given(st.integers(0, HEAD_BYTES + 40), st.binary(min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_change_is_the_one_clear_error(at, value):
    changed = SEALED[:at] + value + SEALED[at + len(value) :]
    if changed == SEALED or changed[25:27] != SEALED[25:27] or changed[29] > 4:  # what would cost seconds is tested above
        return

    opened(changed)


@given(st.binary(min_size=HEAD_BYTES, max_size=HEAD_BYTES))
@settings(max_examples=200, deadline=None)
def test_any_label_is_read_or_refused(head):
    with suppress(BackupUnusable):
        assert read_label(b"CVKB\x01" + head[5:]).created_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [
        ("", "too weak"),
        ("short words", "too weak"),
        ("a" * 40, "too weak"),
        ("tab\tin the middle", "cannot be typed"),
        ("half of one \ud800 ", "cannot be typed"),
    ],
)
def test_a_weak_passphrase_is_refused_without_being_quoted(passphrase, reason):
    with pytest.raises(ProjectInvalid, match=reason) as refusal:
        check_passphrase(passphrase)
    with pytest.raises(ProjectInvalid, match=reason):
        seal_backup(CONTENT, note(), passphrase, cost=CHEAP)
    assert not passphrase or passphrase not in str(refusal.value)


def test_the_repr_shows_no_key():
    assert repr(CONTENT) == f"BackupContent(backups=({note()!r},))"


def test_registers_merge_without_forgetting():
    destroyed = note(2, destroyed_at=MADE + timedelta(days=3))
    here, there = BackupRegister(backups=(note(1), note(2))), BackupRegister(backups=(note(1), destroyed, note(3)))

    for register, other in ((here, there), (there, here)):
        assert register.merged(other.backups).backups == (note(1), destroyed, note(3))
    assert here.merged(there.backups).next_number() == 4


def test_two_backups_of_one_number_are_told_apart_by_their_moment():
    later = note(1, MADE + timedelta(days=1))

    assert BackupRegister(backups=(note(1),)).merged([later]).backups == (note(1), later)


@pytest.mark.parametrize("failure", [MemoryError("4 lanes"), ValueError("4 lanes")])
def test_sealing_that_fails_says_nothing_of_a_wrong_passphrase(monkeypatch, failure):
    def fail(*_):
        raise failure

    monkeypatch.setattr(Argon2id, "derive", fail)
    with pytest.raises(BackupUnusable, match=r"^cannot be sealed: 8 KiB of memory") as refusal:
        seal_backup(CONTENT, note(), PASSPHRASE, cost=CHEAP)
    assert refusal.value.__cause__ is None


def test_backups_are_sealed_by_threads_at_once():
    with ThreadPoolExecutor(3) as pool:
        sealed = list(pool.map(lambda number: seal_backup(CONTENT, note(number), PASSPHRASE), (1, 2, 3)))
    assert [read_label(blob).number for blob in sealed] == [1, 2, 3]
