"""Makes golden records: gather claims, elect, compare with what is known, store what changed and tell of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import CHANGE_FEED, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.steward_source import with_steward
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.change_feed import explaining_history, last_sequence
from custview_pipeline.flows.current import mark_of
from custview_pipeline.flows.decisions import pinned_values
from custview_pipeline.flows.portions import Portion, portions
from custview_pipeline.flows.touched import count_active, is_of, touched_since
from custview_pipeline.kernel.ports import Progress, Snapshot, TableWriter
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.survivorship.changes import KEPT, WINNER, Told, tell_changes
from custview_pipeline.survivorship.elect import RULES_VERSION
from custview_pipeline.survivorship.elections import Terms, hold_elections
from custview_pipeline.survivorship.golden import (
    KNOWN_COLUMNS,
    Election,
    GoldenChange,
    change_golden_records,
    describe_customers,
)

STAGE: Final = "survivorship"


@dataclass(frozen=True, slots=True)
class Survival:
    """What survivorship made.

    Attributes:
        is_unchanged: Nothing it depends on changed.
        golden_count: Golden records that are active now.
        is_whole: It elected for every customer, not for those that a change touched.
        changed_count: Golden records that got a new version.
        candidate_count: Values that stood for election.
        contested_count: Values that won although another was trusted no less.
    """

    is_unchanged: bool
    golden_count: int
    is_whole: bool = False
    changed_count: int = 0
    candidate_count: int = 0
    contested_count: int = 0


class _Round(NamedTuple):
    """What the elections of one run have in common."""

    snapshot: Snapshot
    terms: Terms
    rulebook_version: str
    run_id: str
    now: datetime


class _Outcome(NamedTuple):
    """What came of the elections of a portion of the customers."""

    change: GoldenChange
    feed: pl.DataFrame
    candidate_count: int
    contested_count: int


def survive(
    lake: TableWriter,
    contracts: Sequence[SourceContract],
    rulebook: Rulebook,
    *,
    run_id: str,
    progress: Progress,
    is_whole: bool = False,
) -> Survival:
    """Elect the values of the customers that a change or a decision touched, and store the golden records that changed.

    Trust that decays, and conditions on age, are told as of today. That a day has passed touches nobody: who is not touched is
    elected anew by a whole run only, and gets a new version where a winner, a rank or a reason is another.

    Args:
        lake: The lake, held for writing.
        contracts: The sources.
        rulebook: Trust and survivorship rules.
        run_id: The run.
        progress: Hears of the steps.
        is_whole: Whether to elect for every customer anew. What is stored is the same.
    """
    snapshot, trust, now = lake.snapshot(), trust_table(contracts, rulebook), datetime.now(UTC)
    settings = f"{RULES_VERSION} {rulebook.survivorship!r} {trust.rows()!r}"
    mark = mark_of(snapshot, "protected_records", "crosswalk", REVIEW_DECISIONS.name, settings=settings)
    if mark == snapshot.consumed(STAGE) and not is_whole:
        return Survival(is_unchanged=True, golden_count=count_active(snapshot, GOLDEN_RECORDS.name))
    with silenced("survivorship"):
        touched = None if is_whole else touched_since(snapshot, STAGE, mark)
        report = Survival(is_unchanged=False, golden_count=count_active(snapshot, GOLDEN_RECORDS.name), is_whole=touched is None)
        terms = Terms(rulebook.survivorship, trust, pinned_values(snapshot), now.date())
    this = _Round(snapshot, terms, rulebook.version, run_id, now)
    with silenced("storing golden records"), lake.commit(run_id) as commit:
        for outcome in _elections(this, None if touched is None else touched.cuids):
            commit.append(GOLDEN_RECORDS.name, outcome.change.records)
            commit.append(GOLDEN_LINEAGE.name, outcome.change.lineage)
            commit.append(CHANGE_FEED.name, outcome.feed)
            report = _with(report, outcome)
            progress.step("golden_records", "candidates judged", report.candidate_count)
        commit.consume(STAGE, mark)
    return report


def trust_table(contracts: Sequence[SourceContract], rulebook: Rulebook) -> pl.DataFrame:
    """Return source_system, attribute, trust (0 to 1) of every pair."""
    rows = [
        (contract.source_system, attribute, rulebook.trust_score(contract, attribute))
        for contract in with_steward(contracts)
        for attribute in GOLDEN_ATTRIBUTES
    ]
    schema = {"source_system": pl.String, "attribute": pl.String, "trust": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _elections(this: _Round, touched: pl.Series | None) -> Iterator[_Outcome]:
    """Yield what came of the elections, portion by portion."""
    with silenced("survivorship"):
        is_first = this.snapshot.table_version(GOLDEN_RECORDS.name) is None
        history, after = explaining_history(this.snapshot), last_sequence(this.snapshot)
        for portion in portions(this.snapshot, touched, has_former=not is_first):
            outcome = _elect(this, portion, history, after)
            after += outcome.feed.height
            yield outcome


def _elect(this: _Round, portion: Portion, history: pl.DataFrame, after: int) -> _Outcome:
    customers = describe_customers(portion.owners)
    ranked = hold_elections(portion.claims.filter("is_current").drop("is_current"), customers, this.terms)
    change = change_golden_records(
        Election(ranked, customers),
        this.snapshot.read(GOLDEN_RECORDS.name, KNOWN_COLUMNS, where=portion.of_them),
        rulebook_version=this.rulebook_version,
        run_id=this.run_id,
        now=this.now,
    )
    told = Told(history, _won(this.snapshot, change.before), _said(portion.claims, change.before["cuid"]))
    feed = tell_changes(change, told, after=after, run_id=this.run_id, now=this.now)
    contested = ranked.filter((pl.col("rank") == 1) & pl.col("is_contested"))
    return _Outcome(change, feed, ranked.height, contested.height)


def _won(snapshot: Snapshot, before: pl.DataFrame) -> pl.DataFrame:
    """Return the values that were kept in these golden records."""
    stored = snapshot.read(GOLDEN_LINEAGE.name, [*KEPT, "version"], where=is_of(before["cuid"]) & pl.col("is_kept"))
    return stored.join(before, on=["cuid", "version"], how="semi").select(KEPT)


def _said(claims: pl.DataFrame, cuids: pl.Series) -> pl.DataFrame:
    """Return what the records of some customers say and said."""
    theirs = pl.Series(cuids, dtype=claims.schema["cuid"], strict=False).drop_nulls()
    said = claims.clear() if theirs.is_empty() else claims.filter(pl.col("cuid").is_in(theirs.implode()))
    said = said.rename({"version": "record_version"})
    return said.select(pl.col("cuid", "attribute").cast(pl.String), *WINNER[2:], "token")


def _with(report: Survival, outcome: _Outcome) -> Survival:
    """Return the report with what came of another portion."""
    records, before = outcome.change.records, outcome.change.before
    return replace(
        report,
        golden_count=report.golden_count + int(records["is_active"].sum()) - int(before["is_active"].sum()),
        changed_count=report.changed_count + records.height,
        candidate_count=report.candidate_count + outcome.candidate_count,
        contested_count=report.contested_count + outcome.contested_count,
    )
