"""Tests of ``custview_pipeline.flows.link`` and ``match_state``: models and frequencies from run to run, decisions, promises."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.matching_settings import Matching, SuspiciousSize
from custview_pipeline.contracts.matching_tables import MATCH_EDGES, MATCH_MODEL, REVIEW_TASKS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.decisions import add_decisions, withdraw_decisions
from custview_pipeline.flows.link import duplicates_by_source, link
from custview_pipeline.flows.match_state import frozen_models, records_of_unique_sources, settings_of
from custview_pipeline.flows.models import new_rows
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.factories import LATER, source_contract
from custview_pipeline_tests.flows.conftest import ADA, FIRST_DELIVERY, OTTO, House
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

NEWCOMER = Record(70, {"given": "rosa", "family": "ingram", "birth_date": "1955-05-06", "phones": ["2025551212"]}, {})
ADA_IN_CRM = Record(71, {**ADA, "email": "ada@example.org"}, {})
OF_ONE = [1, 2, 71]  # records of Ada


def linked(house, run_id="run-1", rulebook=None, contracts=()):
    id_key = house.keyring.current(Purpose.ID)[1]
    with house.lake.writer() as writer:
        return link(writer, rulebook or Rulebook(), id_key, run_id=run_id, progress=Unwatched(), contracts=contracts)


def owners(house):
    return dict(current_crosswalk(house.lake.snapshot()).select("record_id", "cuid").rows())


def frequencies(house):
    return house.lake.snapshot().read_index(IndexPart.FREQUENCIES).sort("entity_type", "feature", "token")


def version_of(house, table):
    return house.lake.snapshot().table_version(table.name)


def answer(house, left, right, decision):
    said = pl.DataFrame(
        {
            "left_id": [left], "right_id": [right], "decision": [decision], "reason": ["known in person"],
            "decided_by": ["ada"], "decided_at": [LATER + timedelta(minutes=1)], "origin": ["steward"],
        },
        schema_overrides={"decided_at": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    with house.lake.writer() as writer:
        add_decisions(writer, said, "run-1")


@pytest.fixture
def linked_once(once_run, finished):
    """Return a house whose six records were linked, to go on with, and what linking reported."""
    return once_run, finished[1].linkage


def test_a_first_run_learns_a_model_and_stores_what_it_counted(linked_once):
    house, report = linked_once
    (active,) = frozen_models(house.lake.snapshot()).values()

    assert (report.learned_count, report.model_versions) == (1, (active.model.version,))
    assert active.frequencies.record_count == active.model.record_count == len(FIRST_DELIVERY)
    assert set(frequencies(house)["entity_type"]) == {"person"}
    assert report.warnings == ()


def test_the_run_after_the_one_that_learned_has_nothing_to_do(linked_once):
    house, first = linked_once
    before = house.lake.snapshot()
    again = linked(house, "run-2")

    assert again.is_unchanged
    assert (again.learned_count, again.model_versions) == (0, first.model_versions)
    assert (again.customer_count, again.match_count, again.review_count) == (
        first.customer_count, first.match_count, first.review_count,
    )  # fmt: skip
    assert version_of(house, MATCH_EDGES) == before.table_version(MATCH_EDGES.name)


def test_a_model_is_used_again_with_the_frequencies_it_was_learned_with(linked_once):
    house, first = linked_once
    counted, stored = frequencies(house), version_of(house, MATCH_MODEL)
    take_in(house.lake, house.keyring, NEWCOMER)
    second = linked(house, "run-2")

    assert not second.is_unchanged
    assert (second.record_count, second.learned_count, second.model_versions) == (7, 0, first.model_versions)
    assert frequencies(house).equals(counted)
    assert version_of(house, MATCH_MODEL) == stored


def test_a_model_is_learned_anew_when_the_records_have_doubled(linked_once):
    house, first = linked_once
    many = [replace(NEWCOMER, record_id=100 + n, facts={**NEWCOMER.facts, "phones": [f"20255577{n:02}"]}) for n in range(6)]
    take_in(house.lake, house.keyring, *many)
    second = linked(house, "run-2")
    (active,) = frozen_models(house.lake.snapshot()).values()

    assert second.learned_count == 1
    assert second.model_versions != first.model_versions
    assert active.frequencies.record_count == active.model.record_count == 12
    assert linked(house, "run-3").is_unchanged


def test_a_model_is_learned_anew_when_other_things_are_compared(linked_once):
    house, first = linked_once
    fewer = Rulebook(matching=Matching(compare={"person": ("given_name", "family_name", "phone")}))
    second = linked(house, "run-2", fewer)

    assert second.learned_count == 1
    assert second.model_versions != first.model_versions


def test_frequencies_that_are_gone_are_counted_anew_without_learning(linked_once):
    """As after a new token key: the tokens that were counted do not occur any more."""
    house, first = linked_once
    with house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.rewrite_index(IndexPart.FREQUENCIES, lambda rows: rows.head(0))
    take_in(house.lake, house.keyring, NEWCOMER)
    second = linked(house, "run-2")

    assert (second.learned_count, second.model_versions) == (0, first.model_versions)
    (active,) = frozen_models(house.lake.snapshot()).values()
    assert (active.model.record_count, active.frequencies.record_count) == (6, 7)


def test_a_model_that_somebody_puts_to_use_is_used_by_the_next_run(linked_once):
    house, _ = linked_once
    imported = replace(packaged_model(EntityType.PERSON, COMPARISONS[EntityType.PERSON]), is_imported=True, calibration=-60.0)
    with house.lake.writer() as writer, writer.commit("run-1") as commit:
        commit.append(MATCH_MODEL.name, new_rows([imported], {}, run_id="run-1", now=LATER + timedelta(days=9999)))
    second = linked(house, "run-2")

    assert (second.is_unchanged, second.learned_count, second.model_versions) == (False, 0, (imported.version,))
    assert owners(house)[1] != owners(house)[2]
    assert set(house.lake.snapshot().read(MATCH_EDGES.name)["model_version"]) <= {imported.version}


def test_a_steward_parts_and_joins_customers_and_may_take_it_back(linked_once):
    house, _ = linked_once
    before = owners(house)
    answer(house, 2, 1, "not_a_match")
    answer(house, 1, 3, "match")
    assert not linked(house, "run-2").is_unchanged
    after = owners(house)

    assert (before[1] == before[2], after[1] == after[2], after[1] == after[3]) == (True, False, True)
    edges = house.lake.snapshot().read(MATCH_EDGES.name).filter(pl.col("rule") == "steward decision")
    assert sorted(edges.select("left_id", "right_id", "decision").rows()) == [(1, 2, "NO_MATCH"), (1, 3, "MATCH")]
    with house.lake.writer() as writer:
        ids = writer.snapshot().read("review_decisions")["decision_id"].to_list()
        withdraw_decisions(writer, ids, LATER + timedelta(days=1), "run-3", "ada")
    linked(house, "run-3")
    assert {record for record, cuid in owners(house).items() if cuid == owners(house)[1]} == {1, 2}


def test_a_source_that_promises_unique_customers_has_none_twice(house):
    take_in(house.lake, house.keyring, ADA_IN_CRM)
    promise = source_contract("crm", "full_name", has_unique_customers=True)
    free = linked(house)
    assert len({owners(house)[record] for record in OF_ONE}) == 1
    kept = linked(house, "run-2", contracts=[promise])

    assert not kept.is_unchanged, "another promise matches anew"
    assert owners(house)[1] != owners(house)[71]
    assert owners(house)[2] in (owners(house)[1], owners(house)[71])
    assert (free.duplicates, kept.duplicates) == ((("crm", 1, 1),), ())
    rules = house.lake.snapshot().read(MATCH_EDGES.name).filter(pl.col("decision") == "NO_MATCH")["rule"].to_list()
    assert rules == ["source promises unique customers"]


@pytest.mark.parametrize(
    ("owned", "expected"),
    [
        ([], ()),
        ([("crm", 1), ("crm", 2), ("web", 1)], ()),
        ([("crm", 1), ("crm", 1), ("web", 1)], (("crm", 1, 1),)),
        ([("web", 1)] * 3 + [("web", 2)] * 2 + [("crm", 3)] * 2, (("crm", 1, 1), ("web", 2, 3))),
    ],
    ids=["nothing", "none", "one", "several"],
)
def test_duplicates_are_counted_by_source(owned, expected):
    frame = pl.DataFrame(owned, schema={"source_system": pl.String, "cuid": pl.Int64}, orient="row")

    assert duplicates_by_source(frame) == expected


def test_a_customer_that_is_large_becomes_a_task(house):
    take_in(house.lake, house.keyring, ADA_IN_CRM)
    watchful = Rulebook(matching=Matching(suspicious_size=SuspiciousSize(person=2)))
    report = linked(house, rulebook=watchful)
    shown = house.lake.snapshot().read(REVIEW_TASKS.name)

    assert report.review_count == shown.height
    assert shown.select("left_id", "right_id", "kind").rows() == [(1, 71, "large_customer")]


def test_records_that_come_in_another_order_are_linked_identically(tmp_path, keyring):
    records = [*FIRST_DELIVERY, NEWCOMER, ADA_IN_CRM, Record(72, {**OTTO, "phones": []}, {}, source_system="web")]
    houses = []
    for name, ordered in (("one", records), ("other", records[::-1])):
        house = House(DeltaLake(tmp_path / name, keyring), keyring, ())
        take_in(house.lake, keyring, *ordered)
        linked(house)
        houses.append(house)
    one, other = (house.lake.snapshot() for house in houses)

    assert owners(houses[0]) == owners(houses[1])
    assert len(set(owners(houses[0]).values())) < len(records)
    key = ["left_id", "right_id"]
    assert one.read(MATCH_EDGES.name).sort(key).equals(other.read(MATCH_EDGES.name).sort(key))
    assert frequencies(houses[0]).equals(frequencies(houses[1]))
    crosswalk = ["record_id", "source_system", "source_key", "cuid", "version"]
    assert (
        one.read("crosswalk").select(crosswalk).sort(crosswalk).equals(other.read("crosswalk").select(crosswalk).sort(crosswalk))
    )


def test_settings_say_what_the_rulebook_says():
    written = Matching(
        match_weight=2.0, review_weight=1.0, block_cap=9, pair_budget=7, max_component={"person": 5},
        suspicious_size={"person": 4}, compare={"person": ("family_name",)}, cannot_match=(),
    )  # fmt: skip
    settings = settings_of(Rulebook(matching=written))
    of_persons, of_firms = (settings.types[entity_type] for entity_type in EntityType)

    assert (settings.match_weight, settings.review_weight) == (2.0, 1.0)
    assert (settings.limits.block_cap, settings.limits.pair_budget) == (9, 7)
    assert settings.limits.memory_gib > 0
    assert (of_persons.compared, of_persons.largest_component, of_persons.suspicious_size) == (("family_name",), 5, 4)
    assert (of_firms.largest_component, of_firms.suspicious_size) == (300, 60)
    assert (of_persons.rules.must_names, of_persons.rules.cannot_names) == (("same identifier and birth date",), ())
    assert of_firms.rules.must_names == ("same identifier and enterprise name",)


def test_only_records_of_sources_that_promise_it_are_exclusive():
    records = pl.DataFrame({"record_id": [1, 2, 3], "source_system": ["crm", "web", "crm"]})
    contracts = [source_contract("crm", has_unique_customers=True), source_contract("web")]

    assert records_of_unique_sources(records, contracts).rows() == [(1, "crm"), (3, "crm")]
    assert records_of_unique_sources(records, []).is_empty()
