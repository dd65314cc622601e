"""Tests of ``custview_pipeline.adapters.access_log``: what is written, what the check of it finds, what a crash leaves."""

import errno
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custview_pipeline.adapters import access_log
from custview_pipeline.adapters.access_anchor import ANCHOR_FILE
from custview_pipeline.adapters.access_log import LOG_FILE, AccessLog, logged
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.kernel.errors import KeyUnavailable, LakeDamaged
from custview_pipeline.protection.access_chain import Access, Outcome
from custview_pipeline.protection.access_check import Fault
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose


class Shelf:
    """A log, its anchor, and hands on both."""

    def __init__(self, folder, keyring):
        self.lake, self.keys = folder / "lake", folder / "keys"
        self.lake.mkdir(parents=True)
        self.keys.mkdir(exist_ok=True)
        self.log = AccessLog(self.lake, self.keys, keyring)
        self.path, self.anchor = self.lake / LOG_FILE, self.keys / ANCHOR_FILE

    def write(self, count=1, reason="asked by the customer", who="ada"):
        """Append entries that differ in their numbers only."""
        for _ in range(count):
            self.log.append(
                Access(who, "root", ("data_steward",), "customer_request", "show CU1", reason, Outcome.GRANTED, ("email",))
            )

    @property
    def lines(self):
        """Return the lines of the log with their line breaks."""
        return self.path.read_bytes().splitlines(keepends=True)

    @lines.setter
    def lines(self, lines):
        self.path.write_bytes(b"".join(lines))

    @property
    def entries(self):
        """Return the entries of the log."""
        return [json.loads(line) for line in self.lines]

    def broken(self):
        """Return fault, sequence and line of the first break, None where there is none."""
        broken = self.log.verify().broken
        return broken and (broken.fault, broken.sequence, broken.line)


@pytest.fixture
def shelf(tmp_path, lake_keyring):
    return Shelf(tmp_path, lake_keyring)


@pytest.fixture
def rotating(tmp_path):
    """Return a keyring whose log key may be rotated."""
    directory = tmp_path / "rotating"
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def test_an_entry_says_who_what_why_and_when(shelf):
    shelf.write()
    (entry,) = shelf.entries

    assert {name: said for name, said in entry.items() if name not in {"at", "before", "key_version", "mac"}} == {
        "sequence": 1,
        "who": "ada",
        "os_user": "root",
        "roles": ["data_steward"],
        "purpose": "customer_request",
        "what": "show CU1",
        "reason": "asked by the customer",
        "outcome": "granted",
        "fields": ["email"],
        "masked_fields": [],
    }
    assert datetime.fromisoformat(entry["at"]).utcoffset() is not None


def test_the_anchor_knows_the_last_entry_and_nobody_else_can_read_it_the_log_or_its_lock(shelf):
    shelf.write(3)

    assert json.loads(shelf.anchor.read_bytes()) == {"sequence": 3, "mac": shelf.entries[-1]["mac"]}
    files = (shelf.path, shelf.anchor, shelf.path.with_suffix(".lock"))
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600, 0o600, 0o600]


def test_a_whole_log_is_told_in_numbers(shelf):
    shelf.write(2)
    shelf.write(1, who="bob")
    report = shelf.log.verify()

    assert (report.broken, report.gaps, report.entries, report.users) == (None, [], 3, {"ada": 2, "bob": 1})
    assert (report.first_at, report.last_at) == (shelf.entries[0]["at"], shelf.entries[2]["at"])


def test_no_log_and_no_anchor_is_whole(shelf):
    assert shelf.broken() is None
    assert list(logged(shelf.lake)) == []


def edited(line):
    return line.replace(b"by the customer", b"by her husband!")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda e: e[1:], (Fault.REMOVED, 1, 1)),
        (lambda e: [e[0], *e[3:]], (Fault.REMOVED, 2, 2)),
        (lambda e: e[:3], (Fault.TRUNCATED, 4, None)),
        (lambda e: [*e[:3], e[3][:20]], (Fault.TRUNCATED, 4, None)),
        (lambda e: [*e[:4], e[4][:-2]], (Fault.TRUNCATED, 5, None)),
        (lambda _: [], (Fault.TRUNCATED, 1, None)),
        (lambda e: [e[0], e[2], e[1], *e[3:]], (Fault.REORDERED, 2, 2)),
        (lambda e: [e[4], *e[:4]], (Fault.REORDERED, 1, 1)),
        (lambda e: [e[0], *e[2:], e[1]], (Fault.REORDERED, 2, 2)),
        (lambda e: [e[0], e[2], edited(e[1]), *e[3:]], (Fault.REMOVED, 2, 2)),
        (lambda e: [*e[:2], e[1], *e[2:]], (Fault.REPEATED, 3, 3)),
        (lambda e: [*e, e[0]], (Fault.REPEATED, 6, 6)),
        (lambda e: [e[0], edited(e[1]), *e[2:]], (Fault.ALTERED, 2, 2)),
        (lambda e: [e[0], e[1].replace(b'"sequence": 2', b'"sequence": 3'), *e[2:]], (Fault.ALTERED, 2, 2)),
        (lambda e: [e[0], e[1].replace(b"asked", b"\\u0061sked"), *e[2:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], e[1].replace(b'", "', b'",  "', 1), *e[2:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], b'{"who": "eve", ' + e[1][1:], *e[2:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], e[1].replace(b'"key_version": 1', b'"key_version": 7'), *e[2:]], (Fault.FOREIGN_KEY, 2, 2)),
        (lambda e: [e[0], b"\n", *e[1:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], b"[" * 60_000 + b"\n", *e[1:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], b"x" * 200_000 + b"\n", *e[1:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [e[0], b"\xff{}\n", *e[1:]], (Fault.UNREADABLE, 2, 2)),
        (lambda e: [*e[:4], e[4][:-1]], None),  # the last line break alone says nothing
    ],
)
def test_the_first_break_is_named(shelf, change, found):
    shelf.write(5)
    shelf.lines = change(shelf.lines)

    assert shelf.broken() == found


def test_an_entry_of_another_log_does_not_fit_in(shelf, lake_keyring, tmp_path):
    other = Shelf(tmp_path / "other", lake_keyring)
    other.write(3)
    shelf.write(3)
    shelf.lines = [shelf.lines[0], other.lines[1], shelf.lines[2]]

    assert shelf.broken() == (Fault.INSERTED, 2, 2)


def test_a_log_of_another_keyring_is_told(shelf, other_keyring):
    shelf.write()

    assert AccessLog(shelf.lake, shelf.keys, other_keyring).verify().broken.fault is Fault.ALTERED


def test_another_log_in_the_place_of_this_one_does_not_fit_the_anchor(shelf, lake_keyring, tmp_path):
    other = Shelf(tmp_path / "other", lake_keyring)
    other.write(3)
    shelf.write(3)
    shelf.lines = other.lines

    assert shelf.broken() == (Fault.REPLACED, 4, None)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_byte_can_be_changed(shelf, data):
    if not shelf.path.exists():
        shelf.write(3)
    whole = shelf.path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    try:
        shelf.path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
        assert shelf.broken() is not None
    finally:
        shelf.path.write_bytes(whole)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_a_log_that_can_be_checked_and_listed(shelf, written):
    shelf.path.write_bytes(written)

    assert (shelf.broken() is None) == (written == b"")
    assert all(entry is None for entry in logged(shelf.lake))


@pytest.mark.parametrize(
    ("kept", "told"), [(2, "entries 3 to 4 are gone"), (3, "entry 4 is gone"), (0, "entries 1 to 4 are gone")]
)
def test_a_log_that_was_cut_short_goes_on_and_tells_it_for_ever(shelf, kept, told):
    shelf.write(4)
    shelf.lines = shelf.lines[:kept]
    shelf.write(3)
    report = shelf.log.verify()

    assert report.broken is None
    assert report.entries == kept + 3
    assert [(gap.sequence, told in gap.says) for gap in report.gaps] == [(kept + 1, True)]


def test_a_log_cut_in_the_middle_of_its_last_entry_tells_that_the_entry_is_gone(shelf):
    shelf.write(2)
    shelf.lines = [shelf.lines[0], shelf.lines[1][:40]]
    shelf.write()
    report = shelf.log.verify()

    assert [(gap.sequence, gap.says) for gap in report.gaps] == [(2, "entry 2 is gone: cut off before it was written")]
    assert report.torn == 1


def test_a_log_that_was_replaced_tells_it_for_ever(shelf, lake_keyring, tmp_path):
    other = Shelf(tmp_path / "other", lake_keyring)
    other.write(3)
    shelf.write(2)
    shelf.lines = other.lines
    shelf.write(2)
    report = shelf.log.verify()

    assert (report.broken, report.entries) == (None, 5)
    assert [(gap.sequence, "had been replaced" in gap.says) for gap in report.gaps] == [(4, True)]


def test_without_its_anchor_a_log_is_not_trusted_and_its_next_entry_tells_so(shelf):
    shelf.write(2)
    shelf.anchor.unlink()

    assert shelf.broken() == (Fault.UNANCHORED, 3, None)
    shelf.write()
    report = shelf.log.verify()
    assert report.broken is None
    assert [(gap.sequence, "no anchor" in gap.says) for gap in report.gaps] == [(3, True)]


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b"no json", b'{"sequence": "2", "mac": 7}', b"[" * 9_000])
def test_an_anchor_that_cannot_be_understood_is_none(shelf, damaged):
    shelf.write(2)
    shelf.anchor.write_bytes(damaged)

    assert shelf.broken() == (Fault.UNANCHORED, 3, None)


@pytest.mark.parametrize("later", [1, 7])
def test_an_anchor_that_is_older_than_the_log_is_no_gap(shelf, later):
    shelf.write(2)
    older = shelf.anchor.read_bytes()
    shelf.write(later)
    shelf.anchor.write_bytes(older)

    assert shelf.broken() is None
    shelf.write()
    report = shelf.log.verify()
    assert (report.broken, report.gaps, report.entries) == (None, [], 3 + later)


def test_entries_stay_good_when_the_log_key_is_rotated(rotating, tmp_path):
    shelf = Shelf(tmp_path, rotating)
    shelf.write(2)
    rotating.add(Purpose.LOG)
    rotating.promote(Purpose.LOG)
    shelf.write(2)

    assert shelf.broken() is None
    assert [entry["key_version"] for entry in shelf.entries] == [1, 1, 2, 2]


@pytest.mark.parametrize("reason", ["line\nbreak", "separator\u2028here", "next\x85line", "form\x0cfeed", '"quoted"', "客户要求"])
def test_any_reason_leaves_the_log_readable(shelf, reason):
    shelf.write(reason=reason)
    shelf.write()

    assert [entry["reason"] for entry in logged(shelf.lake)] == [reason, "asked by the customer"]
    assert shelf.broken() is None


@pytest.mark.parametrize("torn", [b'{"at": "2026-01-', b"x" * 20_000, b"{}"])
@pytest.mark.parametrize("before", [0, 1])
def test_what_a_crash_left_of_an_entry_is_replaced_by_the_next_one_which_tells_it(shelf, torn, before):
    shelf.write(before)
    with shelf.path.open("ab") as file:
        file.write(torn)
    assert shelf.log.verify().is_unfinished
    shelf.write(2)
    report = shelf.log.verify()

    assert (report.broken, report.gaps, report.entries, report.torn) == (None, [], before + 2, 1)
    assert shelf.entries[before]["torn_before"] == len(torn)


def test_an_entry_that_lacks_only_its_line_break_is_kept(shelf):
    shelf.write(2)
    shelf.path.write_bytes(shelf.path.read_bytes()[:-1])
    shelf.write()
    report = shelf.log.verify()

    assert (report.broken, report.gaps, report.entries, report.torn) == (None, [], 3, 0)


def test_an_entry_is_not_lost_when_a_crash_comes_before_the_anchor(shelf, monkeypatch):
    shelf.write()
    with monkeypatch.context() as crashing:
        crashing.setattr(access_log, "write_anchor", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shelf.write()
    assert shelf.broken() is None
    shelf.write()

    assert (shelf.log.verify().gaps, shelf.log.verify().entries) == ([], 3)


def test_a_disk_that_is_full_leaves_the_log_as_it_was_and_reveals_nothing(shelf, monkeypatch):
    shelf.write(2)
    whole, wrote = shelf.path.read_bytes(), os.pwrite

    def full(descriptor, text, position):
        if wrote(descriptor, text[:30], position):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr(access_log.os, "pwrite", full)
        with pytest.raises(LakeDamaged, match=r"No space left on device.*nothing is revealed"):
            shelf.write()
    assert shelf.path.read_bytes() == whole


@pytest.mark.parametrize("text", ["no json\n", "{}\n", "[]\n", "7\n", "x" * 200_000])
def test_a_log_that_ends_in_what_is_no_entry_reveals_nothing(shelf, text):
    shelf.path.write_text(text)

    with pytest.raises(LakeDamaged, match="nothing is revealed") as refused:
        shelf.write(reason="a reason with Wilhelmina in it")
    assert "Wilhelmina" not in str(refused.value)


def test_a_log_that_cannot_be_written_reveals_nothing(tmp_path, lake_keyring):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(LakeDamaged, match="nothing is revealed"):
        AccessLog(tmp_path / "file", tmp_path, lake_keyring).append(Access("a", "a", (), "", "show", "none", Outcome.DENIED))


def test_an_anchor_that_cannot_be_written_reveals_nothing(shelf):
    shelf.anchor.mkdir()
    with pytest.raises(KeyUnavailable, match=ANCHOR_FILE):
        shelf.write()
    with pytest.raises(KeyUnavailable, match=ANCHOR_FILE):
        shelf.log.verify()


def test_an_anchor_that_others_can_read_reveals_nothing(shelf):
    shelf.write()
    whole = shelf.path.read_bytes()
    shelf.anchor.chmod(0o644)
    with pytest.raises(KeyUnavailable, match=f"{ANCHOR_FILE}: others can read it: .*how far the access log got as known"):
        shelf.write()
    with pytest.raises(KeyUnavailable, match=f"{ANCHOR_FILE}: others can read it: .*how far the access log got as known"):
        shelf.log.verify()
    assert shelf.path.read_bytes() == whole


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_anchor_of_another_user_reveals_nothing(shelf):
    shelf.write()
    os.chown(shelf.anchor, 12345, -1)
    with pytest.raises(KeyUnavailable, match=f"{ANCHOR_FILE}: belongs to another user"):
        shelf.write()


def test_entries_written_at_once_make_one_chain(shelf):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: shelf.write(reason=f"reason {number}"), range(12)))

    assert shelf.log.verify().entries == 12
    assert shelf.broken() is None


def test_a_long_log_is_read_from_its_end_only(shelf, monkeypatch):
    shelf.write(400)
    read = []
    take = os.pread
    monkeypatch.setattr(access_log.os, "pread", lambda *call: read.append(call[1]) or take(*call))
    shelf.write()

    assert sum(read) < 20_000 < shelf.path.stat().st_size


APPENDING = """
import sys
from pathlib import Path
from custview_pipeline.adapters.access_log import AccessLog
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.protection.access_chain import Access, Outcome
from custview_pipeline.protection.keyring import Keyring

lake, keys = map(Path, sys.argv[1:])
log = AccessLog(lake, keys, Keyring.open(FileKeyProvider(keys), KeyDirectory(keys)))
while True:
    log.append(Access("ada", "root", (), "quality", "show CU1", "x" * 400, Outcome.GRANTED))
    print("written", flush=True)
"""


@pytest.mark.faults
@pytest.mark.thorough
def test_processes_killed_while_they_write_leave_a_whole_log_without_a_gap(tmp_path):
    keys = tmp_path / "keys"
    shelf = Shelf(tmp_path, Keyring.open(FileKeyProvider(keys), KeyDirectory(keys)))
    written = 0
    for round_number in range(20):
        command = [sys.executable, "-c", APPENDING, str(shelf.lake), str(shelf.keys)]
        pair = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        for process in pair:
            process.stdout.readline()
        time.sleep(0.01 * round_number)
        for process in pair:
            process.kill()
        written += sum(1 + process.communicate()[0].count(b"\n") for process in pair)
        report = shelf.log.verify()
        assert (report.broken, report.gaps) == (None, [])
    assert shelf.log.verify().entries >= written, "an entry that was told to be written is there"
