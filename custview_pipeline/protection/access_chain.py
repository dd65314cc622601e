"""The entries of the access log, each sealed by HMAC together with the one before it."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

Entry = dict[str, Any]

LONGEST_LINE: Final = 1 << 16  # bytes; an entry has a reason of bounded length and a bounded list of attributes
_FIRST: Final = "0" * 64  # stands for the entry before the first one


class Link(NamedTuple):
    """The place of an entry in the chain: its number, counted from 1, and its seal."""

    sequence: int
    mac: str


START: Final = Link(0, _FIRST)


class Outcome(StrEnum):
    """What became of an attempt to see values."""

    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Access:
    """One attempt to see values.

    Attributes:
        who: Name of the user, as they say themselves.
        os_user: Name of the user whose process it is.
        roles: The roles by which they may; where denied, all that they have.
        purpose: What for, a word of the access policy; empty where denied without one.
        what: What is opened: a customer id, a refused row, an export; never a value.
        reason: Why, in the user's words.
        outcome: Whether they may.
        fields: Attributes shown in full; where denied, those asked for.
        masked_fields: Attributes that were asked for and are shown masked.
    """

    who: str
    os_user: str
    roles: tuple[str, ...]
    purpose: str
    what: str
    reason: str
    outcome: Outcome
    fields: tuple[str, ...] = ()
    masked_fields: tuple[str, ...] = ()


def make_entry(content: Mapping[str, Any], before: Link, key_version: int, key: bytes) -> Entry:
    """Return the entry that follows another one.

    Args:
        content: What it says, JSON values only.
        before: The entry before it; ``START`` for the first.
        key_version: Version of the log key.
        key: The log key.
    """
    entry = {**content, "sequence": before.sequence + 1, "before": before.mac, "key_version": key_version}
    return {**entry, "mac": _mac(entry, key)}


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return the one way in which an entry is written, without the line break."""
    return json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()


def read_entry(line: bytes) -> Entry | None:
    """Return the entry that a line holds; None where it holds none, or not as it is written. Its seal is not looked at."""
    try:
        entry = json.loads(line) if len(line) <= LONGEST_LINE else None
        is_entry = isinstance(entry, dict) and _has_links(entry) and line_of(entry) == line
    except (ValueError, RecursionError):
        return None
    return entry if is_entry else None


def link_of(entry: Entry) -> Link:
    """Return the place of an entry that ``read_entry`` returned."""
    return Link(entry["sequence"], entry["mac"])


def is_sealed(entry: Entry, key: bytes) -> bool:
    """Return whether an entry is as it was written under a key."""
    return hmac.compare_digest(_mac({name: said for name, said in entry.items() if name != "mac"}, key), entry["mac"])


def _has_links(entry: Entry) -> bool:
    kinds = {"sequence": int, "key_version": int, "before": str, "mac": str}
    return all(type(entry.get(name)) is kind for name, kind in kinds.items())


def _mac(entry: Mapping[str, Any], key: bytes) -> str:
    return hmac.digest(key, line_of(entry), "sha256").hex()
