"""Stores what batches became in the airlock: keys, records, the index, and the rows that were refused."""

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS, RECORD_ISSUES
from custview_pipeline.flows.airlock import Admission
from custview_pipeline.flows.index_rows import store_index
from custview_pipeline.flows.quarantine import with_reasons_of_now
from custview_pipeline.kernel.ports import Commit, Snapshot


def store_admitted(commit: Commit, snapshot: Snapshot, admissions: list[Admission], tombstones: pl.DataFrame) -> None:
    """Store keys, then what they open, then the index.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        admissions: What the batches became.
        tombstones: Rows of protected_records of records that are gone.
    """
    if admissions:
        commit.add_keys(pl.concat([admission.keys for admission in admissions]))
    commit.append(PROTECTED_RECORDS.name, pl.concat([*(admission.protected for admission in admissions), tombstones]))
    if admissions:
        commit.append(RECORD_ISSUES.name, pl.concat([admission.issues for admission in admissions]))
        store_index(commit, snapshot, [admission.indexed for admission in admissions])


def refused_of(admissions: list[Admission]) -> pl.DataFrame:
    """Return record_id, content_digest, reasons of every row that was refused."""
    schema = {name: QUARANTINED_RECORDS.types[name] for name in ("record_id", "content_digest", "reasons")}
    return pl.concat([pl.DataFrame(schema=schema), *(admission.refused for admission in admissions)])


def store_refused(commit: Commit, snapshot: Snapshot, admissions: list[Admission], quarantined: pl.DataFrame) -> None:
    """Store the rows that are not in quarantine yet; of those that are, what they are refused for now.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        admissions: What the batches became.
        quarantined: Open columns of the rows of this source that are in quarantine.
    """
    if not admissions:
        return
    added = pl.concat([admission.quarantined for admission in admissions])
    same = ["record_id", "content_digest"]
    now = refused_of(admissions).unique(same).rename({"reasons": "reasons_now"})
    judged_anew = quarantined.join(now, on=same, how="inner", nulls_equal=True)
    if judged_anew.filter(pl.col("reasons") != pl.col("reasons_now")).is_empty():
        commit.append(QUARANTINED_RECORDS.name, added)
        return
    renewed = with_reasons_of_now(snapshot.read(QUARANTINED_RECORDS.name), judged_anew)
    commit.replace(QUARANTINED_RECORDS.name, pl.concat([renewed, added]))
