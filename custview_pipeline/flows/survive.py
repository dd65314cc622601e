"""Makes golden records: gather claims, elect, compare with what is known, store what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_crosswalk, current_index, current_records, mark_of
from custview_pipeline.kernel.ports import LakeWriter, Progress, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.survivorship.claims import gather_claims
from custview_pipeline.survivorship.elect import RULES_VERSION, elect
from custview_pipeline.survivorship.golden import Election, GoldenChange, change_golden_records, describe_customers

STAGE: Final = "survivorship"


@dataclass(frozen=True, slots=True)
class Survival:
    """What survivorship made.

    Attributes:
        is_unchanged: Nothing it depends on changed.
        golden_count: Golden records that are active now.
        changed_count: Golden records that got a new version.
        candidate_count: Values that stood for election.
        contested_count: Values that won although another was trusted no less.
    """

    is_unchanged: bool
    golden_count: int
    changed_count: int = 0
    candidate_count: int = 0
    contested_count: int = 0


def survive(
    lake: LakeWriter, contracts: Sequence[SourceContract], rulebook: Rulebook, *, run_id: str, progress: Progress
) -> Survival:
    """Elect the values of every customer and store the golden records that changed."""
    snapshot = lake.snapshot()
    trust = _trust(contracts, rulebook)
    settings = f"{RULES_VERSION} {rulebook.survivorship!r} {trust.rows()!r}"
    mark = mark_of(snapshot, "protected_records", "crosswalk", settings=settings)
    if mark == snapshot.consumed(STAGE):
        return Survival(is_unchanged=True, golden_count=_active(snapshot.read(GOLDEN_RECORDS.name)))
    with silenced("survivorship"):
        ranked, customers = _elect(snapshot, trust, rulebook)
        progress.step("golden_records", "candidates judged", ranked.height)
        known = GoldenChange(snapshot.read(GOLDEN_RECORDS.name), snapshot.read(GOLDEN_LINEAGE.name))
        change = change_golden_records(
            Election(ranked, customers), known, rulebook_version=rulebook.version, run_id=run_id, now=datetime.now(UTC)
        )
    with silenced("storing golden records"), lake.commit(run_id) as commit:
        commit.append(GOLDEN_RECORDS.name, change.records)
        commit.append(GOLDEN_LINEAGE.name, change.lineage)
        commit.consume(STAGE, mark)
    return _survival(ranked, known.records, change)


def _trust(contracts: Sequence[SourceContract], rulebook: Rulebook) -> pl.DataFrame:
    """Return source_system, attribute, trust of every pair."""
    rows = [
        (contract.source_system, attribute, rulebook.trust_score(contract, attribute))
        for contract in contracts
        for attribute in GOLDEN_ATTRIBUTES
    ]
    schema = {"source_system": pl.String, "attribute": pl.String, "trust": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _elect(snapshot: Snapshot, trust: pl.DataFrame, rulebook: Rulebook) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the ranked candidates, and the customers they stand for."""
    records, crosswalk = current_records(snapshot), current_crosswalk(snapshot)
    claims = gather_claims(current_index(snapshot, IndexPart.CLAIMS, records), crosswalk, records, trust)
    strategies = {attribute: rulebook.survivorship.of(attribute) for attribute in GOLDEN_ATTRIBUTES}
    return elect(claims, strategies), describe_customers(crosswalk, records)


def _active(golden: pl.DataFrame) -> int:
    return newest(golden, ["cuid"]).filter("is_active").height


def _survival(ranked: pl.DataFrame, known: pl.DataFrame, change: GoldenChange) -> Survival:
    won = ranked.filter(pl.col("rank") == 1)
    return Survival(
        is_unchanged=False,
        golden_count=_active(pl.concat([known, change.records])),
        changed_count=change.records.height,
        candidate_count=ranked.height,
        contested_count=int(won["is_contested"].sum()),
    )
