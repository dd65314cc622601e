"""Tables as other programs want them: crosswalk, edges, golden records, warnings, quality scores."""

from collections.abc import Collection
from enum import StrEnum

import polars as pl

from custview_pipeline.contracts.audit_tables import QUALITY_SCORES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, RECORD_ISSUES
from custview_pipeline.flows.current import current_crosswalk, current_edges
from custview_pipeline.flows.models import stored_models
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.matching.edge_words import describe_edges
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask


class Export(StrEnum):
    """What can be exported."""

    CROSSWALK = "crosswalk"
    EDGES = "edges"
    GOLDEN = "golden"
    ISSUES = "issues"
    QUALITY = "quality"
    QUALITY_HISTORY = "quality-history"


def export_crosswalk(snapshot: Snapshot) -> pl.DataFrame:
    """Return source_system, source_key, cuid of the current records, by source and key."""
    return current_crosswalk(snapshot).select("source_system", "source_key", "cuid").sort("source_system", "source_key")


def export_edges(snapshot: Snapshot) -> pl.DataFrame:
    """Return the evidence between records by their source keys: probability, decision, and why in words (``explanation``)."""
    keys = current_crosswalk(snapshot).select("record_id", "source_system", "source_key")

    def side(name: str) -> pl.DataFrame:
        return keys.rename({"record_id": f"{name}_id", **{c: f"{name}_{c}" for c in ("source_system", "source_key")}})

    stored = current_edges(snapshot)
    edges = describe_edges(stored, {each.model.version: each.model for each in stored_models(snapshot)})
    names = [f"{name}_{column}" for name in ("left", "right") for column in ("source_system", "source_key")]
    return (
        edges.join(side("left"), on="left_id", how="inner")
        .join(side("right"), on="right_id", how="inner")
        .select(*names, pl.col("probability").alias("match_probability"), "decision", "explanation")
        .sort(names)
    )


def export_issues(snapshot: Snapshot) -> pl.DataFrame:
    """Return what the current records are warned of, by their source keys: attribute, rule, dimension, severity."""
    stored = newest(snapshot.read(PROTECTED_RECORDS.name, ["record_id", "version", "source_key", "is_deleted"]), ["record_id"])
    held = stored.filter(~pl.col("is_deleted")).select("record_id", "version", "source_key")
    issues = snapshot.read(RECORD_ISSUES.name).join(held, on=["record_id", "version"], how="inner")
    names = ["source_system", "source_key", "attribute", "rule", "dimension", "severity"]
    return issues.select(names).sort(names)


def export_quality(snapshot: Snapshot) -> pl.DataFrame:
    """Return, of each source, the scores of the last audit and those of its last delivery that was scored."""
    scores = export_quality_history(snapshot)
    return scores.filter(pl.col("measured_at") == pl.col("measured_at").max().over("scope", "source_system"))


def export_quality_history(snapshot: Snapshot) -> pl.DataFrame:
    """Return all scores that were ever stored, the oldest first."""
    return snapshot.read(QUALITY_SCORES.name).sort("measured_at", "scope", "source_system", "attribute", "dimension")


def export_golden(snapshot: Snapshot, keyring: Keyring, *, in_full: Collection[str] = ()) -> pl.DataFrame:
    """Return the golden records with their values, one row a customer, one column for each attribute of the dictionary.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        in_full: Attributes of which the sealed values are not masked; the caller has logged their reveal.
    """
    golden = newest(snapshot.read(GOLDEN_RECORDS.name), ["cuid"]).filter("is_active")
    values = open_values(snapshot, keyring, golden_values(golden))
    with silenced("exporting golden records"):
        shown = mask_values(values, in_full=in_full)
        wide = golden.select("cuid", "entity_type", "record_count", "source_count", "updated_at")
        for attribute in GOLDEN_ATTRIBUTES:
            said = shown.filter(pl.col("attribute") == attribute)
            wide = wide.join(said.select("cuid", pl.col("value").alias(attribute)), on="cuid", how="left")
        return wide.sort("cuid")


def mask_values(values: pl.DataFrame, *, in_full: Collection[str] = ()) -> pl.DataFrame:
    """Return values (attribute, value, open_value, ...) with every sealed one masked, but for those of attributes ``in_full``.

    What is stored open stays. A value of an open attribute is sealed, and masked, where it is not valid (it may be anything,
    somebody's name too) or the contract of its source calls it personal.
    """
    masked = [
        value if value is None or open_value is not None or attribute in in_full else mask(attribute, value)
        for attribute, value, open_value in values.select("attribute", "value", "open_value").iter_rows()
    ]
    return values.with_columns(value=pl.Series(masked, dtype=pl.String))
