"""``survive``, ``publish`` and ``assess`` on a change store what they store on the whole, and look at what it touched alone."""

from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows import portions
from custview_pipeline.flows.assess import assess
from custview_pipeline.flows.publish import current_core, publish
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.factories import (
    NOW,
    crosswalk,
    cuid,
    cuid_history,
    index_claims,
    protected_records,
    source_contract,
)
from custview_pipeline_tests.flows.memory_lake import MemoryLake

CONTRACTS_OF_SOURCES = (
    source_contract("crm", "full_name", "email", "phone", "country", trust=0.9),
    source_contract("web", "full_name", "email", "phone", trust=0.4),
)
STORED = ("golden_records", "golden_lineage", "customer_core", "change_feed")
MOMENTS = ("valid_from_at", "happened_at")
PLACES = ("cuid", "version", "sequence", "attribute", "rank")


@dataclass(frozen=True)
class Said:
    """One source record, as it is after a step: whose it is (None where it was deleted), and what it says."""

    owner: int | None
    emails: tuple[int, ...] = ()
    country: str | None = None
    is_valid: bool = True
    day: int = 0


@dataclass
class Town:
    """A lake that is filled step by step, and everything that every record ever said."""

    is_whole: bool = False
    lake: MemoryLake = field(default_factory=MemoryLake)
    known: dict[int, tuple[int, int, Said]] = field(default_factory=dict)
    steps: int = 0

    def take_in(self, step):
        """Store what differs, as the airlock and matching would."""
        self.steps += 1
        changed = {record: said for record, said in step.items() if self._before(record)[2] != said}
        moved = {record: said for record, said in changed.items() if self._before(record)[2].owner != said.owner}
        rows, claims, owners = [], [], []
        for record, said in changed.items():
            version, moves, _ = self._before(record)
            rows.append(_row(record, version + 1, said))
            claims += _claims(record, version + 1, said)
            if record in moved:
                owner = None if said.owner is None else cuid(said.owner)
                owners.append({"record_id": record, "version": moves + 1, "cuid": owner, "source_system": _source(record)})
        self.lake.append("cuid_history", cuid_history(*self._happened(moved)))
        for record, said in changed.items():
            version, moves, _ = self._before(record)
            self.known[record] = (version + 1, moves + (record in moved), said)
        self.lake.append("protected_records", protected_records(*rows))
        self.lake.append("crosswalk", crosswalk(*owners))
        if claims:
            self.lake.claims.append(index_claims(*claims))

    def run(self):
        """Run the flows and return their reports."""
        how = {"run_id": f"run-{self.steps}", "is_whole": self.is_whole}
        return (
            survive(self.lake, CONTRACTS_OF_SOURCES, Rulebook(), progress=Unwatched(), **how),
            publish(self.lake, **how),
            assess(self.lake, CONTRACTS_OF_SOURCES, Rulebook(), **how),
        )

    def stored(self, table):
        """Return the rows of a table in one order, without moments."""
        rows = self.lake.read(table)
        return rows.drop(MOMENTS, strict=False).sort([name for name in PLACES if name in rows.columns])

    def feed(self):
        """Return run, customer, event and other customer of each change, strangers left out."""
        told = self.lake.read("change_feed").filter(pl.col("cuid") < cuid(101))
        return told.select("run_id", "cuid", "event", "other_cuid").rows()

    def _before(self, record):
        return self.known.get(record, (0, 0, Said(None)))

    def _happened(self, moved):
        before = {said.owner for *_, said in self.known.values() if said.owner is not None}
        said_now = {record: said for record, (*_, said) in self.known.items()} | moved
        after = {said.owner for said in said_now.values() if said.owner is not None}
        told = set(self.lake.read("cuid_history")["cuid"])
        for ended in sorted(before - after):
            heirs = [said.owner for record, said in moved.items() if self._before(record)[2].owner == ended and said.owner]
            event = {"event": "merged_into", "other_cuid": cuid(heirs[0])} if heirs else {"event": "retired"}
            yield {"cuid": cuid(ended), "happened_at": NOW + timedelta(self.steps), "run_id": f"run-{self.steps}", **event}
        for new in sorted(after - before):
            origins = [self._before(record)[2].owner for record, said in moved.items() if said.owner == new]
            known = [origin for origin in origins if origin is not None]
            if known and cuid(new) not in told:
                yield {"cuid": cuid(new), "event": "split_from", "other_cuid": cuid(known[0]), "run_id": f"run-{self.steps}"}


def _source(record):
    return "web" if record % 2 else "crm"


def _row(record, version, said):
    return {
        "record_id": record,
        "version": version,
        "source_system": _source(record),
        "updated_at": NOW + timedelta(said.day),
        "is_deleted": said.owner is None,
    }


def _claims(record, version, said):
    shared = {"record_id": record, "version": version, "is_valid": said.is_valid}
    for slot, token in enumerate(said.emails if said.owner is not None else ()):
        yield {**shared, "attribute": "email", "slot": slot, "token": token}
    if said.country and said.owner is not None:
        yield {**shared, "attribute": "country", "token": ord(said.country[0]), "open_value": said.country}


# So many that a change of a few is one: a tenth of the records would have everything measured again.
STRANGERS = {record: Said(record, (record,)) for record in range(101, 181)}


@pytest.fixture
def town():
    town = Town()
    town.take_in({1: Said(1, (7,), "GB"), 2: Said(1, (8,)), 3: Said(2, (9,)), 4: Said(3, (4,)), **STRANGERS})
    town.run()
    return town


RECORDS = st.dictionaries(
    st.integers(1, 7),
    st.builds(
        Said,
        st.none() | st.integers(1, 4),
        st.lists(st.integers(1, 3), max_size=2).map(tuple),
        st.sampled_from([None, "GB", "CN"]),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=7,
)


def differing(steps):
    """Run the same steps on changes and on the whole; return what differs after any of them."""
    towns = (Town(is_whole=False), Town(is_whole=True))
    found = []
    for number, step in enumerate([STRANGERS, *steps]):
        reports = []
        for each in towns:
            each.take_in(step)
            reports.append(each.run())
        found += [(number, table) for table in STORED if not towns[0].stored(table).equals(towns[1].stored(table))]
        for (golden, core, audit), each in zip(reports, towns, strict=True):
            held = len({said.owner for *_, said in each.known.values()} - {None})
            found += [(number, promise.name) for promise in audit.promises if promise.broken_count]
            found += [] if golden.golden_count == core.core_count == held else [(number, "counts")]
    return found


@settings(max_examples=5, deadline=None)
@given(st.lists(RECORDS, min_size=2, max_size=4))
def test_any_changes_give_what_working_on_the_whole_each_time_gives(steps):
    assert differing(steps) == []


@pytest.mark.slow
@pytest.mark.thorough
@settings(max_examples=100, deadline=None)
@given(st.lists(RECORDS, min_size=2, max_size=6))
def test_many_more_changes_give_what_working_on_the_whole_each_time_gives(steps):
    assert differing(steps) == []


@pytest.mark.parametrize("portion", [1, 2, 3])
def test_customers_in_small_portions_come_out_the_same(portion, monkeypatch):
    steps = [
        {record: Said(record % 4 + 1, (record % 3,)) for record in range(1, 8)},
        {1: Said(None), 5: Said(None), 3: Said(2, (2,)), 7: Said(4, (1, 2))},
    ]
    whole = Town(is_whole=True)
    for step in steps:
        whole.take_in(step)
        whole.run()
    monkeypatch.setattr(portions, "PORTION", portion)
    parts = Town(is_whole=True)
    for step in steps:
        parts.take_in(step)
        parts.run()

    for table in STORED:
        assert (
            parts.stored(table)
            .drop("sequence", "change_id", strict=False)
            .equals(whole.stored(table).drop("sequence", "change_id", strict=False))
        ), table


def test_only_customers_that_a_change_touched_are_elected(town):
    town.take_in({3: Said(2, (5,))})
    golden, core, audit = town.run()

    assert not any(report.is_whole for report in (golden, core, audit))
    assert (golden.changed_count, golden.candidate_count, golden.golden_count, core.core_count) == (1, 1, 83, 83)
    assert {promise.judged_count for promise in audit.promises} == {1, 2}


def test_a_run_without_changes_stores_nothing_and_commits_nothing(town):
    commits, stored = town.lake.commits, {table: len(parts) for table, parts in town.lake.appended.items()}
    golden, core, audit = town.run()

    assert golden.is_unchanged
    assert core.is_unchanged
    assert {promise.judged_count for promise in audit.promises} == {0}
    assert town.lake.commits == commits
    assert {table: len(parts) for table, parts in town.lake.appended.items()} == stored


def test_a_whole_run_without_changes_stores_no_row_of_a_customer(town):
    before = {table: town.lake.read(table).height for table in STORED}
    town.is_whole = True
    golden, core, audit = town.run()

    assert (golden.is_whole, core.is_whole, audit.is_whole) == (True, True, True)
    assert (golden.changed_count, core.changed_count) == (0, 0)
    assert {table: town.lake.read(table).height for table in STORED} == before


def test_other_settings_are_worked_out_on_everybody(town):
    town.take_in({3: Said(2, (5,))})
    trusting = Rulebook(trust={"web": {"default": 1.0}})
    golden = survive(town.lake, CONTRACTS_OF_SOURCES, trusting, run_id="run-9", progress=Unwatched())

    assert golden.is_whole
    assert golden.candidate_count == 85


def test_where_a_table_was_rewritten_everybody_is_worked_on(town, monkeypatch):
    town.take_in({3: Said(2, (5,))})
    monkeypatch.setattr(town.lake, "appended_since", lambda *_: None)
    golden, core, audit = town.run()

    assert (golden.is_whole, core.is_whole, audit.is_whole) == (True, True, True)
    assert (golden.changed_count, core.changed_count) == (1, 0)


def test_the_former_customer_of_a_record_is_worked_on_too_and_one_of_long_ago_is_not(town):
    town.take_in({2: Said(2, (8,))})
    golden = town.run()[0]
    assert golden.changed_count == 2

    town.take_in({2: Said(2, (6,))})
    audit = town.run()[2]
    judged = {promise.name: promise.judged_count for promise in audit.promises}
    assert judged["completeness__golden_records__every_customer_has_one"] == 1, "customer 1 had the record long ago"


def test_the_core_view_keeps_every_version_and_shows_the_newest(town):
    town.take_in({1: Said(1, (7,), "CN"), 4: Said(None)})
    town.run()
    core = town.lake.read("customer_core").sort("cuid", "version").select("cuid", "version", "country", "is_active").rows()

    assert core[:5] == [
        (cuid(1), 1, "GB", True),
        (cuid(1), 2, "CN", True),
        (cuid(2), 1, None, True),
        (cuid(3), 1, None, True),
        (cuid(3), 2, None, False),
    ]
    assert current_core(town.lake)["cuid"].to_list()[:3] == [cuid(1), cuid(2), cuid(101)]


@pytest.mark.parametrize(("hours", "is_whole"), [(19, False), (21, True)])
def test_everything_is_measured_again_once_a_day(town, hours, is_whole):
    scores = town.lake.appended["quality_scores"]
    town.lake.appended["quality_scores"] = [part.with_columns(pl.col("measured_at") - timedelta(hours=hours)) for part in scores]
    audit = town.run()[2]

    assert audit.is_whole is is_whole
    assert (town.lake.read("quality_scores")["run_id"].n_unique() > 1 or town.lake.commits == 4) is is_whole


@pytest.mark.parametrize(("changed", "is_whole"), [(5, False), (15, True)])
def test_everything_is_measured_again_where_much_changed(changed, is_whole):
    town = Town()
    town.take_in({record: Said(record, (record,)) for record in range(1, 101)})
    town.run()
    town.take_in({record: Said(record, (record + 1,)) for record in range(1, changed + 1)})

    assert town.run()[2].is_whole is is_whole


def test_between_two_measurements_the_last_scores_are_told(town):
    first = town.run()[2]
    town.take_in({3: Said(2, (5,))})
    again = town.run()[2]

    assert not again.is_whole
    assert (again.score_count, again.overall_score, again.by_source, again.below_target) == (
        first.score_count,
        first.overall_score,
        first.by_source,
        first.below_target,
    )


def test_a_promise_broken_by_a_change_is_seen_by_looking_at_the_change_alone(town):
    town.take_in({3: Said(2, (5,))})
    town.lake.append("crosswalk", crosswalk({"record_id": 99, "cuid": cuid(2), "version": 1}))
    audit = town.run()[2]

    assert not audit.is_whole
    assert [promise.name for promise in audit.promises if promise.broken_count] == [
        "consistency__crosswalk__every_row_has_a_record"
    ]


def test_what_is_stored_keeps_its_contract_and_its_key(town):
    town.take_in({1: Said(2, (7,)), 2: Said(5, (8,)), 4: Said(None)})
    town.run()

    for table in STORED:
        frame = town.lake.read(table)
        CONTRACTS[table].assert_holds(frame)
        assert not frame.select(CONTRACTS[table].key).is_duplicated().any(), table


def test_each_change_is_told_once_in_the_feed(town):
    town.take_in({1: Said(2, (7,), "GB"), 2: Said(2, (8,)), 4: Said(None)})
    town.run()
    town.take_in({2: Said(5, (8,)), 4: Said(3, (4,))})
    town.run()

    assert town.feed() == [
        *(("run-1", cuid(number), "created", None) for number in (1, 2, 3)),
        ("run-2", cuid(1), "merged", cuid(2)),
        ("run-2", cuid(2), "updated", None),
        ("run-2", cuid(3), "retired", None),
        ("run-3", cuid(2), "updated", None),
        ("run-3", cuid(3), "reactivated", None),
        ("run-3", cuid(5), "split", cuid(2)),
    ]
    assert town.lake.read("change_feed")["sequence"].to_list() == list(range(1, 90))


def test_the_feed_names_the_attributes_whose_value_changed_and_no_other(town):
    town.take_in({1: Said(1, (7,), "CN"), 3: Said(2, (5,), "GB"), 4: Said(3, (4,), day=2)})
    town.run()
    told = town.lake.read("change_feed").filter(pl.col("run_id") == "run-2").select("cuid", "changed_attributes").rows()

    assert told == [(cuid(1), ["country"]), (cuid(2), ["country", "email"]), (cuid(3), [])]
