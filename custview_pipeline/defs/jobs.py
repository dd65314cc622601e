"""Jobs and schedules: what people, sensors and the night start by name."""

from typing import Final

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition  # not exported

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.defs.customers import audit_lake, build_customer_core, elect_golden_records, linking
from custview_pipeline.defs.intake import intake_keys
from custview_pipeline.defs.stages import WHOLE
from custview_pipeline.kernel.redaction import silenced

WRITER_TAG: Final = "custview/writer"
_OF_CUSTOMERS: Final = (linking(()), elect_golden_records, build_customer_core, audit_lake)
DOWNSTREAM: Final = [spec.key for made in _OF_CUSTOMERS for spec in made.specs]  # whole operations: none can be split

REFRESH: Final = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    tags={WRITER_TAG: "lake"},
    description="The main job: take in every source, match, elect golden records, build views, audit.",
)

_FIRST, _LAST = {"dagster/priority": "1"}, {"dagster/priority": "0"}  # of the runs that wait for each other


@dg.schedule(
    name="nightly_reconciliation",
    job=REFRESH,
    cron_schedule="30 2 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The main job every night, whole: a run for each source, compared in full, then one for all that follows.",
)
def nightly_reconciliation(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    """Ask for a run of each source, then one of the rest: a source that is held or out of reach stops no other."""
    with silenced("planning the night"):
        night = f"{context.scheduled_execution_time:%Y-%m-%d}"
        operations = context.repository_def.assets_defs_by_key.values() if context.repository_def else ()
        sources = {frozenset(made.keys) for made in operations if made.is_executable and made.keys.isdisjoint(DOWNSTREAM)}
        first = [
            dg.RunRequest(run_key=f"{night}:{keys[0].to_user_string()}", asset_selection=keys, tags={**WHOLE, **_FIRST})
            for keys in sorted(map(sorted, sources))
        ]
        return [*first, dg.RunRequest(run_key=f"{night}:all", asset_selection=DOWNSTREAM, tags={**WHOLE, **_LAST})]


NIGHTLY: Final = nightly_reconciliation


def keys_from(source_system: str) -> list[dg.AssetKey]:
    """Return what follows from one source: its own assets, and all that is made of all sources."""
    return [*intake_keys(source_system), *DOWNSTREAM]


def backfill_of(contract: SourceContract) -> UnresolvedAssetJobDefinition:
    """Return the job that takes one source in again, compared in full, and all that follows."""
    return dg.define_asset_job(
        f"backfill_{contract.source_system}",
        selection=dg.AssetSelection.assets(*keys_from(contract.source_system)),
        tags={WRITER_TAG: "lake", **WHOLE},
        description=f"Take in {contract.title} again, compared in full, whatever the sensor makes of it.",
    )
