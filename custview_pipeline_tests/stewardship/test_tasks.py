"""Tests of ``custview_pipeline.stewardship.tasks``."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.matching_tables import REVIEW_TASKS
from custview_pipeline.stewardship.tasks import find_tasks
from custview_pipeline_tests.factories import crosswalk, cuid, edges

OWNERS = crosswalk(*({"record_id": number, "cuid": cuid(number % 3)} for number in range(9)))


SUSPICIOUS = {"left_id": pl.Int64, "right_id": pl.Int64, "weight": pl.Float64, "reason": pl.String}


def tasks(*rows, suspicious=(), owners=OWNERS):
    within = pl.DataFrame(list(suspicious), schema=SUSPICIOUS, orient="row")
    return find_tasks(edges(*rows), within, owners, match_weight=0.5, run_id="run-1")


@pytest.mark.parametrize(
    ("decision", "weight", "kind"),
    [
        ("POSSIBLE_MATCH", -0.5, "possible_match"),
        ("MATCH", 6.0, "contradicted_match"),
        ("NO_MATCH", 6.0, "rule_conflict"),
        ("NO_MATCH", 0.5, None),
        ("NO_MATCH", -3.0, None),
    ],
)
def test_a_pair_of_two_customers_is_shown_for_a_reason(decision, weight, kind):
    found = tasks({"left_id": 0, "right_id": 1, "decision": decision, "weight": weight})

    assert found["kind"].to_list() == ([] if kind is None else [kind])


def test_a_pair_of_one_customer_needs_nobody():
    assert tasks({"left_id": 0, "right_id": 3}).is_empty()


def test_a_pair_of_a_record_that_is_gone_is_left_out():
    assert tasks({"left_id": 0, "right_id": 99}).is_empty()


def test_of_all_pairs_between_two_customers_the_strongest_is_shown():
    found = tasks(
        {"left_id": 0, "right_id": 1, "weight": 2.0},
        {"left_id": 3, "right_id": 4, "weight": 7.0},
        {"left_id": 1, "right_id": 6, "weight": 5.0},
    )

    assert found.select("left_id", "right_id", "weight").rows() == [(3, 4, 7.0)]


def test_the_strongest_evidence_comes_first_and_ties_go_by_record():
    found = tasks(
        {"left_id": 1, "right_id": 2, "weight": 1.0},
        {"left_id": 0, "right_id": 2, "weight": 1.0},
        {"left_id": 0, "right_id": 1, "weight": 9.0},
    )

    assert found.select("left_id", "right_id").rows() == [(0, 1), (0, 2), (1, 2)]


def test_a_task_names_both_customers_and_the_run_and_keeps_its_contract():
    found = tasks({"left_id": 0, "right_id": 4})

    REVIEW_TASKS.assert_holds(found.with_columns(version=pl.lit(1, pl.Int32)).select(REVIEW_TASKS.types.names()))
    assert found.select("left_cuid", "right_cuid", "run_id").row(0) == (cuid(0), cuid(1), "run-1")


def test_without_edges_there_is_nothing_to_do():
    REVIEW_TASKS.assert_holds(tasks().with_columns(version=pl.lit(1, pl.Int32)).select(REVIEW_TASKS.types.names()))


@pytest.mark.parametrize(
    ("suspicious", "expected"),
    [
        ([(0, 3, -11.0, "contradicted_customer")], [(0, 3, "contradicted_customer")]),
        ([(0, 6, 0.0, "large_customer")], [(0, 6, "large_customer")]),
        (
            [(0, 6, 0.0, "large_customer"), (1, 4, -11.0, "contradicted_customer"), (2, 5, -12.5, "contradicted_customer")],
            [(2, 5, "contradicted_customer"), (1, 4, "contradicted_customer"), (0, 6, "large_customer")],
        ),
        ([(0, 6, 0.0, "large_customer"), (0, 6, -11.0, "contradicted_customer")], [(0, 6, "contradicted_customer")]),
        ([(0, 99, 0.0, "large_customer")], []),
    ],
    ids=["contradicted", "large", "the worst contradiction first", "for two reasons", "a record that is gone"],
)
def test_a_suspicious_customer_is_shown_by_a_pair_of_its_records(suspicious, expected):
    found = tasks(suspicious=suspicious)

    assert found.select("left_id", "right_id", "kind").rows() == expected
    assert (found["left_cuid"] == found["right_cuid"]).all()
    REVIEW_TASKS.assert_holds(found.with_columns(version=pl.lit(1, pl.Int32)).select(REVIEW_TASKS.types.names()))


def test_suspicious_customers_come_after_pairs_of_two_customers():
    found = tasks({"left_id": 0, "right_id": 1}, suspicious=[(0, 3, -11.0, "contradicted_customer")])

    assert found["kind"].to_list() == ["contradicted_match", "contradicted_customer"]


@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter(order):
    pairs = [(left, right) for left in range(4) for right in range(4, 7)]
    rows = [{"left_id": left, "right_id": right, "weight": float((left * right) % 4)} for left, right in pairs]

    shuffled = tasks(*(rows[place] for place in order), owners=OWNERS.sample(fraction=1, shuffle=True, seed=order[0]))

    assert shuffled.equals(tasks(*rows))
    assert isinstance(shuffled, pl.DataFrame)


@pytest.mark.parametrize("rule", ["steward decision", "source promises unique customers"])
@pytest.mark.parametrize("decision", ["MATCH", "NO_MATCH"])
def test_who_has_answered_is_not_asked_again(rule, decision):
    assert tasks({"left_id": 1, "right_id": 2, "decision": decision, "weight": 9.0, "rule": rule}).is_empty()


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ({"decision": "POSSIBLE_MATCH", "weight": 0.0}, []),
        ({"decision": "NO_MATCH", "weight": 9.0, "rule": "Jr is not Sr"}, []),
        ({"decision": "MATCH", "weight": 9.0}, ["contradicted_match"]),
    ],
    ids=["another possible match", "another pair that a rule forbids", "a record that may be with the wrong customer"],
)
@pytest.mark.parametrize("rule", ["steward decision", "source promises unique customers"])
def test_customers_that_a_steward_keeps_apart_are_asked_about_no_more_but_for_a_match(other, shown, rule):
    kept_apart = {"left_id": 0, "right_id": 1, "decision": "NO_MATCH", "weight": 1.0, "rule": rule}
    found = tasks(kept_apart, {"left_id": 4, "right_id": 6, **other})

    is_steward = rule == "steward decision"
    assert found["kind"].to_list() == (shown if is_steward else tasks({"left_id": 4, "right_id": 6, **other})["kind"].to_list())


def test_a_steward_who_joins_two_records_keeps_no_customers_apart():
    joined = {"left_id": 0, "right_id": 1, "decision": "MATCH", "weight": 1.0, "rule": "steward decision"}

    assert tasks(joined, {"left_id": 4, "right_id": 6, "decision": "POSSIBLE_MATCH", "weight": 0.0}).height == 1
