"""The stored rows that a receipt cites: everything that made one value of a customer what it is."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import polars as pl

from custview_pipeline.contracts.audit_tables import OF_DELIVERY, QUALITY_SCORES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, RECORD_ISSUES
from custview_pipeline.contracts.matching_rules import MODEL
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY, MATCH_EDGES
from custview_pipeline.contracts.receipt import Evidence
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS, UNSURE
from custview_pipeline.flows.as_of import crosswalk_at
from custview_pipeline.flows.current import current_edges
from custview_pipeline.flows.decisions import standing_answers
from custview_pipeline.flows.row_digests import cite
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.found import MATCH, NO_MATCH
from custview_pipeline.matching.strongest_path import path_between, strongest_tree
from custview_pipeline.survivorship.reasons import SUMMED

CONSENT: Final = "consent"
_OPEN: Final = [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]
_OF_GOLDEN: Final = tuple(name for name in GOLDEN_RECORDS.types if name not in GOLDEN_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class CitedRows:
    """Rows as they are stored.

    Attributes:
        golden: The golden record: one row.
        lineage: The candidates, the winner first.
        records: The versions of the candidates' records, open columns; ``newest_version`` beside them.
        delivery: The one that brought the winner; without rows where it is not stored.
        issues: What the winner's record is warned of.
        crosswalk: The records of the customer.
        matches: The strongest links from the winner's record to the one that founded the customer, in their order.
        decisions: Those that name a record of the customer, and no other attribute.
    """

    attribute: str
    golden: pl.DataFrame
    lineage: pl.DataFrame
    records: pl.DataFrame
    delivery: pl.DataFrame
    issues: pl.DataFrame
    crosswalk: pl.DataFrame
    matches: pl.DataFrame
    decisions: pl.DataFrame

    @property
    def names(self) -> dict[int, str]:
        """Return the records of the customer by source and key."""
        named = self.crosswalk.select("record_id", pl.concat_str("source_system", "source_key", separator=":"))
        return dict(named.iter_rows())

    def evidence(self) -> tuple[Evidence, ...]:
        """Return the rows as the receipt cites them; a kind of which there are none is left out."""
        linked = pl.concat([self.matches[name] for name in ("left_id", "right_id")]).append(self.lineage["record_id"][:1])
        own = self.crosswalk.filter(pl.col("record_id").is_in(linked.implode()))
        has_consent = self.attribute != CONSENT and self.golden[CONSENT][0] is not None
        parts = self.lineage.filter(pl.col("reason") == SUMMED)["record_id"].to_list()
        groups = (
            cite("golden record", GOLDEN_RECORDS, self.golden, (*_OF_GOLDEN, self.attribute), parts=parts),
            cite("consent", GOLDEN_RECORDS, self.golden if has_consent else self.golden.clear(), (CONSENT,)),
            cite("candidates", GOLDEN_LINEAGE, self.lineage),
            cite("source records", PROTECTED_RECORDS, self.records, _OPEN),
            cite("delivery", DELIVERIES, self.delivery),
            cite("warnings", RECORD_ISSUES, self.issues),
            cite("membership", CROSSWALK, own),
            cite("matches", MATCH_EDGES, self.matches),
            cite("decisions", REVIEW_DECISIONS, self.decisions),
        )
        return tuple(group for group in groups if group.rows)


def cited_rows(snapshot: Snapshot, golden: pl.DataFrame, attribute: str) -> CitedRows:
    """Return the rows that made one value of a customer what it is.

    Args:
        snapshot: The lake.
        golden: The golden record, one row; it has the value.
        attribute: Which value.
    """
    cuid, version = golden["cuid"][0], golden["version"][0]
    is_candidate = (pl.col("cuid") == cuid) & (pl.col("version") == version) & (pl.col("attribute") == attribute)
    lineage = snapshot.read(GOLDEN_LINEAGE.name, where=is_candidate).sort("rank", "record_id", "slot")
    records = _versions(snapshot, lineage)
    pointer = golden[attribute][0]
    winner, record_version = pointer["record_id"], pointer["record_version"]
    is_winner = (pl.col("record_id") == winner) & (pl.col("version") == record_version)
    delivery_ids = records.filter(is_winner)["delivery_id"]
    crosswalk = crosswalk_at(snapshot, Cuid(cuid))
    return CitedRows(
        attribute=attribute,
        golden=golden,
        lineage=lineage,
        records=records,
        delivery=snapshot.read(DELIVERIES.name, where=pl.col("delivery_id").is_in(delivery_ids.implode())).head(1),
        issues=snapshot.read(RECORD_ISSUES.name, where=is_winner),
        crosswalk=crosswalk,
        matches=_matches(snapshot, crosswalk, winner),
        decisions=_decisions(snapshot, crosswalk["record_id"], attribute),
    )


def scores_of(snapshot: Snapshot, delivery_id: str, attributes: tuple[str, ...]) -> pl.DataFrame:
    """Return the rows of quality_scores of a delivery about some attributes, by attribute and dimension."""
    is_about = (pl.col("scope") == OF_DELIVERY) & (pl.col("delivery_id") == delivery_id) & pl.col("attribute").is_in(attributes)
    return snapshot.read(QUALITY_SCORES.name, where=is_about).sort("attribute", "dimension")


def _versions(snapshot: Snapshot, lineage: pl.DataFrame) -> pl.DataFrame:
    """Return the open columns of the record versions that candidates come from, and the newest version of each record."""
    stored = snapshot.read(PROTECTED_RECORDS.name, _OPEN, where=pl.col("record_id").is_in(lineage["record_id"].implode()))
    wanted = lineage.select("record_id", version="record_version").unique()
    newest = stored.group_by("record_id").agg(newest_version=pl.col("version").max())
    cited = stored.join(wanted, on=["record_id", "version"], how="semi").join(newest, on="record_id", how="left")
    return cited.sort("record_id", "version")


def _matches(snapshot: Snapshot, crosswalk: pl.DataFrame, record_id: int) -> pl.DataFrame:
    """Return the links on the strongest way from a record to the one that founded its customer; none for the founder itself."""
    ids = crosswalk["record_id"].implode()
    is_within = pl.col("left_id").is_in(ids) & pl.col("right_id").is_in(ids) & (pl.col("decision") != NO_MATCH)
    edges = current_edges(snapshot, where=is_within)
    is_ruled = (pl.col("rule") != MODEL) & (pl.col("decision") == MATCH)
    tree = strongest_tree(edges.with_columns(strength=pl.when(is_ruled).then(math.inf).otherwise("weight")), by="strength")
    path = path_between(tree, record_id, _founder(snapshot, crosswalk))
    steps = [(min(pair), max(pair)) for pair in pairwise(path)]
    way = pl.DataFrame(steps, schema={"left_id": pl.Int64, "right_id": pl.Int64}, orient="row")
    return way.join(edges, on=["left_id", "right_id"], how="left", maintain_order="left").select(edges.columns)


def _founder(snapshot: Snapshot, crosswalk: pl.DataFrame) -> int:
    """Return the record that founded a customer, or, where that is gone, the one that has been part of it the longest."""
    cuid = crosswalk["cuid"][0]
    told = snapshot.read(CUID_HISTORY.name, ["founding_record_id"], where=pl.col("cuid") == cuid)["founding_record_id"]
    here = crosswalk.filter(pl.col("record_id").is_in(told.drop_nulls().implode()))
    oldest = (crosswalk if here.is_empty() else here).sort("valid_from_at", "record_id")
    return int(oldest["record_id"][0])


def _decisions(snapshot: Snapshot, record_ids: pl.Series, attribute: str) -> pl.DataFrame:
    """Return the standing decisions that name one of some records, and no other attribute, by time."""
    ids = record_ids.implode()
    names_one = [pl.col(name).is_in(ids) for name in ("left_id", "right_id", "record_id")]
    names_one.append(pl.col("member_ids").list.set_intersection(pl.lit(ids)).list.len() > 0)
    is_about = pl.any_horizontal(each.fill_null(value=False) for each in names_one)
    is_of_value = pl.col("attribute").is_null() | (pl.col("attribute") == attribute)
    sure = standing_answers(snapshot).filter(pl.col("decision") != UNSURE)
    return sure.filter(is_about & is_of_value).sort("decided_at", "decision_id")
