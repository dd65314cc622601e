"""Tests of ``custview_pipeline.defs.resources``: whoever asks for the right to write first carries out what is queued."""

import shutil
from datetime import UTC, datetime

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.erasure import CarriedOut
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.erasure_request import Stated, ask_for, choose_customer
from custview_pipeline.kernel.errors import LedgerDamaged
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.defs.conftest import surroundings
from custview_pipeline_tests.interrupted import open_keys, run_flows
from custview_pipeline_tests.worlds import COLUMNS, SourceSpec, World, make_world, people

FEW = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "born")}


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("settled") / "world", SourceSpec("crm", columns=FEW))
    world.deliver("crm", people(8, of="crm"))
    run_flows(world.directory, open_keys(world.keys))
    return world


@pytest.fixture
def world(settled, tmp_path):
    shutil.copytree(settled.root, tmp_path / "world")
    return World(tmp_path / "world", settled.sources)


@pytest.fixture
def project(world):
    resource = ProjectResource(directory=str(world.directory))
    with surroundings(world, {}):
        yield resource
        resource.teardown_after_execution(None)


def customers(world):
    return current_crosswalk(DeltaLake(world.lake, open_keys(world.keys)).snapshot()).sort("source_key")["cuid"].to_list()


def queue(project, cuid):
    id_key, chosen = project.keyring.current(Purpose.ID)[1], choose_customer(project.lake().snapshot(), Cuid(cuid))
    project.ledger().append(ask_for(chosen, id_key, Stated("ada", "r", None), now=datetime.now(UTC)))


def test_every_stage_begins_with_what_was_queued_before_it(world, project):
    first, second, *others = customers(world)
    queue(project, first)
    writer = project.writer()
    assert customers(world) == [second, *others]
    assert writer.snapshot().erasures() == tuple(entry.erasure_id for entry in project.ledger().entries())

    queue(project, second)
    assert customers(world) == [second, *others], "it is queued: this run has the lake"
    assert project.writer() is writer
    assert customers(world) == others
    noted = [line for line in project.ledger().lines() if isinstance(line, CarriedOut)]
    assert len({line.run_id for line in noted}) == 2


def test_deliveries_are_told_of_every_erased_record(world, project):
    assert project.erased_marks().to_list() == []
    queue(project, customers(world)[0])
    (entry,) = project.ledger().entries()
    assert project.erased_marks().to_list() == list(entry.record_marks)


def test_nothing_else_is_done_where_the_ledger_cannot_be_read(world, project):
    (world.keys / "erasures.jsonl").write_text("Wilhelmina\n", encoding="utf-8")
    (world.keys / "erasures.jsonl").chmod(0o600)
    with pytest.raises(LedgerDamaged, match="line 1 is none of a ledger of erasures"):
        project.writer()
