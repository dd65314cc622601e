"""Keeps what each run of matching found, and compares it with the first whole run of the same model."""

from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.matching_tables import MATCH_VOLUMES
from custview_pipeline.flows.link_rows import Found
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.drift import Volume, drifted, level_shift, volume_of
from custview_pipeline.matching.found import MatchedType


class Watched(NamedTuple):
    """What there is to keep of a run of matching, and to say.

    Attributes:
        volumes: Rows of match_volumes.
        warnings: How a change drifts from the model, in words.
    """

    volumes: pl.DataFrame
    warnings: tuple[str, ...]


def watch(snapshot: Snapshot, found: Found) -> Watched:
    """Return the rows of match_volumes, and what drifts."""
    stored = snapshot.read(MATCH_VOLUMES.name).filter(pl.col("scope") == "whole").sort("happened_at")
    rows, warnings = [], list[str]()
    for part in found.parts:
        volume = volume_of(part, None if found.since is None else found.since.changed)
        before = _before(stored, part)
        if before is not None:
            warnings += drifted(str(part.entity_type), volume, before)
        rows.append(_row(part, volume, found, None if before is None else level_shift(volume, before)))
    return Watched(pl.DataFrame(rows, schema=MATCH_VOLUMES.types), tuple(warnings))


def _before(stored: pl.DataFrame, part: MatchedType) -> Volume | None:
    """Return what the first whole run by the same model found: a later one would drift along."""
    version = part.model.version if part.model else ""
    found = stored.filter((pl.col("entity_type") == str(part.entity_type)) & (pl.col("model_version") == version)).head(1)
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    return Volume(row["changed_count"], row["compared_count"], row["match_count"], tuple(row["levels"]))


def _row(part: MatchedType, volume: Volume, found: Found, shift: float | None) -> dict[str, object]:
    return {
        "run_id": found.run_id,
        "entity_type": str(part.entity_type),
        "scope": "whole" if found.since is None else "change",
        "model_version": part.model.version if part.model else "",
        "changed_count": volume.records,
        "compared_count": volume.compared,
        "match_count": volume.matches,
        "level_shift": shift,
        "levels": list(volume.levels),
        "happened_at": found.now,
    }
