"""Tests of ``flows.as_of`` and of portraits as of a moment: what was is told as it was; what was erased is not."""

import shutil
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.survivorship_rules import AttributeRule, Survivorship
from custview_pipeline.flows import upkeep
from custview_pipeline.flows.as_of import golden_at, held_at, say_moment
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.portrait import KEPT, portray
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline_tests.factories import NOW, cuid, protected_records
from custview_pipeline_tests.flows.conftest import ADA, OTTO, STRANGERS, House, a_house
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

CLARA = {"given": STRANGERS[1][0], "family": STRANGERS[1][1], "birth_date": "1961-02-03", "phones": ["2025550061"]}


class Story(NamedTuple):
    """A lake in which things happened, and the moments between them."""

    house: House
    first: datetime
    second: datetime
    before: dict[int, str]
    after: dict[int, str]

    def shown(self, record_id, moment, **how):
        """Return the portrait of the customer that a record was of at the first moment."""
        return portray(self.house.lake.snapshot(), self.house.keyring, Cuid(self.before[record_id]), as_of=moment, **how)


def owners(house):
    return dict(current_crosswalk(house.lake.snapshot()).select("record_id", "cuid").rows())


def change(house, *records):
    """Take records in as of now, and run."""
    now = datetime.now(UTC)
    stamped = [
        Record(r.record_id, r.facts, r.values, r.source_system, r.version, r.invalid, {**r.cells, "valid_from_at": now})
        for r in records
    ]
    take_in(house.lake, house.keyring, *stamped, is_delivered=False)
    house.run(f"run-at-{now:%H%M%S%f}", is_whole=True)


def make_story(root, keyring):
    """Ada's telephone changes, Clara turns out to be Otto, Doris is gone."""
    house = a_house(root / "lake", keyring)
    first_records = (
        Record(1, ADA, {"name": "Ada Winterbourne", "phone": "+12025550143", "country": "US"}),
        Record(2, ADA, {"name": "A. Winterbourne", "email": "ada@example.org"}, source_system="web"),
        Record(3, OTTO, {"name": "Otto Keating", "email": "otto@example.org"}),
        Record(61, CLARA, {"name": "Clara Jarvis", "email": "clara@example.org"}),
        Record(62, {"given": "doris", "family": "fairfax", "birth_date": "1962-02-03"}, {"name": "Doris Fairfax"}),
    )
    take_in(house.lake, keyring, *first_records)
    house.run("run-1")
    first, before = datetime.now(UTC), owners(house)
    gone = {"record_id": 62, "version": 2, "payload_sealed": None, "is_deleted": True, "delivery_id": "d2"}
    with house.lake.writer() as writer, writer.commit("run-2") as commit:
        commit.append(PROTECTED_RECORDS.name, protected_records({**gone, "valid_from_at": datetime.now(UTC)}))
    change(
        house,
        Record(1, ADA, {"name": "Ada Winterbourne", "phone": "+12025550199"}, version=2, cells={"delivery_id": "d2"}),
        Record(61, OTTO, {"name": "Clara Jarvis", "phone": "+12025550161"}, version=2, cells={"delivery_id": "d2"}),
    )
    return Story(house, first, datetime.now(UTC), before, owners(house))


@pytest.fixture(scope="module")
def story(tmp_path_factory, keyring):
    return make_story(tmp_path_factory.mktemp("story"), keyring)


def value_of(portrait, attribute):
    return next(iter(portrait.values.filter(pl.col("attribute") == attribute)["value"]), None)


def test_a_customer_is_shown_with_the_values_of_then(story):
    then, now = (story.shown(1, moment, in_full=["phone"]) for moment in (story.first, story.second))

    assert (value_of(then, "phone"), value_of(now, "phone")) == ("+12025550143", "+12025550199")
    assert (value_of(then, "country"), value_of(now, "country")) == ("US", None)
    assert (then.as_of, then.erased_count) == (story.first, 0)
    assert then.valid_from_at < story.first < now.valid_from_at


def test_now_is_as_of_now(story):
    for owner in sorted(set(story.after.values())):
        now, as_of = (
            portray(story.house.lake.snapshot(), story.house.keyring, Cuid(owner), as_of=moment)
            for moment in (None, story.second)
        )
        assert now._replace(as_of=story.second, values=None, records=None) == as_of._replace(values=None, records=None)
        assert now.values.equals(as_of.values)
        assert now.records.equals(as_of.records)


def test_a_customer_that_was_merged_is_shown_as_it_was_before(story):
    gone = {61, 3}.difference(record for record in (61, 3) if story.before[record] in story.after.values())
    (merged,) = gone
    heir = story.after[merged]

    assert story.shown(merged, story.first).records.height == 1
    with pytest.raises(UnknownCustomer, match=f"^this customer was merged into {heir} by "):
        story.shown(merged, story.second)


def test_the_records_are_those_that_it_had_then(story):
    heir = Cuid(story.after[3])
    then, now = (
        portray(story.house.lake.snapshot(), story.house.keyring, heir, as_of=moment) for moment in (story.first, story.second)
    )

    assert (then.records.height, now.records.height) == (1, 2)


@pytest.mark.parametrize(
    ("record_id", "moment", "said"),
    [
        (1, datetime(2001, 1, 1, tzinfo=UTC), "no customer had this id on 2001-01-01 00:00:00 UTC: it came to be on 20"),
        (62, None, "this customer has no records any more"),
    ],
)
def test_when_an_id_stood_for_nobody_that_is_said(story, record_id, moment, said):
    with pytest.raises(UnknownCustomer) as caught:
        story.shown(record_id, moment)
    assert str(caught.value).startswith(said)


def test_a_customer_without_records_is_told_apart_from_one_that_never_was(story):
    with pytest.raises(UnknownCustomer, match="this customer had no records on "):
        story.shown(62, story.second)
    with pytest.raises(UnknownCustomer, match="no customer has this id"):
        golden_at(story.house.lake.snapshot(), Cuid(cuid(7)), story.second)


def test_between_matching_and_election_a_customer_has_no_golden_record_yet(story):
    snapshot = story.house.lake.snapshot()
    born = snapshot.read(CUID_HISTORY.name).filter(pl.col("cuid") == story.before[1])["happened_at"][0]
    with pytest.raises(UnknownCustomer, match="no golden record of this customer was made yet on "):
        golden_at(snapshot, Cuid(story.before[1]), born)


def test_compaction_and_vacuum_take_nothing_of_what_was(story, tmp_path):
    shutil.copytree(story.house.lake.root, tmp_path / "lake")
    copied = story._replace(house=a_house(tmp_path / "lake", story.house.keyring))

    def told():
        found = [golden_at(copied.house.lake.snapshot(), Cuid(copied.before[record]), copied.first) for record in (1, 3, 61, 62)]
        return pl.concat(found), copied.shown(1, copied.first, in_full=["phone"]).values

    before = told()
    with copied.house.lake.writer() as writer:
        upkeep.compact(writer, run_id="compaction")
        upkeep.vacuum(writer, keep_days=0)
    for earlier, later in zip(before, told(), strict=True):
        assert earlier.equals(later)


@pytest.mark.parametrize("table", [GOLDEN_RECORDS, GOLDEN_LINEAGE, CROSSWALK, PROTECTED_RECORDS, CUID_HISTORY, DELIVERIES])
def test_no_table_of_history_is_one_that_compaction_leaves_rows_out_of(table):
    assert table.name not in upkeep._DERIVED  # noqa: SLF001 -- the list of such tables


def test_values_that_are_kept_beside_the_winner_follow_it(once_run):
    """A rule keeps all telephone numbers of Ada."""
    rule = Survivorship(attributes={"phone": AttributeRule(keep="all")})
    other = Record(2, ADA, {"name": "A. Winterbourne", "phone": "+12025550177"}, source_system="web", version=2)
    take_in(once_run.lake, once_run.keyring, other, is_delivered=False)
    once_run.run("run-2", rulebook=Rulebook(survivorship=rule), is_whole=True)
    ada = Cuid(owners(once_run)[1])
    shown = portray(once_run.lake.snapshot(), once_run.keyring, ada, in_full=["phone"]).values

    phones = shown.filter(pl.col("attribute") == "phone").select("value", "reason", "source_system").rows()
    assert phones == [("+12025550143", "most_trusted", "crm"), ("+12025550177", KEPT, "web")]
    assert shown["attribute"].to_list() == ["name", "phone", "phone", "country"]


@pytest.mark.parametrize(
    ("rule", "points"),
    [
        (AttributeRule(keep="all"), [("1250.5", "most_trusted", None), ("20", KEPT, None)]),
        (AttributeRule(aggregate="sum"), [("1270.5", "summed", 2)]),
        (AttributeRule(aggregate="max"), None),
    ],
    ids=["kept beside", "summed", "neither"],
)
def test_open_numbers_are_shown_as_they_are_and_a_sum_with_the_number_of_its_parts(empty_house, rule, points):
    said = [(1, "1250.5", "crm", ()), (2, "20", "web", ()), (3, "a secret", "web", ["loyalty_points"])]
    take_in(
        empty_house.lake,
        empty_house.keyring,
        *(
            Record(record, ADA, {"name": "Ada", "loyalty_points": value}, source, invalid=invalid)
            for record, value, source, invalid in said
        ),
    )
    empty_house.run(rulebook=Rulebook(survivorship=Survivorship(attributes={"loyalty_points": rule})))
    shown = portray(empty_house.lake.snapshot(), empty_house.keyring, Cuid(owners(empty_house)[1])).values

    found = shown.filter(pl.col("attribute") == "loyalty_points").select("value", "reason", "part_count").rows()
    assert found == points if points else [value for value, _, _ in found] == ["1250.5"]


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime.combine(NOW.date(), time.max, UTC), "2026-03-01"),
        (NOW, "2026-03-01 12:00:00 UTC"),
    ],
)
def test_a_moment_reads_as_it_was_named(moment, said):
    assert say_moment(moment) == said


@given(days=st.lists(st.integers(0, 9), min_size=1, max_size=6), asked=st.integers(-1, 10))
def test_the_newest_version_that_had_begun_holds(days, asked):
    begun = [NOW + timedelta(days=day) for day in sorted(days)]
    rows = pl.DataFrame({"key": [1] * len(begun), "version": range(1, len(begun) + 1), "valid_from_at": begun})
    moment = NOW + timedelta(days=asked)

    held = held_at(rows, ["key"], moment)["version"].to_list()

    versions = [version for version, begin in enumerate(begun, 1) if begin <= moment]
    assert held == versions[-1:]
