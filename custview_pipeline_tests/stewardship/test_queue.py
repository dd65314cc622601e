"""Tests of ``custview_pipeline.stewardship.queue``."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.base import UTC_TIME
from custview_pipeline.contracts.stewardship_tables import REVIEW_ASSIGNMENTS
from custview_pipeline.stewardship.queue import (
    HALF_EFFECT,
    ITEMS,
    customer_items,
    delivery_items,
    pair_items,
    parse_item_id,
    rank_items,
    value_items,
)
from custview_pipeline_tests.factories import LATER, NOW, cuid, table

TASKS = pl.Schema(
    {
        "left_id": pl.Int64(), "right_id": pl.Int64(), "kind": pl.String(), "left_cuid": pl.String(), "right_cuid": pl.String(),
        "weight": pl.Float64(), "found_at": UTC_TIME, "status": pl.String(),
    }
)  # fmt: skip
CUSTOMERS = pl.Schema({"cuid": pl.String(), "record_count": pl.Int64(), "value_count": pl.Int64()})
NOTHING = REVIEW_ASSIGNMENTS.empty()
EVEN = 0.0  # bits at which a pair is as likely one customer as not


def tasks(*rows):
    default = {
        "kind": "possible_match", "left_cuid": cuid(1), "right_cuid": cuid(2), "weight": EVEN, "found_at": NOW, "status": "open",
    }  # fmt: skip
    return table(TASKS, default, rows)


def customers(**sizes):
    """Build customers from their numbers: how many records and values each has."""
    return pl.DataFrame([(cuid(int(number[1:])), *size) for number, size in sizes.items()], schema=CUSTOMERS, orient="row")


def contested(*rows):
    schema = {
        "cuid": pl.String, "attribute": pl.String, "record_count": pl.Int64, "found_at": UTC_TIME, "status": pl.String,
    }  # fmt: skip
    default = {"cuid": cuid(1), "attribute": "email", "record_count": 3, "found_at": NOW, "status": "open"}
    return table(pl.Schema(schema), default, rows)


def held(*rows):
    schema = {
        "held_id": pl.String, "source_system": pl.String, "record_count": pl.Int64, "found_at": UTC_TIME, "status": pl.String,
    }  # fmt: skip
    default = {"held_id": "h1", "source_system": "crm", "record_count": 40, "found_at": NOW, "status": "open"}
    return table(pl.Schema(schema), default, rows)


def assignments(*rows):
    default = {"assigned_to": "ada", "due_on": None, "status": "assigned", "assigned_by": "grace", "assigned_at": NOW}
    return table(REVIEW_ASSIGNMENTS.types, default, rows)


PAIR = {"left_id": 1, "right_id": 2}


@pytest.mark.parametrize(
    ("weight", "sizes", "at_stake"),
    [
        (EVEN, {"c1": (1, 4), "c2": (1, 7)}, (2 + 7) * 0.5),
        (-1.0, {"c1": (1, 4), "c2": (1, 7)}, (2 + 7) / 3),
        (EVEN, {"c1": (8, 4), "c2": (2, 7)}, (10 + 7) * 0.5),
        (9.0, {"c1": (1, 4), "c2": (1, 7)}, (2 + 7) * 0.5),
        (EVEN, {}, 2 * 0.5),
    ],
    ids=["at even odds", "less likely", "more records", "against a rule or others: nobody knows", "no golden record yet"],
)  # fmt: skip
def test_the_effect_of_a_pair_is_what_is_at_stake_times_the_doubt(weight, sizes, at_stake):
    (effect,) = pair_items(tasks({**PAIR, "weight": weight}), customers(**sizes))["effect"]
    assert effect == pytest.approx(at_stake / (at_stake + HALF_EFFECT))


@pytest.mark.parametrize(
    ("kind", "weight", "doubt"),
    [("contradicted_customer", -11.0, 0.5), ("large_customer", 0.0, 0.5), ("contradicted_customer", 2.0, 0.2)],
)
def test_the_effect_of_a_customer_is_all_it_has_times_the_doubt_that_it_is_one(kind, weight, doubt):
    within = tasks({**PAIR, "kind": kind, "weight": weight, "right_cuid": cuid(1)})
    (effect,) = customer_items(within, customers(c1=(6, 4)))["effect"]
    assert effect == pytest.approx(10 * doubt / (10 * doubt + HALF_EFFECT))


def test_the_effect_of_a_value_counts_the_records_it_speaks_for_and_of_a_delivery_those_it_deletes():
    assert value_items(contested({}))["effect"].to_list() == pytest.approx([2 / 22])
    assert delivery_items(held({}))["effect"].to_list() == pytest.approx([0.5])


def test_an_item_says_what_it_is_about():
    pair = pair_items(tasks(PAIR), customers()).row(0, named=True)
    customer = customer_items(tasks({**PAIR, "right_cuid": cuid(1)}), customers()).row(0, named=True)
    value = value_items(contested({})).row(0, named=True)
    delivery = delivery_items(held({})).row(0, named=True)
    assert (pair["kind"], pair["reason"], pair["left_id"], pair["right_id"], pair["cuids"]) == (
        "pair", "possible_match", 1, 2, [cuid(1), cuid(2)],
    )  # fmt: skip
    assert (customer["kind"], customer["cuids"]) == ("customer", [cuid(1)])
    assert (value["kind"], value["reason"], value["cuids"], value["attribute"]) == (
        "value",
        "contested_value",
        [cuid(1)],
        "email",
    )
    assert (delivery["kind"], delivery["source_system"], delivery["held_id"], delivery["record_count"]) == (
        "delivery", "crm", "h1", 40,
    )  # fmt: skip


def test_a_pair_of_one_customer_is_no_item_of_two_and_the_other_way_round():
    both = tasks(PAIR, {"left_id": 3, "right_id": 4, "right_cuid": cuid(1)})
    assert pair_items(both, customers())["left_id"].to_list() == [1]
    assert customer_items(both, customers())["left_id"].to_list() == [3]


@pytest.mark.parametrize(
    ("rows", "shown", "status"),
    [
        ([(1, 2, -3.0, "open"), (3, 4, -9.0, "open")], 3, "open"),
        ([(1, 2, -3.0, "open"), (3, 4, -9.0, "done")], 1, "open"),
        ([(1, 2, -3.0, "unsure"), (3, 4, -9.0, "done")], 3, "done"),
    ],
    ids=["the most doubtful", "that is not answered", "else the most doubtful of all"],
)
def test_a_customer_is_asked_about_once_by_its_most_doubtful_pair(rows, shown, status):
    within = tasks(
        *(
            {"left_id": left, "right_id": right, "weight": weight, "status": said, "right_cuid": cuid(1)}
            for left, right, weight, said in rows
        )
    )
    found = customer_items(within, customers(c1=(4, 3)))
    assert found.select("left_id", "status").rows() == [(shown, status)]


def test_the_id_of_an_item_lasts_while_all_else_about_it_changes():
    ids = {
        pair_items(tasks({**PAIR, **cells}), customers(c1=(size, size)))["item_id"][0]
        for size, cells in enumerate(
            [{}, {"weight": 3.0}, {"kind": "rule_conflict"}, {"left_cuid": cuid(5)}, {"found_at": LATER}], 1
        )
    }
    assert len(ids) == 1
    later = value_items(contested({"record_count": 9, "found_at": LATER}))
    assert later["item_id"].to_list() == value_items(contested({}))["item_id"].to_list()


def test_ids_are_those_that_were_given_before():
    """They are stored with assignments and packs: a change here loses them."""
    made = [
        pair_items(tasks(PAIR), customers()),
        customer_items(tasks({**PAIR, "right_cuid": cuid(1)}), customers()),
        value_items(contested({})),
        delivery_items(held({})),
    ]
    assert [each["item_id"][0] for each in made] == ["M64A7QAQTN3", "CSD6K7JQPAE", "VZ4EAWPR238", "D6KZSC4VPX6"]


def test_a_thousand_items_have_a_thousand_ids():
    found = pair_items(tasks(*({"left_id": number, "right_id": -number} for number in range(1000))), customers())
    assert found["item_id"].n_unique() == 1000
    assert all(parse_item_id(each) == each for each in found["item_id"])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("M0123456789", "M0123456789"),
        ("m-01234-56789", "M0123456789"),
        (" mO1234 56789 ", "M0123456789"),
        ("V00000000il", "V0000000011"),
        ("X0123456789", None),
        ("M012345678", None),
        ("M01234567890", None),
        ("M012345678U", None),
        ("", None),
        ("Ada Winterbourne", None),
    ],
)
def test_an_id_is_read_as_people_type_it(written, read):
    assert parse_item_id(written) == read


@given(st.text(max_size=20))
def test_what_is_read_of_any_text_reads_as_itself(written):
    read = parse_item_id(written)
    assert read is None or parse_item_id(read) == read


def test_whose_an_item_is_is_told_by_the_newest_assignment():
    items = pair_items(tasks(PAIR), customers())
    item = items["item_id"][0]
    given_to = [
        {"item_id": item},
        {"item_id": item, "assigned_to": "grace", "due_on": date(2026, 4, 1), "assigned_at": LATER},
        {"item_id": "M0000000000"},
    ]
    queue = rank_items(items, assignments(*given_to))
    assert queue.select("status", "assigned_to", "due_on").rows() == [("assigned", "grace", date(2026, 4, 1))]
    back = {"item_id": item, "assigned_to": None, "status": "open", "assigned_at": LATER + timedelta(hours=1)}
    assert rank_items(items, assignments(*given_to, back)).select("status", "assigned_to").rows() == [("open", None)]


@pytest.mark.parametrize("status", ["done", "unsure"])
def test_an_item_that_was_answered_is_nobodys_task_any_more(status):
    items = pair_items(tasks({**PAIR, "status": status}), customers())
    queue = rank_items(items, assignments({"item_id": items["item_id"][0]}))
    assert queue.select("status", "assigned_to").rows() == [(status, "ada")]


def test_without_anything_to_ask_the_queue_is_empty_and_has_its_columns():
    items = pl.concat(
        [
            pair_items(tasks(), customers()), customer_items(tasks(), customers()), value_items(contested()),
            delivery_items(held()),
        ]
    )  # fmt: skip
    queue = rank_items(items, NOTHING)
    assert queue.is_empty()
    assert queue.schema == ITEMS


_ROW = st.tuples(st.integers(1, 6), st.integers(7, 12), st.floats(-20, 20), st.integers(0, 3), st.integers(0, 3))


@given(st.lists(_ROW, unique_by=lambda row: row[:2], max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_no_effect_is_out_of_range(rows, random):
    known = customers(c0=(1, 5), c1=(2, 6), c2=(30, 9), c3=(4, 0))

    def queue(ordered):
        asked = tasks(
            *(
                {"left_id": left, "right_id": right, "weight": weight, "left_cuid": cuid(one), "right_cuid": cuid(other)}
                for left, right, weight, one, other in ordered
            )
        )
        return rank_items(pl.concat([pair_items(asked, known), customer_items(asked, known)]), NOTHING)

    ranked = queue(rows)
    assert queue(random.sample(rows, len(rows))).equals(ranked)
    assert ranked["effect"].is_between(0, 1, closed="left").all()
    assert ranked["effect"].is_sorted(descending=True)


@given(st.floats(-30, 30), st.integers(1, 500), st.integers(0, 19))
def test_more_at_stake_never_means_less_effect(weight, records, values):
    def effect(more_records, more_values):
        sizes = customers(c1=(records + more_records, values + more_values))
        return pair_items(tasks({**PAIR, "weight": weight}), sizes)["effect"][0]

    assert effect(0, 0) <= effect(1, 0)
    assert effect(0, 0) <= effect(0, 1)
