"""Builds the views that consumers read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE, GOLDEN_RECORDS
from custview_pipeline.flows.current import mark_of
from custview_pipeline.flows.touched import Touched, count_active, golden_now, is_of, members_of, touched_since
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.views.core import GOLDEN_COLUMNS, build_core, change_core

STAGE: Final = "views"
_RULES: Final = "2"  # raise it where the same golden records would be shown otherwise


@dataclass(frozen=True, slots=True)
class Publication:
    """What was built.

    Attributes:
        is_unchanged: Nothing had to be.
        core_count: Customers that the core view shows.
        is_whole: It was built for every customer, not for those that a change touched.
        changed_count: Rows of the core view that are new, changed or ended.
    """

    is_unchanged: bool
    core_count: int
    is_whole: bool = False
    changed_count: int = 0


def publish(lake: LakeWriter, *, run_id: str, is_whole: bool = False) -> Publication:
    """Build the core view of the customers that a change touched, and store the rows that differ.

    Args:
        lake: The lake, held for writing.
        run_id: The run.
        is_whole: Whether to build it for every customer anew. What is stored is the same.
    """
    snapshot = lake.snapshot()
    mark = mark_of(snapshot, GOLDEN_RECORDS.name, "crosswalk", settings=_RULES)
    if mark == snapshot.consumed(STAGE) and not is_whole:
        return Publication(is_unchanged=True, core_count=count_active(snapshot, CUSTOMER_CORE.name))
    with silenced("building the core view"):
        touched = None if is_whole else touched_since(snapshot, STAGE, mark)
        changed = changed_core(snapshot, touched, now=datetime.now(UTC))
    with silenced("storing the core view"), lake.commit(run_id) as commit:
        commit.append(CUSTOMER_CORE.name, changed)
        commit.consume(STAGE, mark)
    count = count_active(lake.snapshot(), CUSTOMER_CORE.name)
    return Publication(is_unchanged=False, core_count=count, is_whole=touched is None, changed_count=changed.height)


def changed_core(snapshot: Snapshot, touched: Touched | None, *, now: datetime) -> pl.DataFrame:
    """Return the rows of customer_core to append for the customers that were touched, or by default for all."""
    cuids = None if touched is None else touched.cuids
    built = build_core(golden_now(snapshot, touched, GOLDEN_COLUMNS), members_of(snapshot, cuids, ["source_system"]))
    return change_core(built, snapshot.read(CUSTOMER_CORE.name, where=None if cuids is None else is_of(cuids)), now=now)


def current_core(snapshot: Snapshot) -> pl.DataFrame:
    """Return the core view as it holds now: rows of customer_core of the active customers, by cuid."""
    return newest(snapshot.read(CUSTOMER_CORE.name), ["cuid"]).filter("is_active")
