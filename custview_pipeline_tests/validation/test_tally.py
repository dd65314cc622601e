"""Counts, verdicts and the gate."""

import pickle

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.validation.entries import DeliveryCount
from custview_pipeline.validation.gate import reason_to_refuse
from custview_pipeline.validation.repeats import Repeats
from custview_pipeline.validation.rules import reasons_for, rule_of
from custview_pipeline.validation.screen import screen
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import verdicts
from custview_pipeline_tests.validation.batches import CANARY, a_contract, an_entry, raw, standardised


def _verdicts(batch, contract, *, counted=True, issues=()):
    tally = screen(batch, standardised(*issues), contract).tally
    count = DeliveryCount(contract)
    count.add(batch)
    judged = verdicts(tally, contract, row_count=batch.height, counted=count.broken() if counted else None)
    return {verdict.rule.name: verdict for verdict in judged}


def test_limits_and_standards_are_counted_over_what_they_were_applied_to():
    shop = a_contract(SourceColumn("a", "phone", is_required=True, max_length=3), SourceColumn("b", "phone"))
    issues = [(row, "phone", rule, "conformity", "warning") for row, rule in [(1, "x"), (1, "y"), (3, "x")]]
    judged = _verdicts(raw(a=["1", "2222", None, " "], b=[None, None, None, "5"]), shop, issues=issues)
    said = {name: (verdict.failed, verdict.total, verdict.passed) for name, verdict in judged.items()}
    assert said == {
        "completeness__source_key__required": (0, 4, True),
        "uniqueness__source_key__unique": (0, 4, True),
        "completeness__phone__required_a": (2, 4, False),
        "conformity__phone__length_a": (1, 2, False),
        "conformity__source_key__conforms": (0, 4, True),
        "conformity__phone__conforms": (2, 3, False),
    }


def test_extra_reasons_count_for_their_rule():
    shop = a_contract()
    extra = reasons_for(rule_of(shop, shop.key_column, "unique"), [0, 2])
    tally = screen(raw(id=["a", "b", "a"]), standardised(), shop, extra_reasons=extra).tally
    assert (tally.rows, tally.refused, tally.failed["uniqueness__source_key__unique"]) == (3, 2, 2)


CELLS = ["01", "1", " ", None, "N/A", "n/a", "01"]


@pytest.mark.parametrize(
    ("metric", "arguments", "failed"),
    [
        ("nullValues", (), 1),
        ("missingValues", (), 2),
        ("missingValues", (("missingValues", ("", "N/A")),), 3),
        ("invalidValues", (("validValues", ("01", "1")),), 2),
        ("invalidValues", (("pattern", ("^[0-9]+$",)),), 2),
        ("invalidValues", (("validValues", ("01", "N/A")), ("pattern", ("^[0-9]+$",))), 3),
        ("duplicateValues", (), 1),
    ],
)
def test_every_metric_of_a_column_counts_what_it_says(metric, arguments, failed):
    shop = a_contract(SourceColumn("a", "occupation"), quality=(an_entry(metric, "a", arguments=arguments),))
    verdict = list(_verdicts(raw(a=CELLS), shop).values())[-1]
    assert (verdict.failed, verdict.total, verdict.passed, verdict.is_executed) == (failed, 7, False, True)


@pytest.mark.parametrize(
    ("operator", "threshold", "kept"),
    [
        ("mustBe", (4,), True), ("mustBe", (3,), False), ("mustNotBe", (3,), True), ("mustNotBe", (4,), False),
        ("mustBeGreaterThan", (3,), True), ("mustBeGreaterThan", (4,), False), ("mustBeGreaterOrEqualTo", (4,), True),
        ("mustBeGreaterOrEqualTo", (5,), False), ("mustBeLessThan", (5,), True), ("mustBeLessThan", (4,), False),
        ("mustBeLessOrEqualTo", (4,), True), ("mustBeLessOrEqualTo", (3,), False), ("mustBeBetween", (4, 6), True),
        ("mustBeBetween", (5, 6), False), ("mustNotBeBetween", (5, 6), True), ("mustNotBeBetween", (4, 6), False),
    ],
)  # fmt: skip
def test_every_operator_compares_as_it_says(operator, threshold, kept):
    shop = a_contract(quality=(an_entry("rowCount", None, operator, *threshold),))
    verdict = list(_verdicts(raw(id=["a", "b", "c", "d"]), shop).values())[-1]
    assert (verdict.passed, verdict.failed, verdict.total) == (kept, int(not kept), 4)


def test_percent_is_of_all_rows_of_the_delivery():
    shop = a_contract(SourceColumn("a", "phone"), quality=(an_entry("nullValues", "a", "mustBeLessThan", 30, unit="percent"),))
    assert list(_verdicts(raw(a=[None, "1", "2", "3"]), shop).values())[-1].passed
    assert not list(_verdicts(raw(a=[None, "1", "2"]), shop).values())[-1].passed
    assert list(_verdicts(raw(a=[]), shop).values())[-1].passed


def test_a_refresh_is_judged_by_the_whole_delivery_and_not_by_what_changed():
    shop = a_contract(SourceColumn("a", "phone"), quality=(an_entry("nullValues", "a", "mustBeLessThan", 50, unit="percent"),))
    changed = screen(raw(a=[None]), standardised(), shop).tally
    count = DeliveryCount(shop)
    count.add(raw(a=[None]))
    count.add(raw(a=["1", "2"]))
    assert verdicts(changed, shop, row_count=3, counted=count.broken())[-1][1:] == (1, 3, True, True)
    assert verdicts(changed, shop, row_count=3)[-1][1:] == (1, 1, False, True)


def test_what_cannot_be_executed_says_so():
    entries = (an_entry("sql", operator=None, is_executable=False), an_entry("duplicateValues", "a"))
    shop = a_contract(SourceColumn("a", "phone"), quality=entries)
    judged = list(_verdicts(raw(a=["x", "x"]), shop, counted=False).values())[-2:]
    assert [(verdict.is_executed, verdict.passed) for verdict in judged] == [(False, True), (False, True)]
    assert list(_verdicts(raw(a=["x", "x"]), shop).values())[-1].failed == 1


def test_values_that_must_not_repeat_are_counted_over_the_whole_delivery():
    columns = SourceColumn("a", "national_id", is_unique=True), SourceColumn("b", "occupation")
    together = an_entry("duplicateValues", None, arguments=(("properties", ("a", "b")),))
    count = DeliveryCount(a_contract(*columns, quality=(together,)))
    count.add(raw(a=["x", "y", None], b=["1", "2", None]))
    count.add(raw(a=[" x", "y", None, ""], b=["1", "3", None, "4"]))
    assert count.broken() == {"conformity__table__duplicatevalues": 1}
    unique = "uniqueness__national_id__unique"
    assert count.repeated(pl.Series(range(7))).rows() == [(0, unique), (1, unique), (3, unique), (4, unique)]
    assert count.repeated(pl.Series([1, 2, 3, 1, 5, 6, 7])).rows() == [(1, unique), (4, unique)]


@given(st.lists(st.tuples(st.none() | st.text(max_size=2), st.none() | st.text(max_size=2)), max_size=20), st.integers(0, 20))
def test_repeats_are_rows_less_distinct_values_whatever_the_batches(rows, cut):
    repeats = Repeats(["a", "b"])
    for part in (rows[:cut], rows[cut:]):
        repeats.add(raw(a=[a for a, _ in part], b=[b for _, b in part]))
    stripped = raw(a=[a for a, _ in rows], b=[b for _, b in rows]).select(pl.col("a", "b").str.strip_chars()).rows()
    present = [row for row in stripped if any(row)]
    assert repeats.count() == len(present) - len(set(present))


_tallies = st.lists(st.text(max_size=3) | st.none(), max_size=8)


@settings(max_examples=30)
@given(st.lists(_tallies, min_size=1, max_size=4), st.randoms())
def test_tallies_add_up_in_any_order_and_from_any_process(batches, random):
    shop = a_contract(SourceColumn("a", "phone", is_required=True, min_length=2), quality=(an_entry("nullValues", "a"),))
    tallies = [screen(raw(a=cells), standardised(), shop).tally for cells in batches]
    whole = screen(raw(a=[cell for cells in batches for cell in cells]), standardised(), shop).tally
    shuffled = random.sample(tallies, len(tallies))
    assert pickle.loads(pickle.dumps(Tally.total(shuffled))) == whole  # noqa: S301 -- its own


def test_a_tally_holds_no_value():
    shop = a_contract(SourceColumn("a", "phone", is_unique=True, max_length=1), quality=(an_entry("duplicateValues", "a"),))
    assert CANARY.encode() not in pickle.dumps(screen(raw(a=[CANARY]), standardised(), shop).tally)


@pytest.mark.parametrize(
    ("refused", "read", "share", "is_refused"),
    [(10, 100, 0.1, False), (11, 100, 0.1, True), (0, 0, 0.0, False), (1, 1000, 0.0, True), (5, 5, 1.0, False)],
)
def test_too_many_refused_rows_stop_a_delivery(refused, read, share, is_refused):
    reason = reason_to_refuse([], a_contract(max_refused_share=share), refused_count=refused, row_count=read)
    assert (reason is not None) is is_refused
    assert reason is None or f"{refused} of {read} rows" in reason


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({}, True),
        ({"severity": "warning"}, False),
        ({"is_executable": False}, False),
        ({"operator": "mustBeLessThan", "threshold": (9,)}, False),
    ],
)
def test_a_broken_entry_of_severity_error_stops_a_delivery(changes, is_refused):
    shop = a_contract(SourceColumn("a", "phone", is_required=True), quality=(an_entry("nullValues", "a", **changes),))
    reason = reason_to_refuse(_verdicts(raw(a=["1", None]), shop).values(), shop, refused_count=0, row_count=2)
    assert reason == ("shop: quality rules do not hold: conformity__phone__nullvalues" if is_refused else None)
