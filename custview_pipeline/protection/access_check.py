"""The check of an access log: whether every entry is as it was written, in its place, and none is missing."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from custview_pipeline.protection.access_chain import START, Entry, Link, is_sealed, link_of, read_entry


class Fault(StrEnum):
    """What is wrong with a log."""

    UNREADABLE = "unreadable"
    ALTERED = "altered"
    FOREIGN_KEY = "foreign key"
    REMOVED = "removed"
    REORDERED = "reordered"
    REPEATED = "repeated"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    REPLACED = "replaced"
    UNANCHORED = "no anchor"


class Broken(NamedTuple):
    """The first place at which a log is not whole.

    Attributes:
        fault: What is wrong.
        sequence: Number of the entry that should stand there.
        line: Line of the log, counted from 1; None where it is about what is missing after the last one.
        says: The same in words.
    """

    fault: Fault
    sequence: int
    line: int | None
    says: str


class Gap(NamedTuple):
    """A place at which a later entry says that the log did not fit its anchor when that entry was written.

    Attributes:
        sequence: Number of that entry.
        says: What was missing, in words.
    """

    sequence: int
    says: str


@dataclass(slots=True)
class ChainReport:
    """What the check of a log found; it counts what stands before the first break.

    Attributes:
        entries: Entries that are as they were written.
        users: How many of them, by the name of the user.
        first_at: When the first one was written, ISO 8601.
        last_at: When the last one was.
        gaps: What its entries say was missing when they were written.
        torn: Entries before which a crash had left an unfinished one, which was removed.
        is_unfinished: Whether it ends in the middle of a line.
        broken: The first break; None where there is none.
    """

    entries: int = 0
    users: Counter[str] = field(default_factory=Counter)
    first_at: str = ""
    last_at: str = ""
    gaps: list[Gap] = field(default_factory=list)
    torn: int = 0
    is_unfinished: bool = False
    broken: Broken | None = None


def check_chain(lines: Iterable[tuple[bytes, bool]], key_of: Callable[[int], bytes | None], anchor: Link | None) -> ChainReport:
    """Return whether every entry of a log is as it was written, in its place, and none is missing.

    Memory is bounded, however long the log.

    Args:
        lines: The lines, without their line breaks, and whether each ends in one.
        key_of: Gives a version of the log key; None where there is no such version.
        anchor: The last entry, as it is known outside of the lake.
    """
    check = _Check(key_of, anchor)
    for number, (line, is_finished) in enumerate(lines, 1):
        check.read(number, line, is_finished=is_finished)
    return check.result()


class _Check:
    """The walk over a log, one line at a time."""

    def __init__(self, key_of: Callable[[int], bytes | None], anchor: Link | None) -> None:
        self._key_of, self._anchor = key_of, anchor
        self._before = START
        self._is_anchored = anchor is None
        self._report = ChainReport()

    def read(self, number: int, line: bytes, *, is_finished: bool) -> None:
        entry = read_entry(line)
        if self._report.broken is not None:
            self._look_for_the_missing(entry)
        elif entry is None:
            self._read_no_entry(number, is_finished=is_finished)
        elif (fault := self._seal_fault(entry) or self._place_fault(entry)) is not None:
            self._break(fault[0], number, fault[1])
        else:
            self._take(entry)

    def result(self) -> ChainReport:
        """Return what was found, once the anchor was asked how the log ends."""
        if self._report.broken is None:
            self._ask_anchor()
        return self._report

    def _break(self, fault: Fault, line: int | None, says: str) -> None:
        self._report.broken = Broken(fault, self._before.sequence + 1, line, says)

    def _read_no_entry(self, number: int, *, is_finished: bool) -> None:
        if is_finished:
            self._break(Fault.UNREADABLE, number, "this line is no entry")
        else:
            self._report.is_unfinished = True  # the anchor knows whether more than a crash did that

    def _seal_fault(self, entry: Entry) -> tuple[Fault, str] | None:
        key = self._key_of(entry["key_version"])
        if key is None:
            return Fault.FOREIGN_KEY, f"sealed under version {entry['key_version']} of the log key, which is not in the keyring"
        if not is_sealed(entry, key):
            return Fault.ALTERED, "what it says does not fit its seal: it was altered, or sealed under another key"
        return None

    def _place_fault(self, entry: Entry) -> tuple[Fault, str] | None:
        expected, sequence = self._before.sequence + 1, entry["sequence"]
        if sequence > expected:
            return Fault.REMOVED, f"{_entries(expected, sequence - 1)} missing: entry {sequence} stands here"
        if sequence < expected:
            return Fault.REPEATED, f"entry {sequence} stands here, where it does not belong"
        if entry["before"] != self._before.mac:
            return Fault.INSERTED, "this entry follows another one than stands before it: it is of another log"
        return None

    def _look_for_the_missing(self, entry: Entry | None) -> None:
        """Tell entries that were moved from entries that were removed."""
        broken = self._report.broken
        if broken is None or broken.fault is not Fault.REMOVED or entry is None:
            return
        is_it = (entry["sequence"], entry["before"]) == (broken.sequence, self._before.mac)
        if is_it and self._seal_fault(entry) is None:
            says = f"entry {broken.sequence} stands further down"
            self._report.broken = broken._replace(fault=Fault.REORDERED, says=says)

    def _take(self, entry: Entry) -> None:
        report, link = self._report, link_of(entry)
        if "anchor_before" in entry:
            report.gaps.append(Gap(link.sequence, _gap(entry["anchor_before"], self._before.sequence)))
        report.entries += 1
        report.users[str(entry.get("who"))] += 1
        report.last_at = str(entry.get("at"))
        report.first_at = report.first_at or report.last_at
        report.torn += "torn_before" in entry
        self._is_anchored = self._is_anchored or link == self._anchor
        self._before = link

    def _ask_anchor(self) -> None:
        last = self._before.sequence
        if self._anchor is None:
            if last or self._report.is_unfinished:
                self._break(Fault.UNANCHORED, None, "whether later entries were cut off cannot be told")
        elif self._anchor.sequence > last:
            self._break(Fault.TRUNCATED, None, f"{_entries(last + 1, self._anchor.sequence)} cut off")
        elif not self._is_anchored:
            self._break(Fault.REPLACED, None, f"entry {self._anchor.sequence} is not the one that the anchor knows")


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _gap(anchor: Any, last: int) -> str:
    """Return what an entry says of the anchor that it found, in words.

    Args:
        anchor: Number and seal that the anchor held; None where there was none.
        last: Number of the entry before.
    """
    known = anchor[0] if isinstance(anchor, list) and anchor else None
    if not isinstance(known, int):
        return "there was no anchor: whether entries had been cut off cannot be told"
    if known > last:
        return f"{_entries(last + 1, known)} gone: cut off before it was written"
    return f"entry {known} was not the one that the anchor knew: the log had been replaced"
