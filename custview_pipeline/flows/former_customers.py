"""What became of a customer whose id holds no records any more."""

import polars as pl

from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot


def what_became(snapshot: Snapshot, cuid: Cuid) -> str:
    """Return in words what became of a customer: merged into which, erased, without records, or never there."""
    history = snapshot.read(CUID_HISTORY.name)
    if history.filter(pl.col("cuid") == cuid).is_empty():
        return "no customer has this id"
    heirs = dict(history.filter(pl.col("event") == "merged_into").select("cuid", "other_cuid").iter_rows())
    heir = cuid
    while heir in heirs:  # the heir may have been merged in turn; a chain ends, for an id once merged never holds again
        heir = Cuid(heirs[heir])
    erased = history.filter((pl.col("cuid") == heir) & (pl.col("event") == "erased"))
    if not erased.is_empty():
        return f"this customer was erased on {erased['happened_at'][0]:%Y-%m-%d}"
    if not history.filter((pl.col("cuid") == heir) & (pl.col("event") == "retired")).is_empty():
        return "this customer has no records any more"
    return f"this customer was merged into {heir}"
