"""What changed about a customer between two moments, and what did it; through merges and splits."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.flows.as_of import birth_of, crosswalk_at, erased_count, golden_at, records_at, say_moment, what_it_was
from custview_pipeline.flows.change_causes import Cause, Causes, Place, RecordVersion, Span, causes_between
from custview_pipeline.flows.customer_history import Event, Standing, resolve
from custview_pipeline.flows.export import mask_values
from custview_pipeline.flows.portrait import values_and_kept
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring

_MOST_ORIGINS: Final = 100  # splits that are followed back; ids out of ids without end are a clock that was set back


class Change(StrEnum):
    """How a value differs, or what became of a record."""

    CAME = "came"
    WENT = "went"
    CHANGED = "changed"
    MOVED = "moved"  # the same value, now as another record says it


class End(NamedTuple):
    """A customer at one of the two moments.

    Attributes:
        moment: The moment, UTC.
        cuid: Whom the id stood for then; None where it stood for nobody.
        note: What to know of it, in words; empty where it is simply the customer that was asked about.
        erased_count: Source records of then that were erased since.
    """

    moment: datetime
    cuid: Cuid | None
    note: str
    erased_count: int = 0


class SaidValue(NamedTuple):
    """A value as it may be shown.

    Attributes:
        value: Null where the key of its record is gone.
        source_system: Where it comes from; of a sum the first part.
        reason: Why it won; ``portrait.KEPT`` where it is kept beside the winner.
        part_count: Of a sum, of how many values it is made; otherwise 0.
    """

    value: str | None
    source_system: str | None
    reason: str
    part_count: int = 0


class ValueChange(NamedTuple):
    """How a value differs between the moments, and what did it; those kept beside a winner come or go."""

    attribute: str
    change: Change
    before: SaidValue | None
    after: SaidValue | None
    cause: Cause


class RecordChange(NamedTuple):
    """A record that came, went, or says something else; ``cause`` is None where the stored rows do not tell."""

    change: Change
    source_system: str
    source_key: str
    cause: Cause | None


class CustomerDiff(NamedTuple):
    """What changed about a customer.

    Attributes:
        cuid: The id that was asked about.
        before, after: Whom it stood for.
        events: Merges, splits, ends between the moments, of the customers that it stood for.
        values: In the order of the dictionary.
        records: By source and key.
    """

    cuid: Cuid
    before: End
    after: End
    events: tuple[Event, ...]
    values: tuple[ValueChange, ...]
    records: tuple[RecordChange, ...]


class _Told(NamedTuple):
    """A value, readable, so that it lives in memory only; where it comes from, and as it may be shown."""

    text: str | None
    place: Place
    shown: SaidValue


class _State(NamedTuple):
    """A customer at a moment.

    Attributes:
        values: By attribute the winner, then what is kept beside it.
        records: Rows of current records: record_id, version, source_system, source_key.
    """

    values: Mapping[str, Sequence[_Told]]
    records: pl.DataFrame

    def winner(self, name: str) -> _Told | None:
        """Return the value of an attribute; None where there is none."""
        return next(iter(self.values.get(name, ())), None)

    def texts(self, name: str) -> set[str | None]:
        """Return all that the customer has of an attribute."""
        return {told.text for told in self.values.get(name, ())}


def diff_customer(
    snapshot: Snapshot, keyring: Keyring, cuid: Cuid, span: tuple[datetime, datetime], *, in_full: Collection[str] = ()
) -> CustomerDiff:
    """Return what changed about a customer between two moments.

    An id that was merged by then stands for its heir; one that did not exist yet, for the customer that it was split from.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        cuid: The customer.
        span: The moments, UTC.
        in_full: Golden attributes that are not masked; the caller has logged their reveal.

    Raises:
        ProjectInvalid: The second moment is before the first.
        UnknownCustomer: The id stood for nobody at either moment, or was erased.
        UnsealFailed: A sealed record was altered or moved.
    """
    if span[1] < span[0]:
        raise ProjectInvalid("the first date must not be after the second")
    with silenced("comparing a customer with itself"):
        ends = [_end(snapshot, cuid, moment) for moment in span]
        known = [end.cuid for end in ends if end.cuid is not None]
        if not known:
            raise UnknownCustomer(what_it_was(snapshot, cuid, span[1]))
        before, after = (_state(snapshot, keyring, end, in_full) for end in ends)
        ids = pl.concat([before.records["record_id"], after.records["record_id"]]).unique()
        between = Span(*span)
        causes = causes_between(snapshot, between, (known[0], known[-1]), ids, tuple(GOLDEN_ATTRIBUTES))
        return CustomerDiff(
            cuid=cuid,
            before=ends[0],
            after=ends[1],
            events=_events(snapshot, {cuid, *known}, between),
            values=tuple(_value_changes(before, after, causes)),
            records=tuple(_record_changes(before.records, after.records, causes)),
        )


def _end(snapshot: Snapshot, cuid: Cuid, moment: datetime) -> End:
    """Return whom an id stood for at a moment.

    Raises:
        UnknownCustomer: It was erased since; nothing is known of it at any time.
    """
    now = resolve(snapshot, cuid)
    if now.standing in (Standing.ERASED, Standing.UNKNOWN):
        raise UnknownCustomer(what_it_was(snapshot, cuid, moment))
    then, note, asked = resolve(snapshot, cuid, moment), "", cuid
    for _ in range(_MOST_ORIGINS):
        if then.standing is not Standing.UNKNOWN:
            break
        origin = next((event.other_cuid for event in birth_of(resolve(snapshot, asked)) if event.other_cuid), None)
        note = what_it_was(snapshot, cuid, moment)
        if origin is None:
            break
        then, asked = resolve(snapshot, origin, moment), origin
    if then.standing is not Standing.ACTIVE:
        return End(moment, None, note or what_it_was(snapshot, cuid, moment))
    if then.leads_to != cuid:
        note = note or f"merged into {then.leads_to} by {say_moment(moment)}"
    return End(moment, then.leads_to, note, _erased(snapshot, then.leads_to, moment))


def _erased(snapshot: Snapshot, cuid: Cuid, moment: datetime) -> int:
    try:
        return erased_count(snapshot, golden_at(snapshot, cuid, moment))
    except UnknownCustomer:  # a run had made the customer, and elected no values yet
        return 0


def _state(snapshot: Snapshot, keyring: Keyring, end: End, in_full: Collection[str]) -> _State:
    if end.cuid is None:
        return _State({}, records_at(snapshot, pl.Series([], dtype=pl.Int64)))
    own = crosswalk_at(snapshot, end.cuid, end.moment)["record_id"]
    records = records_at(snapshot, own, end.moment).filter(~pl.col("is_deleted"))
    try:
        golden = golden_at(snapshot, end.cuid, end.moment)
    except UnknownCustomer:  # see _erased
        return _State({}, records)
    opened = values_and_kept(snapshot, keyring, golden)
    sources = dict(records_at(snapshot, opened["record_id"]).select("record_id", "source_system").iter_rows())
    masked = mask_values(opened, in_full=in_full)["value"]
    values: dict[str, list[_Told]] = {}
    for row, shown in zip(opened.iter_rows(named=True), masked, strict=True):
        values.setdefault(row["attribute"], []).append(_told(row, shown, sources.get(row["record_id"])))
    return _State(values, records)


def _told(row: dict[str, Any], shown: str | None, source_system: str | None) -> _Told:
    """Return a row of ``values_and_kept`` as it is compared."""
    parts = frozenset(RecordVersion(part["record_id"], part["record_version"]) for part in row["parts"] or ())
    reason = row["reason"] or ""
    place = Place(row["record_id"], row["record_version"], row["slot"], reason, row["open_value"], parts)
    return _Told(row["value"], place, SaidValue(shown, source_system, reason, len(parts)))


def _value_changes(before: _State, after: _State, causes: Causes) -> Iterator[ValueChange]:
    for name in GOLDEN_ATTRIBUTES:
        was, now = before.winner(name), after.winner(name)
        change = _change(was, now)
        if change is not None:
            cause = causes.of_value(name, was and was.place, now and now.place)
            yield ValueChange(name, change, was and was.shown, now and now.shown, cause)
        for told in after.values.get(name, ())[1:]:
            if told.text not in before.texts(name):
                yield ValueChange(name, Change.CAME, None, told.shown, causes.of_kept(name, None, told.place))
        for told in before.values.get(name, ())[1:]:
            if told.text not in after.texts(name):
                yield ValueChange(name, Change.WENT, told.shown, None, causes.of_kept(name, told.place, None))


def _change(was: _Told | None, now: _Told | None) -> Change | None:
    """Return how a value differs; another version of the record that says the same is no difference."""
    if was is None:
        return None if now is None else Change.CAME
    if now is None:
        return Change.WENT
    if was.text != now.text:
        return Change.CHANGED
    return None if was.place.record_id == now.place.record_id else Change.MOVED


def _record_changes(before: pl.DataFrame, after: pl.DataFrame, causes: Causes) -> list[RecordChange]:
    versions = {row["record_id"]: row["version"] for row in before.iter_rows(named=True)}
    changes = []
    for row in after.iter_rows(named=True):
        record_id, named = row["record_id"], (row["source_system"], row["source_key"])
        if record_id not in versions:
            changes.append(RecordChange(Change.CAME, *named, causes.of_joining(record_id)))
        elif versions[record_id] != row["version"]:
            changes.append(RecordChange(Change.CHANGED, *named, causes.of_record(record_id, row["version"])))
    gone = before.join(after, on="record_id", how="anti", maintain_order="left")
    changes += [
        RecordChange(Change.WENT, row["source_system"], row["source_key"], causes.of_leaving(row["record_id"]))
        for row in gone.iter_rows(named=True)
    ]
    return sorted(changes, key=lambda change: (change.source_system, change.source_key, change.change))


def _events(snapshot: Snapshot, cuids: set[Cuid], span: Span) -> tuple[Event, ...]:
    """Return what happened between the moments to some customers, or made others part of them, by time."""
    names_one = pl.any_horizontal(pl.col(name).is_in(sorted(cuids)).fill_null(value=False) for name in ("cuid", "other_cuid"))
    is_between = (pl.col("happened_at") > span.begin) & (pl.col("happened_at") <= span.end)
    told = snapshot.read(CUID_HISTORY.name, where=names_one & is_between).sort("happened_at", "cuid", "event")
    return tuple(
        Event(at, Cuid(own), event, None if other is None else Cuid(other), run_id)
        for at, own, event, other, run_id in told.select(Event._fields).iter_rows()
    )
