"""Any sequence of deliveries and decisions, refreshed step by step, ends where a run over everything does."""

import random
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.contracts.golden_tables import CUSTOMER_CORE, GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY, MATCH_EDGES, MATCH_GROUPS, REVIEW_TASKS
from custview_pipeline.flows.current import current_crosswalk, current_edges, current_groups, current_records, current_tasks
from custview_pipeline.flows.decisions import add_decisions, standing_answers, withdraw_decisions
from custview_pipeline.flows.upkeep import compact
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.factories import NOW
from custview_pipeline_tests.flows.conftest import House, a_house
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in
from custview_pipeline_tests.flows.test_link_changes import counted, told
from custview_pipeline_tests.matching.people import population

pytestmark = pytest.mark.slow

SEEDS = st.integers(0, 10**6)
PEOPLE = population(3)[:60]
MADE_BY = {"version", "run_id", "rulebook_version", "valid_from_at"}


def said_by(facts):
    """Return what a record of these facts says."""
    return {"name": f"{facts['given']} {facts['family']}", **({"email": facts["email"]} if facts.get("email") else {})}


def state_of(house: House) -> dict[str, pl.DataFrame]:
    """Return what holds now, without who found it and when."""
    snapshot = house.lake.snapshot()
    groups = current_groups(snapshot).filter(pl.len().over("group_id") > 1)
    golden, core = (newest(snapshot.read(table.name), ["cuid"]).filter("is_active") for table in (GOLDEN_RECORDS, CUSTOMER_CORE))
    lineage = snapshot.read(GOLDEN_LINEAGE.name).join(golden, on=["cuid", "version"], how="semi")
    frames = {
        "crosswalk": current_crosswalk(snapshot),
        "edges": current_edges(snapshot),
        "groups": groups,
        "tasks": current_tasks(snapshot),
        "golden": golden,
        "lineage": lineage.sort("cuid", "attribute", "rank"),
        "core": core,
    }
    return {name: frame.drop(MADE_BY & set(frame.columns)) for name, frame in frames.items()}


class Refreshes(RuleBasedStateMachine):
    """A lake that deliveries and decisions come to; after each the customers are refreshed."""

    @initialize()
    def begin(self):
        """Take some people in and run everything once."""
        self.folder = Path(tempfile.mkdtemp())
        keys = self.folder / "keys"
        self.house = a_house(self.folder / "lake", Keyring.open(FileKeyProvider(keys), KeyDirectory(keys)))
        self.versions = dict.fromkeys(range(1, len(PEOPLE) + 1), 1)
        self.runs = 0
        self.store(*(Record(number, facts, said_by(facts)) for number, facts in enumerate(PEOPLE, 1)))
        self.refresh()

    def teardown(self):
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def store(self, *records):
        """Commit records as a delivery would."""
        take_in(self.house.lake, self.house.keyring, *records)

    def refresh(self):
        """Run the flows behind the airlock."""
        self.runs += 1
        self.house.run(f"run-{self.runs}")

    @rule(seed=SEEDS)
    def records_change_and_come(self, seed):
        """Deliver records that are new or changed."""
        chance = random.Random(seed)  # noqa: S311 -- invented
        for number in {chance.choice([chance.randint(1, 60), chance.randint(61, 90)]) for _ in range(chance.randint(1, 4))}:
            facts = dict(chance.choice(PEOPLE))
            if chance.random() < 0.5:
                facts |= {"family": facts["family"][:-1] + "x"}
            self.versions[number] = self.versions.get(number, 0) + 1
            source = chance.choice(["crm", "web"])
            self.store(Record(number, facts, said_by(facts), source_system=source, version=self.versions[number]))
        self.refresh()

    @rule(seed=SEEDS)
    def records_go(self, seed):
        """Deliver that records are gone."""
        chance = random.Random(seed)  # noqa: S311 -- invented
        alive = current_records(self.house.lake.snapshot())["record_id"].to_list()
        for number in chance.sample(alive, min(len(alive), chance.randint(1, 3))):
            self.versions[number] += 1
            remove(self.house.lake, number, version=self.versions[number])
        self.refresh()

    @rule(seed=SEEDS, is_match=st.booleans())
    def somebody_decides(self, seed, is_match):
        """Say of a pair what the model does not."""
        chance = random.Random(seed)  # noqa: S311 -- invented
        edges = current_edges(self.house.lake.snapshot()).filter(pl.col("decision") != ("MATCH" if is_match else "NO_MATCH"))
        if edges.is_empty():
            return
        left, right = chance.choice(edges.select("left_id", "right_id").rows())
        said = {
            "left_id": [left], "right_id": [right], "decision": ["match" if is_match else "not_a_match"], "reason": [None],
            "decided_by": ["ada"], "decided_at": [NOW + timedelta(minutes=self.runs)], "origin": ["steward"],
        }  # fmt: skip
        with self.house.lake.writer() as writer:
            add_decisions(writer, pl.DataFrame(said, schema_overrides={"reason": pl.String}), f"decision-{self.runs}")
        self.refresh()

    @rule(seed=SEEDS, kind=st.sampled_from(["split_off", "lock"]))
    def somebody_decides_about_a_customer(self, seed, kind):
        """Split a record off from the others of its customer, or lock a customer."""
        chance = random.Random(seed)  # noqa: S311 -- invented
        owners = current_crosswalk(self.house.lake.snapshot()).group_by("cuid").agg("record_id").sort("cuid")
        several = [sorted(each) for each in owners["record_id"] if len(each) > 1 or kind == "lock"]
        if not several:
            return
        members = chance.choice(several)
        split = chance.choice(members) if kind == "split_off" else None
        said = {
            "decision": [kind], "record_id": [split], "member_ids": [[each for each in members if each != split]],
            "decided_by": ["ada"], "decided_at": [NOW + timedelta(minutes=self.runs)], "origin": ["steward"],
        }  # fmt: skip
        with self.house.lake.writer() as writer:
            add_decisions(writer, pl.DataFrame(said, schema_overrides={"record_id": pl.Int64}), f"decision-{self.runs}")
        self.refresh()

    @rule()
    def somebody_takes_an_answer_back(self):
        """Withdraw an answer."""
        answers = standing_answers(self.house.lake.snapshot())["decision_id"].to_list()
        if answers:
            with self.house.lake.writer() as writer:
                withdraw_decisions(writer, answers[:1], NOW, f"withdrawal-{self.runs}", "ada")
            self.refresh()

    @rule()
    def the_lake_is_compacted(self):
        """Compact, which changes nothing that holds, and hides nothing from the next run."""
        before = state_of(self.house)
        with self.house.lake.writer() as writer:
            compact(writer, run_id=f"compaction-{self.runs}")
        assert all(frame.equals(before[name]) for name, frame in state_of(self.house).items())
        assert self.house.run(f"after-compaction-{self.runs}").linkage.is_unchanged

    @invariant()
    def a_run_over_everything_finds_nothing_else(self):
        """Compare with a run over everything on a copy of the lake."""
        other = self.folder / "whole"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(self.house.lake.root, other)
        whole = House(DeltaLake(other, self.house.keyring), self.house.keyring, self.house.contracts)
        report = whole.run(f"whole-{self.runs}", is_whole=True)
        refreshed, rebuilt = state_of(self.house), state_of(whole)
        for name, frame in refreshed.items():
            assert frame.equals(rebuilt[name]), name
        assert report.linkage.is_whole
        assert report.linkage.moved_count == 0
        assert not any(promise.broken_count for promise in report.assessment.promises)

    @invariant()
    def no_row_comes_twice_and_the_counts_are_right(self):
        """Compare what the last run told with what there is."""
        snapshot = self.house.lake.snapshot()
        for table in (MATCH_EDGES, MATCH_GROUPS, REVIEW_TASKS, CROSSWALK, CUID_HISTORY):
            assert not snapshot.read(table.name).select(table.key).is_duplicated().any(), table.name
        assert counted(snapshot) == told(snapshot)

    @invariant()
    def ids_are_never_given_twice(self):
        """Look for an id that was minted twice."""
        history = self.house.lake.snapshot().read(CUID_HISTORY.name)
        created = history.filter(pl.col("event") == "created")["cuid"]
        assert created.is_unique().all()


TestRefreshes = Refreshes.TestCase
TestRefreshes.settings = settings(
    max_examples=3, stateful_step_count=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
