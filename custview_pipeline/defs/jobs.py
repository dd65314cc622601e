"""Jobs and schedules: what people, sensors and the night start by name."""

from typing import Final

import dagster as dg

WRITER_TAG: Final = "custview/writer"
DOWNSTREAM: Final = [
    dg.AssetKey(name)
    for name in (
        "match_model", "match_edges", "crosswalk", "cuid_history", "review_tasks", "golden_records", "golden_lineage",
        "customer_core", "quality_scores", "audit_findings",
    )
]  # fmt: skip

REFRESH: Final = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    tags={WRITER_TAG: "lake"},
    description="The main job: take in every source, match, elect golden records, build views, audit.",
)

NIGHTLY: Final = dg.ScheduleDefinition(
    name="nightly_refresh",
    job=REFRESH,
    cron_schedule="30 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The main job every night, for whatever no sensor saw.",
)
