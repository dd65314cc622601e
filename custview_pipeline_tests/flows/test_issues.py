"""What accepted records are warned of, record by record."""

import polars as pl

from custview_pipeline.flows.export import export_issues
from custview_pipeline_tests.flows.delivery_desk import row

ISSUE = ("crm", "2", "email", "not_an_email_address", "conformity", "warning")


def issues_of(desk):
    return export_issues(desk.lake.snapshot()).rows()


def test_an_accepted_record_is_listed_with_each_rule_that_a_value_of_it_breaks(desk):
    delivery = desk.deliver(row("1", email="ada@example.org"), row("2", email="ada at home"), row("3", email="n/a"))

    assert delivery.warned_count == 1
    assert issues_of(desk) == [ISSUE, ("crm", "3", "email", "placeholder", "completeness", "warning")]


def test_a_mended_record_and_one_that_is_gone_are_listed_no_more(desk):
    desk.deliver(row("1"), row("2", email="ada at home"), row("3", email="n/a"))
    desk.deliver(row("1"), row("2", email="ada@example.org"))

    assert issues_of(desk) == []
    stored = desk.lake.snapshot().read("record_issues")
    assert stored.select("version", "rule").sort("rule").rows() == [(1, "not_an_email_address"), (1, "placeholder")]


def test_a_refused_row_is_in_quarantine_and_not_among_the_warnings(desk):
    desk.deliver(row("1"), row(None, email="ada at home"))

    assert issues_of(desk) == []
    assert desk.quarantined().height == 1


def test_the_list_holds_no_value(desk):
    desk.deliver(row("2", name="Wilhelmina Quenneville", email="quenneville at home"))

    stored = desk.lake.snapshot().read("record_issues")
    assert stored.height == 1
    assert "quenneville" not in stored.select(pl.exclude(pl.Int64)).write_csv().lower()
