"""Tests of ``custview_pipeline.survivorship.elect``."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.survivorship_rules import ElectionRule
from custview_pipeline.survivorship.reasons import MEANINGS
from custview_pipeline_tests.factories import NOW, claims, cuid
from custview_pipeline_tests.survivorship.rules import judged, ranked, reasons, rule, winner

YESTERDAY = NOW - timedelta(days=1)
STRATEGIES = ("most_trusted", "most_recent", "earliest", "most_frequent", "most_complete", "longest", "any")


@pytest.mark.parametrize(
    ("strategy", "worse", "better", "lost_because"),
    [
        ("most_trusted", {"trust_score": 0.4}, {"trust_score": 0.6}, "less_trusted"),
        ("most_recent", {"updated_at": YESTERDAY}, {"updated_at": NOW}, "less_recent"),
        ("most_recent", {"updated_at": None}, {"updated_at": YESTERDAY}, "less_recent"),
        ("earliest", {"updated_at": NOW}, {"updated_at": YESTERDAY}, "later"),
        ("earliest", {"updated_at": None}, {"updated_at": NOW}, "later"),
        ("most_frequent", {"vote_count": 1}, {"vote_count": 2}, "less_frequent"),
        ("most_complete", {"part_count": 2}, {"part_count": 5}, "less_complete"),
        ("longest", {"length": 3}, {"length": 9}, "shorter"),
    ],
)
def test_each_strategy_prefers_one_and_says_so(strategy, worse, better, lost_because):
    for rows, won in (((worse, better), 2), ((better, worse), 1)):
        assert reasons(*rows, email=rule(strategy)) == {won: strategy, 3 - won: lost_because}
        assert winner(*rows, email=rule(strategy))["record_id"] == won


def test_the_first_strategy_that_tells_them_apart_decides():
    rows = ({"updated_at": YESTERDAY, "vote_count": 9}, {"updated_at": NOW, "vote_count": 1})

    assert winner(*rows)["record_id"] == 2
    assert winner(*rows, email=rule("most_frequent", "most_recent"))["record_id"] == 1
    assert reasons(*rows) == {1: "less_recent", 2: "most_recent"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_valid_value_goes_before_an_invalid_one_whatever_the_strategy(strategy):
    invalid = {
        "is_valid": False, "trust_score": 0.9, "updated_at": NOW + timedelta(1), "vote_count": 9, "part_count": 9, "length": 99,
    }  # fmt: skip

    assert reasons(invalid, {}, email=rule(strategy)) == {1: "invalid", 2: "valid"}


def test_an_invalid_value_survives_where_there_is_no_other():
    assert winner({"is_valid": False})["reason"] == "only_candidate"


def test_a_tie_goes_to_the_smaller_record_and_then_to_the_smaller_slot():
    rows = ({"record_id": 5}, {"record_id": 3, "slot": 1, "token": 8}, {"record_id": 3, "slot": 0, "token": 9})
    found = ranked(*rows)

    assert found.select("record_id", "slot").rows() == [(3, 0), (3, 1), (5, 0)]
    assert found["reason"].to_list() == ["tie_smaller_record_id"] * 3


def test_an_equal_value_agrees_rather_than_loses():
    assert reasons({"token": 7}, {"token": 7, "trust_score": 0.1}) == {1: "confirmed_by_others", 2: "agrees"}


@pytest.mark.parametrize(
    ("rival", "is_contested"),
    [
        ({"trust_score": 0.5}, True),
        ({"trust_score": 0.4}, False),
        ({"trust_score": 0.5, "token": 1}, False),
        ({"trust_score": 0.5, "is_valid": False}, False),
    ],
    ids=["trusted no less", "trusted less", "the same value", "invalid"],
)
def test_a_value_is_contested_where_another_is_trusted_no_less(rival, is_contested):
    won = winner({"trust_score": 0.5, "token": 1, "updated_at": NOW}, {"updated_at": YESTERDAY, **rival})

    assert won["is_contested"] is is_contested


def test_a_more_trusted_value_that_lost_by_another_strategy_contests_the_winner():
    rows = ({"trust_score": 0.4, "updated_at": NOW}, {"trust_score": 0.9, "updated_at": YESTERDAY})

    assert winner(*rows, email=rule("most_recent"))["is_contested"]


def test_customers_and_attributes_are_elected_apart():
    found = ranked({}, {"cuid": cuid(2)}, {"attribute": "phone"}, {"attribute": "phone", "trust_score": 0.9})

    assert found.filter(pl.col("rank") == 1).select("cuid", "attribute", "record_id").rows() == [
        (cuid(1), "email", 1),
        (cuid(1), "phone", 4),
        (cuid(2), "email", 2),
    ]


def test_ranks_count_from_one_without_gaps():
    assert ranked({}, {"trust_score": 0.9}, {"token": 1})["rank"].to_list() == [1, 2, 3]


def test_without_claims_nobody_is_elected():
    found = ranked()

    assert found.is_empty()
    assert {"rank", "reason", "is_contested"} <= set(found.columns)


def test_any_takes_the_smallest_record_id():
    rows = ({"record_id": 5, "trust_score": 0.9}, {"record_id": 3, "trust_score": 0.1})

    assert reasons(*rows, email=rule("any")) == {3: "tie_smaller_record_id", 5: "tie_smaller_record_id"}


CRM, WEB = {"source_system": "crm"}, {"source_system": "web"}
OLD = {"updated_at": NOW - timedelta(days=400)}


@pytest.mark.parametrize(
    ("conditions", "fails", "keeps"),
    [
        ({"only_from": ["web"]}, CRM, WEB),
        ({"newer_than_days": 365}, OLD, {"updated_at": YESTERDAY}),
        ({"newer_than_days": 1}, {"updated_at": YESTERDAY}, {"updated_at": NOW}),
        ({"newer_than_days": 365}, {"updated_at": None}, {"updated_at": NOW - timedelta(days=364)}),
        ({"newer_than_days": 365, "only_from": ["web"]}, {**WEB, **OLD}, WEB),
        ({"newer_than_days": 365, "only_from": ["web"]}, CRM, WEB),
    ],
    ids=["another source", "too old", "just too old", "of unknown age", "too old and of the source", "new and of another source"],
)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_who_fails_a_condition_loses_against_who_keeps_it(strategy, conditions, fails, keeps):
    prefer = {"strategy": strategy, **conditions}
    better = {"trust_score": 0.9, "vote_count": 9, "part_count": 9, "length": 99}

    assert reasons({**fails, **better}, keeps, email=rule(prefer)) == {1: "outside_condition", 2: "within_condition"}


def test_a_condition_that_nobody_keeps_says_nothing():
    only_billing = {"strategy": "most_trusted", "only_from": ["billing"]}
    rows = ({"trust_score": 0.9, "updated_at": YESTERDAY}, {"trust_score": 0.1, "updated_at": NOW})

    assert reasons(*rows, email=rule(only_billing, "most_recent")) == {1: "less_recent", 2: "most_recent"}


def test_among_those_who_keep_a_condition_the_strategy_decides():
    only_crm = {"strategy": "most_recent", "only_from": ["crm"]}
    rows = ({**CRM, "updated_at": YESTERDAY}, {**CRM, "updated_at": NOW}, {**WEB, "updated_at": NOW + timedelta(1)})

    assert reasons(*rows, email=rule(only_crm)) == {1: "less_recent", 2: "most_recent", 3: "outside_condition"}


def test_a_strategy_that_comes_twice_with_other_conditions_decides_twice():
    first = {"strategy": "most_trusted", "only_from": ["crm"]}
    second = {"strategy": "most_trusted", "only_from": ["web"]}
    rows = ({**WEB, "trust_score": 0.2}, {**WEB, "trust_score": 0.3}, {"source_system": "shop", "trust_score": 0.9})

    assert reasons(*rows, email=rule(first, second)) == {1: "less_trusted", 2: "most_trusted", 3: "outside_condition"}


def test_only_if_valid_says_nothing_where_all_are_invalid():
    if_valid = {"strategy": "most_trusted", "if_valid": True}
    rows = ({"is_valid": False, "trust_score": 0.9, "updated_at": YESTERDAY}, {"is_valid": False, "trust_score": 0.1})

    assert winner(*rows, email=rule(if_valid, "most_recent"))["record_id"] == 2


def kept(*rows, **how):
    """Return the records whose values are kept, and how many the winner says there are."""
    found = ranked(*rows, **how)
    return found.filter("is_kept")["record_id"].to_list(), found["kept_count"].unique().to_list()


def test_by_default_the_winner_alone_is_kept():
    assert kept({"token": 1, "trust_score": 0.9}, {"token": 2}) == ([1], [1])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"token": 1}, {"token": 2}, {"token": 3}], [1, 2, 3]),
        ([{"token": 1}, {"token": 2}, {"token": 1}, {"token": 2}], [1, 2]),
        ([{"token": 1}, {"token": 2, "is_valid": False}], [1]),
        ([{"token": 1, "is_valid": False}, {"token": 2, "is_valid": False}], [1]),
        ([{"token": None}, {"token": None}, {"token": 1}], [1, 2, 3]),
        ([{"token": 1}], [1]),
    ],
    ids=["all differ", "some repeat", "an invalid one", "all invalid", "not comparable", "alone"],
)
def test_under_keep_all_each_different_valid_value_is_kept(rows, expected):
    assert kept(*rows, email=rule(keeps_all=True)) == (expected, [len(expected)])


def test_the_best_of_equal_values_is_the_one_that_is_kept():
    rows = ({"token": 1, "trust_score": 0.9}, {"token": 2, "trust_score": 0.2}, {"token": 2, "trust_score": 0.4})

    assert kept(*rows, email=rule(keeps_all=True)) == ([1, 3], [2])


def points(*values, **cells):
    return [{"attribute": "loyalty_points", "open_value": value, **cells} for value in values]


@pytest.mark.parametrize(
    ("aggregate", "won", "reason", "lost"),
    [("min", "-2", "smallest", "larger"), ("max", "10.5", "largest", "smaller")],
)
def test_the_smallest_or_largest_number_wins_as_a_number_not_as_a_text(aggregate, won, reason, lost):
    found = ranked(*points("9", "10.5", "-2"), loyalty_points=rule(aggregate=aggregate))

    assert found["open_value"][0] == won
    assert found["reason"].to_list() == [reason, lost, lost]
    assert not found["is_contested"].any()


@pytest.mark.parametrize("aggregate", ["min", "max"])
def test_equal_numbers_are_told_apart_by_the_preferences(aggregate):
    rows = points("3", "3", token=7)
    rows[1]["trust_score"] = 0.9
    found = ranked(*rows, loyalty_points=rule("most_trusted", aggregate=aggregate))

    assert found.select("record_id", "reason").rows() == [(2, "confirmed_by_others"), (1, "agrees")]


@pytest.mark.parametrize(
    ("values", "total"),
    [
        (["3", "4"], "7"),
        (["0.1", "0.2"], "0.3"),
        (["1.25", "1.25"], "2.5"),
        (["-3", "1.5"], "-1.5"),
        (["-0.25", "0.2"], "-0.05"),
        (["-3", "3"], "0"),
        (["5", "5", "5"], "15"),
        (["9999999.99"] * 3, "29999999.97"),
    ],
)
def test_a_sum_adds_what_every_record_says(values, total):
    found = ranked(*points(*values), loyalty_points=rule(aggregate="sum"))

    assert found["open_value"][0] == total
    assert set(found["reason"]) == {"summed"}
    assert found["is_kept"].all()
    assert set(found["kept_count"]) == {len(values)}


def test_a_sum_is_trusted_as_its_least_trusted_part_and_known_to_all_their_sources():
    rows = points("3", "4", "5")
    rows[0] |= {"trust_score": 0.9, **CRM}
    rows[1] |= {"trust_score": 0.2, **WEB}
    rows[2] |= {"trust_score": 0.4, **WEB}
    first = ranked(*rows, loyalty_points=rule(aggregate="sum")).row(0, named=True)

    assert (first["record_id"], first["trust_score"], first["source_count"]) == (1, 0.2, 2)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (points("3"), [("3", "only_candidate", True)]),
        ([*points("3"), *points("4", is_valid=False)], [("3", "valid", True), ("4", "invalid", False)]),
        ([*points("3"), *points(None)], [("3", "open_number", True), (None, "no_open_number", False)]),
        (points(None), [(None, "only_candidate", True)]),
        (
            [*points("3", "4"), *points(None)],
            [("7", "summed", True), ("4", "summed", True), (None, "no_open_number", False)],
        ),
    ],
    ids=["one number", "an invalid one", "a sealed one", "only a sealed one", "two and a sealed one"],
)
def test_what_is_no_open_number_has_no_part_in_a_sum(rows, expected):
    found = ranked(*rows, loyalty_points=rule(aggregate="sum"))

    assert found.select("open_value", "reason", "is_kept").rows() == expected


PINNED = {"record_id": 2}


@pytest.mark.parametrize(("kind", "reason"), [("pin", "pinned"), ("override", "overridden")])
def test_what_a_steward_chose_wins_and_is_trusted_fully(kind, reason):
    rows = ({"trust_score": 0.9}, {"trust_score": 0.1, "is_valid": False})
    found = ranked(*rows, decided=[{**PINNED, "kind": kind}])

    assert found.select("record_id", "reason", "trust_score", "is_contested").rows() == [
        (2, reason, 1.0, False),
        (1, "not_pinned", 0.9, False),
    ]


def test_the_newest_decision_holds():
    earlier, later = {"record_id": 1}, {"record_id": 2, "decided_at": NOW + timedelta(1)}

    assert reasons({}, {}, {}, decided=[earlier, later]) == {1: "earlier_decision", 2: "pinned", 3: "not_pinned"}
    assert reasons({}, {}, {}, decided=[later, earlier]) == {1: "earlier_decision", 2: "pinned", 3: "not_pinned"}


@pytest.mark.parametrize(
    ("decision", "won"),
    [
        ({"slot": 1}, (2, 1)),
        ({"slot": None}, (2, 0)),
        ({"slot": 7}, (1, 0)),
        ({"attribute": "phone"}, (1, 0)),
        ({"record_id": 9}, (1, 0)),
    ],
    ids=["of a slot", "of any slot", "of a slot that is gone", "of another attribute", "of a record that is not the customer's"],
)
def test_a_decision_is_about_a_value_of_a_record(decision, won):
    rows = ({"trust_score": 0.9}, {"record_id": 2, "slot": 0}, {"record_id": 2, "slot": 1})
    found = winner(*rows, decided=[{**PINNED, **decision}])

    assert (found["record_id"], found["slot"]) == won


def test_a_decision_touches_its_own_customer_and_attribute_alone():
    others = ({"cuid": cuid(2), "record_id": 5}, {"attribute": "phone", "record_id": 2})
    found = ranked({"trust_score": 0.9}, {}, *others, decided=[PINNED])

    assert found.filter(pl.col("rank") == 1).select("cuid", "attribute", "record_id", "reason").rows() == [
        (cuid(1), "email", 2, "pinned"),
        (cuid(1), "phone", 2, "only_candidate"),
        (cuid(2), "email", 5, "only_candidate"),
    ]


@pytest.mark.parametrize("aggregate", ["min", "max", "sum"])
def test_a_decision_goes_before_an_aggregate(aggregate):
    found = ranked(
        *points("3", "4", "5"), decided=[{**PINNED, "attribute": "loyalty_points"}], loyalty_points=rule(aggregate=aggregate)
    )

    assert found.row(0, named=True)["open_value"] == "4"
    assert found["reason"].to_list() == ["pinned", "not_pinned", "not_pinned"]


def test_every_reason_can_be_reached():
    """Reasons that no rule gives would only confuse who reads the list."""
    told = set()
    for strategy in STRATEGIES:
        pairs = [{}, {"trust_score": 0.1, "updated_at": YESTERDAY, "vote_count": 2, "part_count": 2, "length": 20}]
        told |= {*ranked(*pairs, email=rule(strategy))["reason"]}
    outside = {"strategy": "any", "only_from": ["web"]}
    told |= {*ranked(CRM, WEB, email=rule(outside))["reason"]}
    told |= {*ranked({"token": 1}, {"token": 1})["reason"], *ranked({}, {"is_valid": False})["reason"], *ranked({})["reason"]}
    for aggregate in ("min", "max", "sum"):
        told |= {*ranked(*points("3", "4"), loyalty_points=rule(aggregate=aggregate))["reason"]}
    told |= {*ranked(*points("3"), *points(None), loyalty_points=rule(aggregate="sum"))["reason"]}
    told |= {*ranked({}, {}, {}, decided=[{"record_id": 1}, {"record_id": 2}])["reason"]}
    told |= {*ranked({}, decided=[{"record_id": 1, "kind": "override"}])["reason"]}

    assert told == set(MEANINGS)


rivals = st.fixed_dictionaries(
    {
        "attribute": st.sampled_from(["email", "phone", "loyalty_points"]),
        "token": st.none() | st.integers(1, 3),
        "is_valid": st.booleans(),
        "trust_score": st.sampled_from([0.0, 0.4, 0.5]),
        "updated_at": st.sampled_from([None, YESTERDAY, NOW]),
        "vote_count": st.integers(1, 3),
        "length": st.integers(1, 3),
        "open_value": st.sampled_from([None, "3", "-0.25", "12"]),
        "source_system": st.sampled_from(["crm", "web"]),
    }
)
conditions = st.fixed_dictionaries(
    {"strategy": st.sampled_from(STRATEGIES)},
    optional={
        "only_from": st.sampled_from([["crm"], ["web"]]),
        "newer_than_days": st.sampled_from([1, 2]),
        "if_valid": st.just(value=True),
    },
)
rules = st.builds(
    lambda prefer, outcome: rule(*prefer, **outcome),
    st.lists(conditions, min_size=1, max_size=3),
    st.sampled_from([{}, {"keeps_all": True}, {"aggregate": "min"}, {"aggregate": "max"}, {"aggregate": "sum"}]),
)
decisions = st.lists(
    st.fixed_dictionaries({"record_id": st.integers(1, 8), "kind": st.sampled_from(["pin", "override"])}), max_size=2
)


@given(st.lists(rivals, max_size=6), st.randoms(use_true_random=False), rules, decisions)
def test_the_order_of_records_does_not_matter(rows, random, stated, decided):
    frame = claims(*rows)
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    elected = [judged(each, decided=decided, email=stated, loyalty_points=stated) for each in (frame, shuffled)]

    assert elected[0].equals(elected[1])
    assert elected[0].filter(pl.col("rank") == 1).height == frame.select("cuid", "attribute").n_unique()
    assert elected[0].select("reason", "is_contested", "is_kept", "kept_count").null_count().row(0) == (0, 0, 0, 0)
    assert elected[0].filter(pl.col("rank") == 1)["is_kept"].all()


@given(st.lists(rivals, max_size=6), rules)
def test_the_withdrawal_of_a_source_that_lost_never_changes_the_winner(rows, stated):
    if stated.aggregate == "sum":
        stated = rule(*(each.model_dump() for each in stated.prefer))
    places = [{"record_id": number, **row, "attribute": "email"} for number, row in enumerate(rows, 1)]
    counted = [
        {**row, "vote_count": sum(row["token"] is not None and row["token"] == each["token"] for each in places) or 1}
        for row in places
    ]
    if not counted:
        return
    won = winner(*counted, email=stated)
    losers = {row["source_system"] for row in counted} - {
        row["source_system"]
        for row in counted
        if row["record_id"] == won["record_id"] or (row["token"] is not None and row["token"] == won["token"])
    }
    left = [row for row in counted if row["source_system"] not in losers]
    votes = [
        {**row, "vote_count": sum(row["token"] is not None and row["token"] == each["token"] for each in left) or 1}
        for row in left
    ]

    assert winner(*votes, email=stated)["record_id"] == won["record_id"]


@given(st.lists(rivals, max_size=8), rules, decisions)
def test_kept_values_are_distinct_and_valid_beside_the_winner(rows, stated, decided):
    keeping = ElectionRule(stated.prefer, keeps_all=True)
    found = ranked(*rows, decided=decided, email=keeping, phone=keeping).filter("is_kept")

    assert not found.drop_nulls("token").select("election", "token").is_duplicated().any()
    assert found.filter(pl.col("rank") > 1)["is_valid"].all()
    assert (found["kept_count"] == found.select(pl.len().over("election")).to_series()).all()


@given(st.lists(rivals, max_size=6), rules)
def test_an_invalid_value_never_wins_over_a_valid_one(rows, stated):
    found = ranked(*rows, email=stated, phone=stated, loyalty_points=stated)
    valid = found.filter("is_valid").select("cuid", "attribute").unique()

    assert found.filter(pl.col("rank") == 1).join(valid, on=["cuid", "attribute"], how="semi")["is_valid"].all()
