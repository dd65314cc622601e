"""Records that decisions are about, under the names that commands take."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest

_NAME: Final = ("record_id", "version", "source_system", "source_key")


class Subject(NamedTuple):
    """A record: its name, ``SOURCE:KEY``, and the customer that it belongs to now; None where it belongs to none."""

    name: str
    cuid: str | None


def subjects_of(snapshot: Snapshot, decisions: pl.DataFrame) -> dict[int, Subject]:
    """Return by record id the records that decisions are about; those that were erased are missing.

    Args:
        snapshot: The lake.
        decisions: Rows of review_decisions.
    """
    with silenced("naming records"):
        named = [decisions[name].alias("record_id") for name in ("left_id", "right_id", "record_id")]
        wanted = pl.concat([*named, decisions["member_ids"].explode().alias("record_id")]).drop_nulls().unique()
        is_wanted = pl.col("record_id").is_in(wanted.implode())
        held = newest(snapshot.read(PROTECTED_RECORDS.name, _NAME, where=is_wanted), ["record_id"])
        owners = newest(snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"], where=is_wanted), ["record_id"])
        known = held.join(owners.select("record_id", "cuid"), on="record_id", how="left").sort("record_id")
        told = known.select("record_id", pl.concat_str("source_system", "source_key", separator=":"), "cuid")
        return {record_id: Subject(name, cuid) for record_id, name, cuid in told.iter_rows()}
