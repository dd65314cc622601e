"""The code location: everything Dagster is told, in one place.

``build_definitions`` is what the command line and tests call; ``custview`` is what ``workspace.yaml`` loads.
"""

import dagster as dg

from custview_pipeline.adapters.current_project import find_project, is_missing_demo
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.contracts.project import Project
from custview_pipeline.defs.alerts import alert_sensor
from custview_pipeline.defs.customers import audit_lake, build_customer_core, elect_golden_records, linking
from custview_pipeline.defs.intake import admission_of, files_of, intake_keys
from custview_pipeline.defs.jobs import NIGHTLY, REFRESH, backfill_of
from custview_pipeline.defs.reaper import runs_without_process
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.sensors import sensor_of
from custview_pipeline.defs.upkeep import UPKEEP, lake_upkeep
from custview_pipeline.demo.world import generate
from custview_pipeline.kernel.ports import Progress, Unwatched
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.silent_process import silence_process


def build_definitions(project: Project, progress: Progress | None = None) -> dg.Definitions:
    """Return the assets, jobs and sensors of one project.

    Args:
        project: The project.
        progress: Who is told how a run is going; nobody by default.
    """
    contracts = project.contracts
    protected = [intake_keys(contract.source_system)[-1].to_user_string() for contract in contracts]
    return dg.Definitions(
        assets=[
            *(files_of(contract) for contract in contracts),
            *(admission_of(contract) for contract in contracts),
            linking(protected),
            elect_golden_records,
            build_customer_core,
            audit_lake,
        ],
        jobs=[REFRESH, lake_upkeep, *(backfill_of(contract) for contract in contracts)],
        schedules=[NIGHTLY, UPKEEP],
        sensors=[*(sensor_of(contract) for contract in contracts), alert_sensor(project.name), runs_without_process],
        resources={"project": ProjectResource(directory=str(project.directory)), "progress": progress or Unwatched()},
        executor=dg.in_process_executor,
    )


@dg.definitions
def custview() -> dg.Definitions:
    """Return the definitions of the current project: CUSTVIEW_PROJECT, the working directory, or the demo, made where absent."""
    silence_process()
    with silenced("loading the project"):
        directory = find_project(None)
        if is_missing_demo(directory):
            generate(directory)
        return build_definitions(load_project(directory))
