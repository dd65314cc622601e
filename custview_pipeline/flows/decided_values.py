"""What decisions about values ask of golden records, and which winners go against them."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_tables import CHANGE_FEED, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.stewardship_tables import OVERRIDE, PIN, REVIEW_DECISIONS
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.rehearsal import Rehearsal, SupposedLake
from custview_pipeline.flows.stored_claims import stored_claims
from custview_pipeline.flows.survive import survive
from custview_pipeline.flows.touched import is_of, records_now
from custview_pipeline.kernel.ports import Progress, Snapshot
from custview_pipeline.kernel.versions import newest

VALUE_CASES: Final = (PIN, OVERRIDE)
_RUN: Final = "rehearsal"
_AGAINST: Final = pl.Schema({"decision_id": pl.String, "wanted_id": pl.Int64, "winner_id": pl.Int64, "agrees": pl.Boolean})


def judged_values(
    lake: Snapshot, standing: pl.DataFrame, rulebook: Rulebook, contracts: Sequence[SourceContract], progress: Progress
) -> pl.DataFrame:
    """Return what would win without them in the place of the values that stewards pinned or entered.

    Args:
        lake: The lake; nothing is stored.
        standing: Rows of review_decisions that hold.
        rulebook: Trust and survivorship rules.
        contracts: The sources.
        progress: Hears of the steps.

    Returns:
        decision_id, wanted_id (the record whose value is wanted), winner_id (the record whose value would win; null where none
        would), ``agrees`` (whether both say the same). Decisions about records that are gone are left out.
    """
    owned = current_crosswalk(lake).select("record_id", "cuid")
    wanted = _with_owner(standing.filter(pl.col("decision").is_in(VALUE_CASES)), owned)
    if wanted.is_empty():
        return _AGAINST.to_frame()
    entered = wanted.filter(pl.col("decision") == OVERRIDE)["record_id"]
    rehearsal = Rehearsal(
        _without(lake, owned, wanted["cuid"].unique(), entered), forgotten={GOLDEN_LINEAGE.name, CHANGE_FEED.name}
    )
    survive(rehearsal, contracts, rulebook, run_id=_RUN, progress=progress, is_whole=True)
    winners = _winners(newest(rehearsal.snapshot().read(GOLDEN_RECORDS.name), ["cuid"]), wanted)
    return _compared(lake, wanted, winners)


def _with_owner(wanted: pl.DataFrame, owned: pl.DataFrame) -> pl.DataFrame:
    """Return decision_id, decision, record_id, slot, attribute, cuid: the customer of the record, or of one that was with it."""
    named = ["decision_id", "decision", "record_id", "slot", "attribute"]
    together = pl.concat_list("record_id", pl.col("member_ids").fill_null(pl.lit([], pl.List(pl.Int64))))
    asked = wanted.select(*named, member_id=together).explode("member_id")
    known = asked.join(owned.rename({"record_id": "member_id"}), on="member_id", how="inner", maintain_order="left")
    return known.unique("decision_id", keep="first", maintain_order=True).select(*named, "cuid")


def _without(lake: Snapshot, owned: pl.DataFrame, customers: pl.Series, entered: pl.Series) -> SupposedLake:
    """Return the lake with these customers alone, without decisions and without what stewards entered."""
    members = owned.filter(is_of(customers) & ~pl.col("record_id").is_in(entered.implode()))["record_id"]
    crosswalk = lake.read(CROSSWALK.name, where=pl.col("record_id").is_in(members.implode()))
    supposed = {
        REVIEW_DECISIONS.name: REVIEW_DECISIONS.empty(),
        CROSSWALK.name: newest(crosswalk, ["record_id"]),
        GOLDEN_RECORDS.name: lake.read(GOLDEN_RECORDS.name, where=is_of(customers)),
    }
    return SupposedLake(lake, {table: (rows, True) for table, rows in supposed.items()})


def _winners(golden: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, attribute, winner_id, version, slot of the values that would win."""
    fields = {"winner_id": "record_id", "version": "record_version", "slot": "slot"}
    active = golden.filter("is_active")
    found = [
        active.select("cuid", attribute=pl.lit(name), **{new: pl.col(name).struct.field(field) for new, field in fields.items()})
        for name in wanted["attribute"].unique().sort()
    ]
    return pl.concat(found).drop_nulls("winner_id")


def _compared(lake: Snapshot, wanted: pl.DataFrame, winners: pl.DataFrame) -> pl.DataFrame:
    """Return ``judged_values``: values are equal where their tokens are."""
    ids = pl.concat([wanted["record_id"], winners["winner_id"].alias("record_id")]).unique()
    names = [pl.col("record_id"), pl.col("version"), pl.col("attribute").cast(pl.String), pl.col("slot"), pl.col("token")]
    claims = pl.concat(part.select(names) for part in stored_claims(lake, ids))
    current = records_now(lake, wanted["record_id"]).select("record_id", "version")
    asked = wanted.join(current, on="record_id", how="inner").join(
        claims, on=["record_id", "version", "attribute"], how="inner", suffix="_of_claim"
    )
    asked = asked.filter(pl.col("slot").is_null() | (pl.col("slot") == pl.col("slot_of_claim")))
    told = asked.group_by("decision_id", "record_id", "cuid", "attribute").agg(said="token")
    won = winners.join(claims.rename({"record_id": "winner_id"}), on=["winner_id", "version", "attribute", "slot"], how="left")
    both = told.join(won.select("cuid", "attribute", "winner_id", won="token"), on=["cuid", "attribute"], how="left")
    agrees = pl.col("won").is_in(pl.col("said")).fill_null(value=False)
    return both.select("decision_id", wanted_id="record_id", winner_id="winner_id", agrees=agrees).sort("decision_id")
