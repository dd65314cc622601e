"""One customer, as ``custview show`` prints it: each value, where it comes from and why it won."""

from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.flows.current import current_crosswalk, current_records
from custview_pipeline.flows.export import mask_values
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring


class Portrait(NamedTuple):
    """A customer.

    Attributes:
        cuid: The customer id.
        entity_type: person or enterprise.
        values: attribute, value, source_system, trust_score, source_count, is_contested, reason.
        records: source_system, source_key, updated_at of each source record.
    """

    cuid: Cuid
    entity_type: str
    values: pl.DataFrame
    records: pl.DataFrame


def portray(snapshot: Snapshot, keyring: Keyring, cuid: Cuid, *, is_masked: bool) -> Portrait:
    """Return one customer.

    Raises:
        UnknownCustomer: There is none with this id; the message names the heir of a merged one.
    """
    with silenced("reading a customer"):
        golden = newest(snapshot.read(GOLDEN_RECORDS.name).filter(pl.col("cuid") == cuid), ["cuid"]).filter("is_active")
        if golden.is_empty():
            raise UnknownCustomer(_why_unknown(snapshot, cuid))
        values = open_values(snapshot, keyring, golden_values(golden))
        shown = mask_values(values) if is_masked else values
        records = current_records(snapshot).select("record_id", "source_system", "source_key", "updated_at")
        own = current_crosswalk(snapshot).filter(pl.col("cuid") == cuid).select("record_id")
        return Portrait(
            cuid=cuid,
            entity_type=golden["entity_type"][0],
            values=_with_reasons(snapshot, shown, golden["version"][0]).join(
                records.select("record_id", "source_system"), on="record_id", how="left", maintain_order="left"
            ),
            records=records.join(own, on="record_id", how="semi").sort("source_system", "source_key").drop("record_id"),
        )


def _with_reasons(snapshot: Snapshot, values: pl.DataFrame, version: int) -> pl.DataFrame:
    """Add why each value won."""
    lineage = snapshot.read(GOLDEN_LINEAGE.name, ["cuid", "version", "attribute", "rank", "reason"])
    won = lineage.filter((pl.col("version") == version) & (pl.col("rank") == 1))
    return values.join(won.select("cuid", "attribute", "reason"), on=["cuid", "attribute"], how="left", maintain_order="left")


def _why_unknown(snapshot: Snapshot, cuid: Cuid) -> str:
    history = snapshot.read(CUID_HISTORY.name)
    if history.filter(pl.col("cuid") == cuid).is_empty():
        return "no customer has this id"
    heirs = dict(history.filter(pl.col("event") == "merged_into").select("cuid", "other_cuid").iter_rows())
    heir = cuid
    while heir in heirs:  # the heir may have been merged in turn; a chain ends, for an id once merged never holds again
        heir = Cuid(heirs[heir])
    if not history.filter((pl.col("cuid") == heir) & (pl.col("event") == "retired")).is_empty():
        return "this customer has no records any more"
    return f"this customer was merged into {heir}"
