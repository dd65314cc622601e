"""A newcomer's first run: the project that ``custview init`` writes has three records of two customers."""

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.new_project import write_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.flows.link import link
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.wrapped_keys import Purpose


def test_the_first_project_of_a_newcomer_links_its_two_renderings_of_one_person(tmp_path, keyring):
    write_project(tmp_path / "mine")
    project = load_project(tmp_path / "mine")
    (contract,) = project.contracts
    intake = Intake(
        contract, SourceFiles(project.directory, contract), project.region, keyring.airlock_keys(), 1, "run-1", Unwatched()
    )

    with DeltaLake(project.lake, keyring).writer() as writer:
        deliver(intake, writer)
        found = link(writer, project.rulebook, keyring.current(Purpose.ID)[1], run_id="run-1", progress=Unwatched())

    assert (found.record_count, found.customer_count, found.largest_customer) == (3, 2, 2)
