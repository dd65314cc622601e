"""Deliveries that wait for a person: what was decided of the files at hand, and what is written when that changes."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import HELD_DELIVERIES
from custview_pipeline.flows.examine import Reading
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

_ID_DIGITS: Final = 16


class Standing(StrEnum):
    """What a held delivery is."""

    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"
    TAKEN_IN = "taken_in"
    SUPERSEDED = "superseded"


CLOSED: Final = (Standing.TAKEN_IN.value, Standing.SUPERSEDED.value)  # there is nothing left to decide


class Files(NamedTuple):
    """The files of a source as they are now.

    Attributes:
        fingerprint: Their keyed digest.
    """

    source_system: str
    fingerprint: str

    @property
    def held_id(self) -> str:
        """Return the id that they have, or would have, where they are held."""
        return hashlib.sha256(f"held/{self.source_system} {self.fingerprint}".encode()).hexdigest()[:_ID_DIGITS]


class Holding(NamedTuple):
    """What stands open of a source.

    Attributes:
        files: Its files as they are now.
        rows: Current rows of ``HELD_DELIVERIES`` of the source that were neither taken in nor superseded by other files.
        latest_version: Version of the row of these files, whatever it says; 0 where there is none.
    """

    files: Files
    rows: pl.DataFrame
    latest_version: int

    @property
    def standing(self) -> Standing | None:
        """Return what was decided of these files; None where they were never held, were taken in, or others came since."""
        own = self.rows.filter(self._is_own)["status"].to_list()
        return Standing(own[0]) if own else None

    def superseded(self, run_id: str) -> pl.DataFrame:
        """Return the rows to be stored, now that these files are taken up and not those that were held."""
        return restated(self.rows.filter(~self._is_own), Standing.SUPERSEDED, run_id=run_id)

    def taken_in(self, run_id: str) -> pl.DataFrame:
        """Return the rows to be stored with these files, whether a person approved them or the contract lets them pass now."""
        own = restated(self.rows.filter(self._is_own), Standing.TAKEN_IN, run_id=run_id)
        return pl.concat([self.superseded(run_id), own])

    @property
    def _is_own(self) -> pl.Expr:
        return pl.col("held_id") == self.files.held_id


def current_held(snapshot: Snapshot) -> pl.DataFrame:
    """Return the current row of each delivery that was ever held, the last one first."""
    return newest(snapshot.read(HELD_DELIVERIES.name), ["held_id"]).sort("held_at", "held_id", descending=[True, False])


def holding_of(snapshot: Snapshot, files: Files) -> Holding:
    """Return what stands open of a source."""
    mine = current_held(snapshot).filter(pl.col("source_system") == files.source_system)
    versions = mine.filter(pl.col("held_id") == files.held_id)["version"].to_list()
    open_rows = mine.filter(~pl.col("status").is_in(CLOSED))
    return Holding(files, open_rows, versions[0] if versions else 0)


def hold(holding: Holding, reading: Reading, *, run_id: str) -> pl.DataFrame:
    """Return the rows to be stored so that the files wait for a person, and what waited before them does no longer.

    Args:
        holding: What stands open of the source.
        reading: What the first pass over the files found.
        run_id: The run.
    """
    row = {
        "held_id": holding.files.held_id,
        "version": holding.latest_version + 1,
        "source_system": holding.files.source_system,
        "fingerprint": holding.files.fingerprint,
        "row_count": reading.changes.rows.height,
        "known_count": reading.known_count,
        "deleted_count": reading.changes.deleted_count,
        "status": Standing.HELD.value,
        "held_at": datetime.now(UTC),
        "run_id": run_id,
    }
    added = [] if holding.standing is Standing.HELD else [row]
    return pl.concat([holding.superseded(run_id), pl.DataFrame(added, schema=HELD_DELIVERIES.types)])


def restated(
    rows: pl.DataFrame, status: Standing, *, run_id: str, decided_by: str | None = None, reason: str | None = None
) -> pl.DataFrame:
    """Return the next version of rows of ``HELD_DELIVERIES``, under another status."""
    return rows.with_columns(
        version=pl.col("version") + 1,
        status=pl.lit(status.value),
        decided_by=pl.lit(decided_by, pl.String),
        decided_at=pl.lit(datetime.now(UTC), HELD_DELIVERIES.types["decided_at"]),
        reason=pl.lit(reason, pl.String),
        run_id=pl.lit(run_id),
    )
