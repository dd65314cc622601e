"""Why a customer changed between two moments: the decision, delivery, merge, split or rule that did it, told from stored rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.contracts.stewardship_tables import OVERRIDE, PIN, REVIEW_DECISIONS
from custview_pipeline.kernel.ports import Snapshot

Row = dict[str, Any]
_PARTINGS: Final = ("split_from", "reactivated")
_BY_DECISION: Final = ("pinned", "overridden")
_OF_RECORD: Final = ["record_id", "version", "delivery_id", "is_deleted", "valid_from_at"]
_OF_GOLDEN: Final = ["cuid", "version", "is_active", "rulebook_version", "run_id", "valid_from_at"]
_OF_LINEAGE: Final = ["version", "attribute", "record_id", "record_version", "slot"]


class CauseKind(StrEnum):
    """What changed a customer."""

    DECISION = "decision"  # a steward's, or that it was withdrawn
    MERGE = "merge"
    SPLIT = "split"
    DELIVERY = "delivery"
    DELETION = "deletion"  # by a delivery that holds the record no more
    RULES = "rules"  # another rulebook
    ELECTION = "election"  # other candidates came, went or changed


class Cause(NamedTuple):
    """What changed a value, or brought or took a record.

    Attributes:
        kind: What it was.
        name: Its id: of the decision, the delivery, the other customer, or the version of the rulebook; empty of an election.
        happened_at: When it took effect, UTC.
        run_id: The run that brought it about; empty where it is not told.
    """

    kind: CauseKind
    name: str
    happened_at: datetime
    run_id: str = ""


class RecordVersion(NamedTuple):
    """A version of a source record."""

    record_id: int
    version: int


class Place(NamedTuple):
    """Where a value comes from, and why it won.

    Attributes:
        record_id, record_version, slot: The record, and which of its values.
        reason: Why it won.
        open_value: What is stored readable; None of a sealed value.
        parts: Of a sum the versions of the records that it is made of.
    """

    record_id: int
    record_version: int
    slot: int
    reason: str
    open_value: str | None = None
    parts: frozenset[RecordVersion] = frozenset()

    @property
    def made_of(self) -> frozenset[RecordVersion]:
        """Return the versions of the records that say the value."""
        return self.parts or frozenset([RecordVersion(self.record_id, self.record_version)])


class Span(NamedTuple):
    """The time between two moments, UTC; what happened at the first does not belong to it, what happened at the last does."""

    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment belongs to it."""
        return self.begin < moment <= self.end


@dataclass(frozen=True)
class Causes:
    """Everything stored that may have changed a customer between two moments.

    Attributes:
        span: Between which.
        former: Who the customer was at the beginning.
        cuid: Who it is at the end.
        crosswalk, records: All versions of the rows of the records that were part of it at either moment, by version.
        golden: The versions of its golden record up to the end, pointers too, by version.
        history: What happened to these customers, and to those merged into them, by time.
        decisions: Pins and overrides of these records.
        kept: What each version of its golden record keeps: attribute, record_id, record_version, slot.
    """

    span: Span
    former: str
    cuid: str
    crosswalk: Sequence[Row]
    records: Sequence[Row]
    golden: Sequence[Row]
    history: Sequence[Row]
    decisions: Sequence[Row]
    kept: Mapping[int, Collection[tuple[str, int, int, int]]] = field(default_factory=dict)

    def of_value(self, attribute: str, before: Place | None, after: Place | None) -> Cause:
        """Return why the value of an attribute is another one at the end, or comes from elsewhere."""
        since = self._since(lambda row: _is_at(row.get(attribute), after))
        decided = self._decided(attribute, before, after, since)
        if decided and self.span.holds(decided.happened_at):
            return decided
        return (
            self._by_records(before, after)
            or (decided and decided._replace(happened_at=since["valid_from_at"]))  # before the span, and took effect in it
            or self._by_rules(since)
            or _by_election(since)
        )

    def of_kept(self, attribute: str, before: Place | None, after: Place | None) -> Cause:
        """Return why a value is kept beside the winner at the end and was not before (None), or the other way round."""
        place = after or before
        known = place and (attribute, *place[:3])
        since = self._since(lambda row: (known in self.kept.get(row["version"], ())) == (after is not None))
        return self._by_records(before, after) or self._by_rules(since) or _by_election(since)

    def of_joining(self, record_id: int) -> Cause | None:
        """Return why a record is part of the customer at the end that was not before."""
        return self._joined(record_id)

    def of_leaving(self, record_id: int) -> Cause | None:
        """Return why a record is no part of the customer at the end that was before."""
        return self._gone(record_id)

    def of_record(self, record_id: int, version: int) -> Cause | None:
        """Return which delivery brought a version of a record, where it came between the moments."""
        return next(iter(self._deliveries(record_id, version)), None)

    def _since(self, is_so: Callable[[Row], bool]) -> Row:
        """Return the version of the golden record between the moments from which on something was as it is at the end."""
        since: Row = {"version": 0, "valid_from_at": self.span.end, "run_id": "", "rulebook_version": ""}
        for row in reversed(self.golden):
            if not self.span.holds(row["valid_from_at"]) or not is_so(row):
                break
            since = row
        return since

    def _by_records(self, before: Place | None, after: Place | None) -> Cause | None:
        """Return why the records that say a value came, or those that said it went; of a sum what happened last."""
        said, says = (place.made_of if place else frozenset() for place in (before, after))
        came = [self._joined(each.record_id) or self.of_record(*each) for each in sorted(says - said)]
        gone = [self._gone(each.record_id) or self._changed(each) for each in sorted(said - says)]
        found = [cause for cause in (*came, *gone) if cause is not None]
        is_sum = any(place and place.parts for place in (before, after))
        return max(found, key=lambda cause: cause.happened_at) if is_sum and found else next(iter(found), None)

    def _decided(self, attribute: str, before: Place | None, after: Place | None, since: Row) -> Cause | None:
        told = [row for row in self.decisions if row["attribute"] == attribute]
        if after is not None and after.reason in _BY_DECISION:
            made = [row for row in told if row["record_id"] == after.record_id and row["decided_at"] <= since["valid_from_at"]]
            return _decision(made, "decided_at", since)
        if before is not None and before.reason in _BY_DECISION:
            taken_back = [row for row in told if row["withdrawn_at"] and self.span.holds(row["withdrawn_at"])]
            return _decision([row for row in taken_back if row["record_id"] == before.record_id], "withdrawn_at", since)
        return None

    def _joined(self, record_id: int) -> Cause | None:
        rows = [row for row in self.crosswalk if row["record_id"] == record_id]
        came = [row for row in rows if row["cuid"] == self.cuid and self.span.holds(row["valid_from_at"])]
        if not came:
            return self._merged_whole(rows)
        last = came[-1]
        earlier = [row["cuid"] for row in rows if row["version"] < last["version"] and row["cuid"] not in (None, self.cuid)]
        if earlier:
            kind = CauseKind.MERGE if self._is_merged(earlier[-1], last["run_id"]) else CauseKind.SPLIT
            return Cause(kind, earlier[-1], last["valid_from_at"], last["run_id"])
        deliveries = self._deliveries(record_id)
        return deliveries[0] if deliveries else None

    def _merged_whole(self, rows: Sequence[Row]) -> Cause | None:
        """Return that the customer of before was merged into one that had the record all along."""
        ends = [row for row in self.history if (row["event"], row["cuid"]) == ("merged_into", self.former)]
        ends = [row for row in ends if self.span.holds(row["happened_at"])]
        had = any(row["cuid"] == self.cuid and row["valid_from_at"] <= self.span.begin for row in rows)
        if self.former == self.cuid or not ends or not had:
            return None
        return Cause(CauseKind.MERGE, self.former, ends[-1]["happened_at"], ends[-1]["run_id"])

    def _is_merged(self, former: str, run_id: str) -> bool:
        return any((row["event"], row["cuid"], row["run_id"]) == ("merged_into", former, run_id) for row in self.history)

    def _deliveries(self, record_id: int, version: int | None = None) -> list[Cause]:
        """Return the deliveries between the moments that brought versions of a record, or that one, by version."""
        rows = [row for row in self.records if row["record_id"] == record_id and version in (None, row["version"])]
        return [_delivery(row, CauseKind.DELIVERY) for row in rows if self.span.holds(row["valid_from_at"])]

    def _gone(self, record_id: int) -> Cause | None:
        """Return why a record is no part of the customer at the end; None where it is."""
        rows = [row for row in self.crosswalk if row["record_id"] == record_id and row["valid_from_at"] <= self.span.end]
        if not rows or rows[-1]["cuid"] == self.cuid:
            return None
        last = rows[-1]
        if last["cuid"] is None:
            return self._deleted(record_id, last)
        if self.span.holds(last["valid_from_at"]):
            return Cause(CauseKind.SPLIT, last["cuid"], last["valid_from_at"], last["run_id"])
        return self._parted_whole(last["cuid"])

    def _parted_whole(self, other: str) -> Cause | None:
        """Return that the customer of the end was split from one that has kept the record all along."""
        parted = [row for row in self.history if row["event"] in _PARTINGS and row["cuid"] == self.cuid]
        parted = [row for row in parted if self.span.holds(row["happened_at"])]
        return Cause(CauseKind.SPLIT, other, parted[-1]["happened_at"], parted[-1]["run_id"]) if parted else None

    def _deleted(self, record_id: int, last: Row) -> Cause | None:
        """Return the delivery that holds a record no more; where that was before, by what was ended in the span."""
        ended = [row for row in self.records if row["record_id"] == record_id and row["is_deleted"]]
        told = [_delivery(row, CauseKind.DELETION) for row in ended if row["valid_from_at"] <= self.span.end]
        if told and not self.span.holds(told[-1].happened_at):
            told = [told[-1]._replace(happened_at=last["valid_from_at"], run_id=last["run_id"])]
        return told[-1] if told and self.span.holds(told[-1].happened_at) else None

    def _changed(self, before: RecordVersion) -> Cause | None:
        """Return the delivery by which the record of the former value says something else, or nothing."""
        later = [row for row in self.records if row["record_id"] == before.record_id and row["version"] > before.version]
        deliveries = self._deliveries(before.record_id)
        return deliveries[-1] if later and deliveries else None

    def _by_rules(self, since: Row) -> Cause | None:
        earlier = [row for row in self.golden if row["version"] < since["version"]]
        if not earlier or earlier[-1]["rulebook_version"] == since["rulebook_version"]:
            return None
        return Cause(CauseKind.RULES, since["rulebook_version"], since["valid_from_at"], since["run_id"])


def causes_between(
    snapshot: Snapshot, span: Span, cuids: tuple[str, str], record_ids: pl.Series, attributes: Sequence[str]
) -> Causes:
    """Return what may have changed a customer between two moments.

    Args:
        snapshot: The lake.
        span: The moments.
        cuids: Who the customer was at the beginning, and is at the end.
        record_ids: The records that were part of it at either moment.
        attributes: Golden attributes that are asked about.
    """
    is_theirs = pl.col("record_id").is_in(record_ids.implode())
    is_before = pl.col("valid_from_at") <= span.end
    is_of_value = pl.col("decision").is_in([PIN, OVERRIDE]) & (pl.col("decided_at") <= span.end)
    former, cuid = cuids
    names_them = pl.col("cuid").is_in(cuids) | pl.col("other_cuid").is_in(cuids)
    return Causes(
        span=span,
        former=former,
        cuid=cuid,
        crosswalk=_rows(snapshot.read(CROSSWALK.name, where=is_theirs & is_before), "version"),
        records=_rows(snapshot.read(PROTECTED_RECORDS.name, _OF_RECORD, where=is_theirs & is_before), "version"),
        golden=_rows(
            snapshot.read(GOLDEN_RECORDS.name, [*_OF_GOLDEN, *attributes], where=(pl.col("cuid") == cuid) & is_before), "version"
        ),
        history=_rows(snapshot.read(CUID_HISTORY.name, where=names_them & (pl.col("happened_at") <= span.end)), "happened_at"),
        decisions=_rows(snapshot.read(REVIEW_DECISIONS.name, where=is_theirs & is_of_value), "decided_at"),
        kept=_kept_by_version(
            snapshot.read(GOLDEN_LINEAGE.name, _OF_LINEAGE, where=(pl.col("cuid") == cuid) & pl.col("is_kept"))
        ),
    )


def _rows(frame: pl.DataFrame, order: str) -> list[Row]:
    return frame.sort(order).to_dicts()


def _is_at(pointer: Row | None, place: Place | None) -> bool:
    """Return whether a golden record has the value of a place; a sum is another one where its parts are."""
    if pointer is None or place is None:
        return pointer is None and place is None
    return (pointer["record_id"], pointer["record_version"], pointer["slot"], pointer.get("value")) == (
        *place[:3],
        place.open_value,
    )


def _kept_by_version(lineage: pl.DataFrame) -> dict[int, set[tuple[str, int, int, int]]]:
    kept: dict[int, set[tuple[str, int, int, int]]] = {}
    for version, *place in lineage.select("version", "attribute", "record_id", "record_version", "slot").iter_rows():
        kept.setdefault(version, set()).add(tuple(place))
    return kept


def _by_election(since: Row) -> Cause:
    return Cause(CauseKind.ELECTION, "", since["valid_from_at"], since["run_id"])


def _decision(rows: Sequence[Row], moment: str, since: Row) -> Cause | None:
    if not rows:
        return None
    last = max(rows, key=lambda row: row[moment])
    return Cause(CauseKind.DECISION, last["decision_id"], last[moment], since["run_id"])


def _delivery(row: Row, kind: CauseKind) -> Cause:
    return Cause(kind, row["delivery_id"], row["valid_from_at"])
