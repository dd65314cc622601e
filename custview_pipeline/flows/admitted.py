"""Stores what batches became in the airlock: keys, records, the index, and the rows that were refused."""

from collections.abc import Callable
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS, QUARANTINED_RECORDS, RECORD_ISSUES
from custview_pipeline.flows.airlock import Admission
from custview_pipeline.flows.index_rows import begin_generations, store_index
from custview_pipeline.flows.quarantine import with_reasons_of_now
from custview_pipeline.kernel.ports import Commit, Snapshot

_PORTION_ROWS: Final = 500_000  # some 1.5 GiB


def store_admitted(commit: Commit, snapshot: Snapshot, admissions: list[Admission]) -> None:
    """Store what some batches became: keys, then what they open, then the index.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        admissions: What the batches became.
    """
    store = AdmissionStore(commit, snapshot)
    for admission in admissions:
        store.add(admission)
    store.flush()


class AdmissionStore:
    """Stores what the batches of a delivery become, portion by portion where they are many: memory holds one portion.

    Attributes:
        admissions: What each batch became; of those that are stored only what is asked afterwards: counts, the rows that were
            refused, and version and updated_at of those that were not.
    """

    def __init__(
        self, commit: Commit, snapshot: Snapshot, timed: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows
    ) -> None:
        """Prepare to store.

        Args:
            commit: The commit.
            snapshot: The lake as it was when the commit began.
            timed: Completes the times of protected rows.
        """
        self._commit, self._snapshot, self._timed = commit, snapshot, timed
        self._stored_count = 0
        self.admissions: list[Admission] = []

    def add(self, admission: Admission) -> None:
        """Take what a batch became; it is stored with those that wait where they are many."""
        self.admissions.append(admission)
        if sum(waiting.protected.height for waiting in self.admissions[self._stored_count :]) >= _PORTION_ROWS:
            self.flush()

    def flush(self, gone: pl.DataFrame | None = None) -> None:
        """Store what waits: keys, then what they open, then the index.

        Args:
            gone: Rows of protected_records of records that are gone, to be stored with it.
        """
        waiting = self.admissions[self._stored_count :]
        if waiting and self._stored_count == 0:
            begin_generations(self._commit, self._snapshot, dict.fromkeys(name for each in waiting for name in each.indexed))
        if waiting:
            self._commit.add_keys(pl.concat([admission.keys for admission in waiting]))
        protected = self._timed(pl.concat([PROTECTED_RECORDS.empty(), *(admission.protected for admission in waiting)]))
        self._commit.append(PROTECTED_RECORDS.name, protected if gone is None else pl.concat([protected, gone]))
        if waiting:
            self._commit.append(RECORD_ISSUES.name, pl.concat([admission.issues for admission in waiting]))
            store_index(self._commit, [admission.indexed for admission in waiting])
        self.admissions[self._stored_count :] = [_remembered(admission) for admission in waiting]
        self._stored_count = len(self.admissions)


def _remembered(stored: Admission) -> Admission:
    return stored._replace(
        protected=stored.protected.select("version", "updated_at"),
        keys=stored.keys.clear(),
        issues=stored.issues.clear(),
        indexed={},
    )


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
