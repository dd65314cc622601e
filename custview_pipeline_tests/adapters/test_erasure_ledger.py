"""Tests of ``custview_pipeline.adapters.erasure_ledger``."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from custview_pipeline.adapters.erasure_ledger import LEDGER_FILE, ErasureLedger
from custview_pipeline.contracts.erasure import CarriedOut, Erasure
from custview_pipeline.kernel.errors import KeyUnavailable, LedgerDamaged

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def asked(number, *marks):
    return Erasure(erasure_id=f"{number:016x}", requested_at=NOW, who="ada", reason="asked for", record_marks=marks)


def done(number):
    return CarriedOut(erasure_id=f"{number:016x}", carried_out_at=NOW, run_id="run-1", package_version="1")


@pytest.fixture
def ledger(tmp_path):
    return ErasureLedger(tmp_path / "keys")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys" / LEDGER_FILE


def test_a_ledger_that_was_never_written_is_empty(ledger):
    assert ledger.lines() == ledger.entries() == ()
    assert ledger.record_marks().to_list() == []


def test_entries_and_marks_are_kept_in_order(ledger):
    ledger.append(asked(1, 5, -7))
    ledger.append(done(1))
    ledger.append(asked(2, 5, 9))

    assert ledger.lines() == (asked(1, 5, -7), done(1), asked(2, 5, 9))
    assert ledger.entries() == (asked(1, 5, -7), asked(2, 5, 9))
    assert ledger.record_marks().to_list() == [-7, 5, 9]


def test_only_its_owner_can_read_it(ledger, file):
    before = os.umask(0)
    try:
        ledger.append(asked(1))
    finally:
        os.umask(before)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("torn", [b"{", b'{"kind":"erasure","erasure_id":"00', b"\x00" * 4096])
def test_an_entry_that_a_crash_left_unfinished_is_cut_off_by_the_next_one(ledger, file, torn):
    ledger.append(asked(1))
    with file.open("ab") as opened:
        opened.write(torn)

    assert ledger.lines() == (asked(1),)
    ledger.append(asked(2))
    assert ledger.lines() == (asked(1), asked(2))


def test_a_damaged_line_stops_reading_and_writing_and_is_not_quoted(ledger, file):
    ledger.append(asked(1), asked(2))
    damaged = file.read_bytes().replace(b"asked for", b"Wilhelmina\x01", 1)
    file.write_bytes(damaged)

    for act in (ledger.lines, ledger.record_marks, lambda: ledger.append(asked(3)), lambda: ledger.merge([asked(3)])):
        with pytest.raises(LedgerDamaged, match="line 1 is none of a ledger of erasures") as refused:
            act()
        assert "Wilhelmina" not in str(refused.value)
    assert file.read_bytes() == damaged


def test_one_that_others_can_read_is_refused(ledger, file):
    ledger.append(asked(1))
    file.chmod(0o644)

    with pytest.raises(KeyUnavailable, match="others can read it"):
        ledger.lines()


def test_merging_adds_what_is_missing_and_takes_nothing_away(ledger):
    ledger.append(asked(1), done(1), asked(2))

    assert ledger.merge([asked(1), asked(3), asked(3), done(1)]) == 1
    assert ledger.merge([]) == 0
    assert ledger.lines() == (asked(1), done(1), asked(2), asked(3))


def test_entries_written_at_once_are_all_kept(ledger):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ledger.append(asked(number)), range(12)))

    assert {entry.erasure_id for entry in ledger.entries()} == {f"{number:016x}" for number in range(12)}


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_cannot_be_written_whole_leaves_the_ledger_as_it_was(ledger, file, monkeypatch, call):
    ledger.append(asked(1))
    before, original = file.read_bytes(), os.write

    def full(descriptor, *content):
        if content:
            original(descriptor, bytes(content[0])[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(LedgerDamaged, match="cannot be written \\(No space left on device\\); nothing was noted in it"):
        ledger.append(asked(2))
    monkeypatch.undo()

    assert file.read_bytes() == before
    assert ledger.lines() == (asked(1),)
