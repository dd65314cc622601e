"""Accepted and refused rows."""

import traceback

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.kernel.errors import ContractViolation
from custview_pipeline.validation.rules import reasons_for, rule_of
from custview_pipeline.validation.screen import screen
from custview_pipeline_tests.validation.batches import CANARY, a_contract, raw, standardised


@pytest.mark.parametrize(
    ("limits", "rule", "kept", "broken"),
    [
        ({"is_required": True}, "required", ["x", " x "], [None, "", "  ", "\u3000"]),
        ({"min_length": 2}, "length", ["ab", " ab ", "李雷", None, " "], ["a", " a "]),
        ({"max_length": 2}, "length", ["a", "ab ", None], ["abc"]),
        ({"min_length": 2, "max_length": 3}, "length", ["ab", "abc"], ["a", "abcd"]),
        ({"pattern": "^[0-9]+$"}, "pattern", ["12", " 12 ", None, ""], ["1a", "a"]),
        ({"pattern": "[0-9]"}, "pattern", ["a1a"], ["a"]),
        ({"allowed": ("Y", "01")}, "allowed", ["Y", "01 ", None, " "], ["y", "1"]),
        ({"minimum": 1, "maximum": 9.5}, "range", ["1", "9.5", " 2e0 ", None], ["0", "10", "many", "-3"]),
        ({"maximum": 0}, "range", ["-3", "0"], ["1"]),
        (
            {"earliest": "1900-01-01", "date_format": "%m/%d/%Y"},
            "range",
            ["01/01/1900", "2000-01-31", "soon", None],
            ["12/31/1899"],
        ),
        (
            {"latest": "2020-12-31T12:00:00"},
            "range",
            ["2020-12-31", "2020-12-31T11:00:00", "31.12.2021"],
            ["2020-12-31 13:00:00", "2021-01-01"],
        ),
        (
            {"latest": "2020-12-31", "date_format": "%Y-%m-%dT%H:%M:%S%z"},
            "range",
            ["2020-12-30T23:30:00Z"],
            ["2020-12-30T23:30:00-05:00"],
        ),
    ],
)
def test_every_limit_refuses_what_breaks_it_and_nothing_else(limits, rule, kept, broken):
    column = SourceColumn("a", "occupation", **limits)
    outcome = screen(raw(a=[*kept, *broken]), standardised(), a_contract(column))
    assert outcome.is_accepted.to_list() == [True] * len(kept) + [False] * len(broken)
    assert outcome.reasons["rule"].to_list() == [rule] * len(broken)
    assert outcome.reasons["row"].to_list() == list(range(len(kept), len(kept) + len(broken)))
    assert outcome.reasons.schema == ISSUES


def test_a_row_may_have_several_reasons_and_columns_of_one_attribute_are_told_apart():
    shop = a_contract(SourceColumn("a", "phone", is_required=True), SourceColumn("b", "phone", max_length=2, pattern="^x"))
    outcome = screen(raw(a=[None, "1"], b=["long", "x"]), standardised(), shop)
    assert outcome.reasons.select("row", "rule").rows() == [(0, "length_b"), (0, "pattern_b"), (0, "required_a")]
    assert outcome.is_accepted.to_list() == [False, True]


def test_only_issues_of_severity_error_refuse():
    issues = (
        (0, "phone", "not_a_phone_number", "conformity", "warning"),
        (1, "birth_date", "impossible_date", "accuracy", "error"),
    )
    outcome = screen(raw(a=["x", "y"]), standardised(*issues), a_contract(SourceColumn("a", "phone")))
    assert outcome.is_accepted.to_list() == [True, False]
    assert outcome.reasons.rows() == [issues[1]]


def test_the_caller_may_add_reasons_and_none_is_told_twice():
    shop = a_contract()
    key = shop.key_column
    extra = pl.concat([reasons_for(rule_of(shop, key, "unique"), [2]), reasons_for(rule_of(shop, key, "required"), [0])])
    outcome = screen(raw(id=[None, "b", "c"]), standardised(), shop, extra_reasons=extra)
    assert outcome.reasons.select("row", "rule").rows() == [(0, "required"), (2, "unique")]
    assert outcome.is_accepted.to_list() == [False, True, False]


def test_a_reason_that_names_no_rule_is_an_error():
    shop = a_contract()
    extra = reasons_for(rule_of(shop, shop.key_column, "unique"), [0]).with_columns(rule=pl.lit("uniqe"))
    with pytest.raises(ContractViolation, match="no such rules"):
        screen(raw(id=["a"]), standardised(), shop, extra_reasons=extra)
    with pytest.raises(ContractViolation, match="extra reasons should have the columns"):
        screen(raw(id=["a"]), standardised(), shop, extra_reasons=pl.DataFrame({"row": [0]}))


def test_an_empty_batch_is_accepted():
    outcome = screen(raw(a=[]), standardised(), a_contract(SourceColumn("a", "phone", is_required=True, pattern="x")))
    assert (outcome.is_accepted.len(), outcome.reasons.height) == (0, 0)


@pytest.mark.parametrize("batch", [pl.DataFrame({"id": [CANARY]}), pl.DataFrame({"id": [CANARY], "a": [CANARY.encode()]})])
def test_a_batch_that_is_not_the_contracts_names_the_column_and_no_value(batch):
    with pytest.raises(ContractViolation, match="lacks column 'a', or it is not text") as raised:
        screen(batch, standardised(), a_contract(SourceColumn("a", "phone", pattern="x")))
    assert CANARY not in "".join(traceback.format_exception(raised.value)).replace(f'"{CANARY}"', "")


def test_reasons_show_no_value():
    outcome = screen(
        raw(a=[CANARY]), standardised(), a_contract(SourceColumn("a", "phone", max_length=1, pattern="^x", allowed=("y",)))
    )
    assert outcome.reasons.height == 3
    assert CANARY not in repr(outcome)


_cells = st.none() | st.text(max_size=6)


@settings(max_examples=40)
@given(st.lists(_cells, max_size=12), st.integers(0, 12))
def test_a_row_is_judged_alike_in_whatever_batch(cells, cut):
    shop = a_contract(SourceColumn("a", "phone", is_required=True, min_length=2, pattern="[a-z0-9]"))
    whole = screen(raw(a=cells), standardised(), shop).is_accepted.to_list()
    parts = [screen(raw(a=part), standardised(), shop).is_accepted.to_list() for part in (cells[:cut], cells[cut:])]
    assert [*parts[0], *parts[1]] == whole
