"""Tests of ``custview_pipeline.flows.override``: a value that a steward enters, from the airlock to its end."""

import polars as pl
import pytest

from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.steward_source import STEWARD_SYSTEM, can_be_entered, steward_contract, with_steward
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.decision_rows import about_pair, lock, split_off
from custview_pipeline.flows.decisions import pinned_values, standing_answers
from custview_pipeline.flows.erasure_request import choose_customer
from custview_pipeline.flows.portrait import portray
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.factories import source_contract
from custview_pipeline_tests.flows.decided_desk import ADA, OTTO, Decided, of

EMAIL = "ada.quillfeather@example.org"


@pytest.fixture(scope="module")
def settled(tmp_path_factory):
    return Decided.settled(tmp_path_factory.mktemp("override") / "desk")


@pytest.fixture
def place(settled, tmp_path):
    return settled.copied(tmp_path / "desk")


@pytest.fixture(scope="module")
def entered(settled, tmp_path_factory):
    """Return a place where a value was entered and matched, not to be changed, and the id of its decision."""
    place = settled.copied(tmp_path_factory.mktemp("entered") / "desk")
    decision_id = place.enter("a1", "email", EMAIL)
    place.run()
    return place, decision_id


def entered_records(place):
    """Return the records of values entered that are held."""
    return current_records(place.lake.snapshot()).filter(pl.col("source_system") == STEWARD_SYSTEM)


def test_a_value_that_was_entered_is_a_record_of_its_customer_and_wins(entered):
    place, decision_id = entered
    snapshot = place.lake.snapshot()

    assert entered_records(place)["source_key"].to_list() == [decision_id]
    assert place.are_one("a1", decision_id)
    assert place.winner("a1", "email") == decision_id
    assert place.winner("a1", "name") != decision_id
    pinned = pinned_values(snapshot).select("record_id", "attribute", "slot", "kind", "decision_id")
    assert pinned.rows() == [(entered_records(place)["record_id"][0], "email", None, "override", decision_id)]
    (delivery,) = snapshot.read(DELIVERIES.name).filter(pl.col("source_system") == STEWARD_SYSTEM).rows(named=True)
    assert (delivery["row_count"], delivery["new_count"], delivery["refused_count"]) == (1, 1, 0)


def test_it_is_shown_as_any_other_value_is(entered):
    place, _ = entered
    shown, masked = (portray(place.lake.snapshot(), place.keyring, place.cuid("a1"), in_full=each) for each in (["email"], []))

    (value,) = shown.values.filter(pl.col("attribute") == "email").rows(named=True)
    assert (value["value"], value["source_system"], value["trust_score"]) == (EMAIL, STEWARD_SYSTEM, 1.0)
    assert EMAIL not in masked.values["value"].to_list()


def test_it_lies_readable_nowhere(entered):
    place, _ = entered
    files = [path for path in place.lake.root.rglob("*") if path.is_file()]

    assert files
    assert not [path for path in files if b"quillfeather" in path.read_bytes().lower()]


@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [
        ("email", "not an address at secretword", "breaks conformity__email"),
        ("birth_date", "secretword", "breaks conformity__birth_date"),
        ("birth_date", "2199-01-01", "breaks accuracy__birth_date__future_date"),
        ("phone", "secretword", "breaks conformity__phone"),
        ("phone", "   ", "breaks completeness__phone"),
        ("occupation", "n/a", "not understood as occupation"),
        ("legal_name", "Secretword Ltd", "no attribute 'legal_name' of a customer that is person"),
        ("secretness", "secretword", "no attribute 'secretness'"),
    ],
)
def test_a_value_that_breaks_its_standard_is_refused_with_the_rule_and_never_the_value(place, attribute, value, why):
    before = place.lake.snapshot().manifest.sequence

    with pytest.raises(ProjectInvalid) as refused:
        place.enter("a1", attribute, value)

    assert why in str(refused.value)
    assert "secretword" not in str(refused.value).lower()
    assert place.lake.snapshot().manifest.sequence == before
    assert place.lake.snapshot().read(QUARANTINED_RECORDS.name).is_empty()


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("attribute", "value", "scheme"),
    [
        ("name", "Ada Quillfeather", None),
        ("birth_date", "1962-05-18", None),
        ("phone", "202-555-0199", None),
        ("address", "12 Main St, Springfield, IL 62701", None),
        ("country", "CA", None),
        ("national_id", "536-22-4567", "us.ssn"),
        ("consent", "denied", None),
        ("occupation", "teacher", None),
        ("language", "fr", None),
        ("loyalty_points", "1250.5", None),
    ],
)
def test_every_kind_of_attribute_can_be_entered(place, attribute, value, scheme):
    decision_id = place.enter("a1", attribute, value, scheme)
    place.run()

    assert place.winner("a1", attribute) == decision_id


def test_the_newer_of_two_values_wins_and_the_older_one_comes_back(place):
    older = place.enter("a1", "email", "first@example.org")
    newer = place.enter("a2", "email", "second@example.org")
    place.run()
    assert place.winner("a1", "email") == newer

    place.withdraw(newer)
    place.run()

    assert place.winner("a1", "email") == older


def test_withdrawing_takes_the_record_with_it(entered, tmp_path):
    place, decision_id = entered[0].copied(tmp_path / "desk"), entered[1]
    assert place.withdraw(decision_id).withdrawn_count == 1
    place.run()

    assert entered_records(place).is_empty()
    assert decision_id not in place.owners()
    stored = place.lake.snapshot().read(PROTECTED_RECORDS.name).filter(pl.col("source_system") == STEWARD_SYSTEM)
    assert stored.sort("version").select("version", "is_deleted").rows() == [(1, False), (2, True)]
    assert place.withdraw(decision_id).withdrawn_count == 0


def test_it_is_erased_with_its_customer(entered, tmp_path):
    place = entered[0].copied(tmp_path / "desk")
    place.erase(choose_customer(place.lake.snapshot(), place.cuid("a1")))

    assert place.lake.snapshot().read(REVIEW_DECISIONS.name).is_empty()
    assert place.lake.snapshot().read(PROTECTED_RECORDS.name).filter(pl.col("source_system") == STEWARD_SYSTEM).is_empty()


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("is_matched", [True, False])
def test_it_is_erased_with_the_last_record_that_it_was_entered_for(settled, entered, tmp_path, is_matched):
    place = (entered[0] if is_matched else settled).copied(tmp_path / "desk")
    if not is_matched:
        place.enter("a1", "email", EMAIL)
    for key in ("a1", "a2"):
        place.erase_record(key)
        assert entered_records(place).height == 1
    place.erase_record("a3")

    assert place.lake.snapshot().read(PROTECTED_RECORDS.name).filter(pl.col("source_system") == STEWARD_SYSTEM).is_empty()
    assert place.lake.snapshot().read(REVIEW_DECISIONS.name).is_empty()


@pytest.mark.slow
@pytest.mark.thorough
def test_a_locked_customer_takes_a_value_and_still_nobody_else(place):
    place.decide(lock(place.lake.snapshot(), place.cuid("a1"), place.stated()))
    decision_id = place.enter("a1", "email", EMAIL)
    place.deliver(of(ADA, "a9", email=EMAIL))

    assert place.are_one("a1", "a2", "a3", decision_id)
    assert not place.are_one("a1", "a9")


def customers(place):
    """Return the records of each customer, the strangers and the source's own names aside; a value entered is called E."""
    found = {}
    for key, cuid in sorted(place.owners().items()):
        if not key.startswith("s"):
            found.setdefault(cuid, set()).add(key if key in {"a1", "a2", "a3", "o1", "o2"} else "E")
    return sorted(map(sorted, found.values()))


def parted(place, left, right):
    place.decide(about_pair("not_a_match", place.member(left), place.member(right), place.stated()))


def became_otto(place, *keys):
    """Deliver records as somebody else's, and run."""
    place.rows = [of(OTTO, row["source_key"]) if row["source_key"] in keys else row for row in place.rows]
    place.deliver()


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("is_matched", [True, False])
@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        (lambda place: became_otto(place, "a3"), [["E", "a1", "a2"], ["a3", "o1", "o2"]]),
        (lambda place: became_otto(place, "a1"), [["E", "a2", "a3"], ["a1", "o1", "o2"]]),
        (lambda place: became_otto(place, "a1", "a2"), [["E", "a3"], ["a1", "a2", "o1", "o2"]]),
        (lambda place: [became_otto(place, key) for key in ("a1", "a2")], [["E", "a3"], ["a1", "a2", "o1", "o2"]]),
        (lambda place: place.drop("a1"), [["E", "a2", "a3"], ["o1", "o2"]]),
        (lambda place: place.drop("a1", "a3"), [["E", "a2"], ["o1", "o2"]]),
        (lambda place: place.erase_record("a1"), [["E", "a2", "a3"], ["o1", "o2"]]),
        (lambda place: (place.erase_record("a1"), place.drop("a1", "a2")), [["E", "a3"], ["o1", "o2"]]),
        (
            lambda place: (place.decide(split_off(place.lake.snapshot(), place.member("a1"), place.stated())), place.run()),
            [["E", "a2", "a3"], ["a1"], ["o1", "o2"]],
        ),
        (
            lambda place: (place.decide(split_off(place.lake.snapshot(), place.member("a3"), place.stated())), place.run()),
            [["E", "a1", "a2"], ["a3"], ["o1", "o2"]],
        ),
    ],
    ids=[
        "another record left", "the anchor left", "two left at once", "two left one by one", "the anchor was dropped",
        "two were dropped", "the anchor was erased", "erased, and the next one dropped", "the anchor was split off",
        "another was split off",
    ],
)  # fmt: skip
def test_it_stays_with_who_stays_and_keeps_nobody(settled, tmp_path, is_matched, happens, expected):
    place = settled.copied(tmp_path / "desk")
    place.enter("a1", "birth_date", "1962-01-01")
    if is_matched:
        place.run()
    happens(place)

    assert customers(place) == expected
    place.run(is_whole=True)
    assert customers(place) == expected


@pytest.mark.slow
@pytest.mark.thorough
def test_a_match_withdrawn_after_it_was_entered_holds_no_more(place):
    before = place.owners()
    stored = place.decide(about_pair("match", place.member("a1"), place.member("o1"), place.stated()))
    place.run()
    cuid = place.cuid("a1")
    staying, *rest = sorted([["a1", "a2", "a3"], ["o1", "o2"]], key=lambda keys: before[keys[0]] != cuid)
    place.enter("a1", "birth_date", "1962-01-01")
    place.run()
    assert len(customers(place)) == 1

    place.withdraw(*stored.decision_ids)
    place.run()

    assert customers(place) == [["E", *staying], *rest]
    assert place.cuid(staying[0]) == cuid
    before = place.owners()
    place.run(is_whole=True)
    assert place.owners() == before


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("is_entered_first", [True, False])
def test_a_pair_that_is_no_match_is_none_beside_it(place, is_entered_first):
    steps = [lambda: place.enter("a1", "birth_date", "1962-01-01"), lambda: parted(place, "a1", "a2")]
    for step in steps if is_entered_first else reversed(steps):
        step()
    place.run()

    assert not place.are_one("a1", "a2")
    (others,) = [each for each in customers(place) if "E" in each]
    assert len(others) > 1


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("birth_date", "1931-12-09"),
        ("name", "Zacharias Quillfeather Jr"),
        ("email", "otto@example.org"),
        ("phone", "+1 202 555 9876"),
    ],
)
def test_what_was_entered_is_no_evidence_of_who_its_customer_is(place, attribute, value):
    before = customers(place)
    entered = place.enter("a1", attribute, value)
    for is_whole in (False, True):
        place.run(is_whole=is_whole)
        assert [[key for key in each if key != "E"] for each in customers(place)] == before
        assert place.are_one("a1", entered)
        assert place.winner("a1", attribute) == entered


def test_a_value_no_run_has_linked_yet_is_split_off_and_locked_with_its_customer(place):
    entered = place.enter("a1", "email", EMAIL)
    (value,) = entered_records(place).filter(pl.col("source_key") == entered)["record_id"]
    snapshot = place.lake.snapshot()

    for left in ("a1", "a3"):
        assert value in split_off(snapshot, place.member(left), place.stated())["member_ids"][0]
    assert value in lock(snapshot, place.cuid("a1"), place.stated())["member_ids"][0]
    assert value not in lock(snapshot, place.cuid("o1"), place.stated())["member_ids"][0]
    assert value not in split_off(snapshot, place.member("o1"), place.stated())["member_ids"][0]
    place.run()
    now = place.lake.snapshot()
    assert lock(now, place.cuid("a1"), place.stated())["member_ids"][0].to_list().count(value) == 1


@pytest.mark.parametrize("is_matched", [True, False])
def test_a_record_is_alone_where_only_a_value_was_entered_for_it(place, is_matched):
    place.enter("s0", "email", EMAIL)
    if is_matched:
        place.run()

    with pytest.raises(ProjectInvalid, match="is alone in its customer"):
        split_off(place.lake.snapshot(), place.member("s0"), place.stated())


def test_a_customer_that_is_none_takes_no_value(place):
    gone = place.cuid("o1")
    place.drop("o1", "o2")

    with pytest.raises(ProjectInvalid, match="no records any more"):
        lock(place.lake.snapshot(), gone, place.stated())
    assert standing_answers(place.lake.snapshot()).is_empty()


def test_the_built_in_source_says_what_it_is():
    contract = steward_contract("national_id", scheme="us.ssn")

    assert (contract.source_system, contract.key_column.name) == ("steward", "source_key")
    (column,) = contract.carrying("national_id")
    assert (column.is_personal, column.refuses_invalid, column.scheme) == (True, True, "us.ssn")
    assert [column.attribute for column in steward_contract().columns] == ["source_key", "entity_type", "updated_at"]
    described = with_steward([source_contract("crm")])
    assert [each.source_system for each in described] == ["crm", "steward"]
    assert with_steward(described) == described
    assert can_be_entered("name")
    assert not can_be_entered("source_key")
