"""What another rulebook would do to customers and their values, told before it is applied; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import CHANGE_FEED, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_crosswalk, current_tasks, versions_in
from custview_pipeline.flows.link import STAGE, find_links
from custview_pipeline.flows.link_change import Linking
from custview_pipeline.flows.link_rows import last_run, rows_of
from custview_pipeline.flows.match_state import frozen_models
from custview_pipeline.flows.rehearsal import Rehearsal
from custview_pipeline.flows.survive import survive
from custview_pipeline.flows.value_changes import value_changes
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline.kernel.ports import Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.record_identity import cuids

_RUN: Final = "rehearsal"
_COUNTS: Final = (
    "record_count", "customer_count", "largest_customer", "match_count", "possible_match_count", "review_count",
)  # fmt: skip
_PAIR: Final = ["left_id", "right_id"]


@dataclass(frozen=True, slots=True)
class RulebookEffect:
    """What the next run would do under another rulebook.

    Attributes:
        counts: Records, customers, matches, possible matches and review tasks, before and after, by the names of match_runs.
        events: cuid, event (as in cuid_history), other_cuid, record_count: what would happen to customers; the records are those
            that a customer has now or, where it begins, would have.
        moves: record_id, before, after (CUID; null where it is no customer's): records that would change customers.
        tasks: left_id, right_id, kind, change: review tasks that would be ``opened`` or ``closed``.
        values: Outcome of ``flows.value_changes``: what would become of the values of customers that go on.
        version_count: Golden records that would get a new version, be it for a reason or a trust score.
        learned: Entity types of which a new match model would be learned.
        is_late: Whether records, decisions or models came since records were linked last: what they do is told with the rest.
        warnings: What matching would leave out, in words with counts.
    """

    counts: Mapping[str, tuple[int, int]]
    events: pl.DataFrame
    moves: pl.DataFrame
    tasks: pl.DataFrame
    values: pl.DataFrame
    version_count: int
    learned: tuple[str, ...] = ()
    is_late: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def has_any(self) -> bool:
        """Return whether anything would change that is stored of customers, their matches and their values."""
        is_same = all(before == after for before, after in self.counts.values())
        return not (is_same and self.moves.is_empty() and self.events.is_empty() and self.tasks.is_empty()) or bool(
            self.version_count or self.learned
        )

    def happening(self, event: str) -> pl.DataFrame:
        """Return the customers to whom something happens, those with the most records first."""
        return self.events.filter(pl.col("event") == event).sort("record_count", "cuid", descending=[True, False])


class Wanted(NamedTuple):
    """What is to be foretold.

    Attributes:
        rulebook: The rulebook that is not applied yet.
        contracts: The sources.
        id_key: The purpose key ``id``: customers that begin would have just these ids.
    """

    rulebook: Rulebook
    contracts: Sequence[SourceContract]
    id_key: bytes


def foretell(lake: Snapshot, wanted: Wanted, progress: Progress) -> RulebookEffect:
    """Return what the next run would do under another rulebook: it is rehearsed on a lake in memory, by the code of the run.

    Args:
        lake: The lake as it is.
        wanted: The rulebook and what goes with it.
        progress: Hears of the steps.

    Raises:
        LakeError: No run has matched anything yet.
        IndexOutdated: The match index was made by other rules than today's.
        PairBudgetExceeded: The pairs do not fit in memory.
    """
    before = last_run(lake)
    if before is None:
        raise LakeError("no customers yet that a rulebook could change: custview run makes the first")
    rehearsal = Rehearsal(lake, forgotten={GOLDEN_LINEAGE.name})
    with silenced("rehearsing the rulebook"):
        linked = _link(rehearsal, wanted, progress)
        survive(rehearsal, wanted.contracts, wanted.rulebook, run_id=_RUN, progress=progress)
        golden, feed = (rehearsal.committed(table.name) for table in (GOLDEN_RECORDS, CHANGE_FEED))
        crosswalk = current_crosswalk(lake)
        moves = _moves(crosswalk, rehearsal.committed(CROSSWALK.name))
        return RulebookEffect(
            counts={name: (before[name], (linked.run or before)[name]) for name in _COUNTS},
            events=_events(rehearsal, crosswalk),
            moves=moves,
            tasks=_tasks(lake, rehearsal),
            values=value_changes(lake, golden, feed),
            version_count=golden.height,
            learned=linked.learned,
            is_late=linked.is_late,
            warnings=linked.warnings,
        )


class _Linked(NamedTuple):
    """What linking would find.

    Attributes:
        run: The row of match_runs; None where there is nothing to match anew.
        learned, is_late, warnings: As in ``RulebookEffect``.
    """

    run: Mapping[str, int] | None
    learned: tuple[str, ...]
    is_late: bool
    warnings: tuple[str, ...]


def _link(rehearsal: Rehearsal, wanted: Wanted, progress: Progress) -> _Linked:
    """Rehearse linking."""
    lake = rehearsal.snapshot()
    known = frozen_models(lake)
    linking = Linking(lake, wanted.rulebook, tuple(wanted.contracts), known)
    is_late = versions_in(linking.mark()) != versions_in(lake.consumed(STAGE) or "")
    found = find_links(linking, run_id=_RUN, progress=progress)
    if found is None:
        return _Linked(None, (), is_late, ())
    rows = rows_of(linking, found, lambda ids, nth: cuids(wanted.id_key, ids, generations=nth))
    with rehearsal.commit(_RUN) as commit:
        for table, (frame, is_all) in rows.tables.items():
            (commit.replace if is_all else commit.append)(table, frame)
    learned = sorted(
        str(part.entity_type)
        for part in found.parts
        if part.model is not None and (part.entity_type not in known or known[part.entity_type].model != part.model)
    )
    return _Linked(rows.run, tuple(learned), is_late, tuple(warning for part in found.parts for warning in part.warnings))


def _events(rehearsal: Rehearsal, crosswalk: pl.DataFrame) -> pl.DataFrame:
    """Return what would happen to customers, with how many records each has now or would have."""
    happened = rehearsal.committed(CUID_HISTORY.name).select("cuid", "event", "other_cuid")
    begun = happened.filter(pl.col("event").is_in(["created", "reactivated"]))["cuid"]
    coming = current_crosswalk(rehearsal.snapshot()).filter(pl.col("cuid").is_in(begun.implode()))
    known = crosswalk.filter(pl.col("cuid").is_in(happened["cuid"].implode()) & ~pl.col("cuid").is_in(begun.implode()))
    sizes = pl.concat([known, coming]).group_by("cuid").agg(record_count=pl.len().cast(pl.Int64))
    return happened.join(sizes, on="cuid", how="left").with_columns(pl.col("record_count").fill_null(0)).sort("cuid", "event")


def _moves(crosswalk: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return record_id, before, after of the records that change customers; another key of a record is no move."""
    held = crosswalk.select("record_id", before="cuid")
    both = rows.select("record_id", after="cuid").join(held, on="record_id", how="left")
    moved = both.filter(pl.col("before").ne_missing(pl.col("after")))
    return moved.select("record_id", "before", "after").sort("record_id")


def _tasks(lake: Snapshot, rehearsal: Rehearsal) -> pl.DataFrame:
    """Return the review tasks that would be opened and closed."""
    before, after = (current_tasks(state).select(*_PAIR, "kind") for state in (lake, rehearsal.snapshot()))
    opened = after.join(before, on=_PAIR, how="anti").with_columns(change=pl.lit("opened"))
    closed = before.join(after, on=_PAIR, how="anti").with_columns(change=pl.lit("closed"))
    return pl.concat([opened, closed]).sort("change", *_PAIR)
