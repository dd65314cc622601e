"""A small lake of two sources, and one through which the flows have passed."""

import shutil
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.link import link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import LATER, source_contract
from custview_pipeline_tests.flows.delivery_desk import TIMED_HEADERS, Desk
from custview_pipeline_tests.flows.foretold import RECORDS
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

ADA = {"given": "ada", "family": "winterbourne", "birth_date": "1961-04-17", "phones": ["2025550143"]}
OTTO = {"given": "otto", "family": "keating", "birth_date": "1980-11-02", "phones": ["2025559876"]}

STRANGERS = [("berta", "oakley"), ("clara", "jarvis"), ("doris", "fairfax")]


def _stranger(number: int, given: str, family: str) -> Record:
    facts = {"given": given, "family": family, "birth_date": f"19{number}-02-03", "phones": [f"20255500{number}"]}
    return Record(number, facts, {})


FIRST_DELIVERY = (
    Record(1, ADA, {"name": "Ada Winterbourne", "phone": "+12025550143", "country": "US"}),
    Record(2, ADA, {"name": "A. Winterbourne", "email": "ada@example.org"}, source_system="web", cells={"updated_at": LATER}),
    Record(3, OTTO, {"name": "Otto Keating", "email": "not an address", "country": "GB"}, invalid=["email"]),
    *(_stranger(number, *name) for number, name in enumerate(STRANGERS, 60)),
)


@dataclass(frozen=True)
class House:
    """A lake and what the flows need."""

    lake: DeltaLake
    keyring: Keyring
    contracts: tuple[SourceContract, ...]

    def run(self, run_id: str = "run-1", *, rulebook: Rulebook | None = None, is_whole: bool = False) -> SimpleNamespace:
        """Pass the lake through every flow behind the airlock and return their reports."""
        rulebook = rulebook or Rulebook()
        id_key = self.keyring.current(Purpose.ID)[1]
        how = {"run_id": run_id, "is_whole": is_whole}
        with self.lake.writer() as writer:
            return SimpleNamespace(
                linkage=link(writer, rulebook, id_key, progress=Unwatched(), **how),
                survival=survive(writer, self.contracts, rulebook, progress=Unwatched(), **how),
                publication=publish(writer, **how),
                assessment=assess(writer, self.contracts, rulebook, **how),
            )


@pytest.fixture(scope="session")
def keyring(tmp_path_factory) -> Keyring:
    directory = tmp_path_factory.mktemp("flows") / "keys"
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


def a_house(root, keyring):
    crm = source_contract("crm", "full_name", "phone", "email", "country", trust=0.9, freshness_hours=1.0)
    web = source_contract("web", "full_name", "email", trust=0.4)
    return House(DeltaLake(root, keyring), keyring, (crm, web))


@pytest.fixture(scope="session")
def crowd(tmp_path_factory, keyring) -> House:
    """Return a house of many duplicates that was run once, not to be changed."""
    house = a_house(tmp_path_factory.mktemp("crowd") / "lake", keyring)
    take_in(house.lake, keyring, *RECORDS)
    house.run("run-1")
    return house


@pytest.fixture
def own_crowd(crowd, tmp_path) -> House:
    """Return the same house, to go on with."""
    shutil.copytree(crowd.lake.root, tmp_path / "lake")
    return a_house(tmp_path / "lake", crowd.keyring)


@pytest.fixture
def empty_house(tmp_path, keyring) -> House:
    return a_house(tmp_path / "lake", keyring)


@pytest.fixture
def house(empty_house) -> House:
    take_in(empty_house.lake, empty_house.keyring, *FIRST_DELIVERY)
    return empty_house


@pytest.fixture(scope="session")
def finished(tmp_path_factory, keyring) -> tuple[House, SimpleNamespace]:
    """Return a house that was run once, not to be changed, and the reports of that run."""
    house = a_house(tmp_path_factory.mktemp("finished") / "lake", keyring)
    take_in(house.lake, house.keyring, *FIRST_DELIVERY)
    return house, house.run()


@pytest.fixture
def once_run(finished, tmp_path) -> House:
    """Return a house that was run once, to go on with."""
    house, _ = finished
    shutil.copytree(house.lake.root, tmp_path / "lake")
    return a_house(tmp_path / "lake", house.keyring)


@pytest.fixture
def timed_desk(tmp_path, keyring) -> Desk:
    """Return a desk whose source delivers changes, and tells when they were made and what it deleted."""
    attributes = TIMED_HEADERS[1:]
    contract = source_contract("crm", *attributes, max_refused_share=1.0, extract="changes", file="contracts/crm.odcs.yaml")
    desk = Desk(tmp_path, keyring, contract)
    desk.redefine("source_key", is_required=True, is_unique=True)
    return desk


@pytest.fixture
def desk(tmp_path, keyring) -> Desk:
    contract = source_contract("crm", "full_name", "email", max_refused_share=1.0, file="contracts/crm.odcs.yaml")
    desk = Desk(tmp_path, keyring, contract)
    desk.redefine("source_key", is_required=True, is_unique=True)
    return desk
