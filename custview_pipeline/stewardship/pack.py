"""A steward pack before anybody writes or reads it: its id, what binds its decisions to it, what differs between two records."""

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.decision_file import PackName
from custview_pipeline.kernel.identifiers import CROCKFORD_ALPHABET

EVIDENCE: Final = ("left_id", "right_id", "left_version", "right_version", "pattern", "decision", "rule")
_ID_CHARACTERS: Final = 10
_EVIDENCE_DIGITS: Final = 16  # 64 bits; it is keyed, and compared with one other only
_SAME: Final = "same"
_DIFFERS: Final = "differs"


class Agreement(StrEnum):
    """How an attribute of two records compares."""

    SAME = "same"
    SIMILAR = "similar"
    DIFFERENT = "different"
    ONE_SIDED = "one_sided"  # only one of them has it


class Outcome(NamedTuple):
    """What one comparison of matching said.

    Attributes:
        comparison: Which.
        name: Its outcome (``contracts.comparison_outcomes``).
        meaning: The same in words.
    """

    comparison: str
    name: str
    meaning: str


class FieldPair(NamedTuple):
    """An attribute of two records.

    Attributes:
        attribute: Golden attribute.
        left, right: The values as they may be shown, and whether the other record has the same one.
        agreement: How they compare.
        words: What matching said of them, in words; empty where it was silent.
    """

    attribute: str
    left: tuple[tuple[str, bool], ...]
    right: tuple[tuple[str, bool], ...]
    agreement: Agreement
    words: tuple[str, ...]


def new_pack_id() -> str:
    """Return an id that no spreadsheet takes for a number: ``P`` and 50 random bits in Crockford's base32."""
    return "P" + "".join(secrets.choice(CROCKFORD_ALPHABET) for _ in range(_ID_CHARACTERS))


def evidence_digests(key: bytes, pairs: pl.DataFrame) -> pl.Series:
    """Return a keyed digest of what a steward is shown of each pair.

    It changes with the versions of the records, the levels of the comparisons and what decided; the weight is not part of it: a
    model that is learned anew moves it, and the records stay what they are. It is keyed (HMAC-SHA256), for a pack that hides the
    scores must not let anybody try them out.

    Args:
        key: A key of this use alone.
        pairs: ``EVIDENCE``.
    """
    digests = [
        hmac.digest(key, json.dumps(row, ensure_ascii=True).encode(), "sha256").hex()[:_EVIDENCE_DIGITS]
        for row in pairs.select(EVIDENCE).iter_rows()
    ]
    return pl.Series("evidence", digests, dtype=pl.String)


def seal_of(key: bytes, name: PackName) -> str:
    """Return the seal of a pack: HMAC-SHA256 over its id, its lake, the state of that and its items."""
    return hmac.digest(key, json.dumps(name.model_dump(mode="json"), sort_keys=True).encode(), "sha256").hex()


def is_sealed(key: bytes, name: PackName, seal: str) -> bool:
    """Return whether a pack is as it was made."""
    return hmac.compare_digest(seal_of(key, name), seal)


def compare_field(attribute: str, left: Mapping[str, str], right: Mapping[str, str], outcomes: Sequence[Outcome]) -> FieldPair:
    """Return how an attribute of two records compares.

    What matching said of it goes first; where it was silent, equal values are the same and others differ.

    Args:
        attribute: Golden attribute.
        left: Of one record by readable value the same as it may be shown.
        right: The same of the other record.
        outcomes: What the comparisons that look at this attribute said.
    """
    return FieldPair(
        attribute,
        _marked(left, right),
        _marked(right, left),
        _agreement(left, right, {outcome.name for outcome in outcomes}),
        tuple(outcome.meaning for outcome in outcomes),
    )


def _marked(own: Mapping[str, str], other: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
    return tuple((shown, value in other) for value, shown in own.items())


def _agreement(left: Mapping[str, str], right: Mapping[str, str], said: set[str]) -> Agreement:
    if not left or not right:
        return Agreement.ONE_SIDED
    if not said:
        return Agreement.SAME if left.keys() & right.keys() else Agreement.DIFFERENT
    if said == {_SAME}:
        return Agreement.SAME
    return Agreement.DIFFERENT if all(name.endswith(_DIFFERS) for name in said) else Agreement.SIMILAR
