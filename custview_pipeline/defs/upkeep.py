"""Upkeep of the lake by night: compaction and vacuum, as a job of its own that no customer waits for."""

from typing import Final

import dagster as dg

from custview_pipeline.defs.jobs import WRITER_TAG
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.stages import stage
from custview_pipeline.flows.upkeep import compact, vacuum
from custview_pipeline.kernel.ports import Progress


@dg.op(out=dg.Out(dg.Nothing), description="Merges small files of the lake and removes what no reader needs any more.")
def compact_and_vacuum(context: dg.OpExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]) -> None:
    """Compact and vacuum the lake; how much that was is in the run's tags, for an op without output has nothing else to show."""
    with stage("upkeep", progress):
        writer = project.writer()
        compaction = compact(writer, run_id=context.run_id)
        removed = vacuum(writer)
    progress.done("compaction", compaction)
    progress.done("vacuum", removed)
    counts = {
        "custview/compacted_tables": len(compaction.tables),
        "custview/removed_files": removed.file_count,
        "custview/removed_bytes": removed.byte_count,
    }
    context.instance.add_run_tags(context.run_id, {name: str(count) for name, count in counts.items()})


@dg.job(
    tags={WRITER_TAG: "lake"},
    executor_def=dg.in_process_executor,
    description="Compaction and vacuum of the lake.",
)
def lake_upkeep() -> None:
    """Keep the lake small."""
    compact_and_vacuum()


UPKEEP: Final = dg.ScheduleDefinition(
    name="nightly_upkeep",
    job=lake_upkeep,
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compaction and vacuum of the lake, two hours after the reconciliation; a run that is still at work goes first.",
)
