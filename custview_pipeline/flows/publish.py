"""Builds the views that consumers read."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE, GOLDEN_RECORDS
from custview_pipeline.flows.current import current_crosswalk, mark_of
from custview_pipeline.kernel.ports import LakeWriter
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.views.core import build_core

STAGE: Final = "views"


@dataclass(frozen=True, slots=True)
class Publication:
    """What was built: rows by view, and whether anything had to be."""

    is_unchanged: bool
    core_count: int


def publish(lake: LakeWriter, *, run_id: str) -> Publication:
    """Build the core view from the current golden records."""
    snapshot = lake.snapshot()
    mark = mark_of(snapshot, GOLDEN_RECORDS.name, "crosswalk", settings="1")
    if mark == snapshot.consumed(STAGE):
        return Publication(is_unchanged=True, core_count=snapshot.read(CUSTOMER_CORE.name, ["cuid"]).height)
    with silenced("building the core view"):
        golden = newest(snapshot.read(GOLDEN_RECORDS.name), ["cuid"]).filter(pl.col("is_active"))
        core = build_core(golden, current_crosswalk(snapshot))
    with silenced("storing the core view"), lake.commit(run_id) as commit:
        commit.replace(CUSTOMER_CORE.name, core)
        commit.consume(STAGE, mark)
    return Publication(is_unchanged=False, core_count=core.height)
