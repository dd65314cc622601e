"""Tests of ``custview_pipeline.flows.judge``: the verdict of a delivery, and nothing stored."""

from dataclasses import replace

import pytest

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import QualityRule
from custview_pipeline.flows.judge import judge
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline_tests.flows.delivery_desk import row


def tried(desk, *rows, workers=1):
    desk.put(*rows)
    return judge(desk.contract, SourceFiles(desk.root, desk.contract), "US", workers=workers, progress=Unwatched())


ROWS = [
    row("1", "Ada Winterbourne", "ada@example.org"),
    row("1", "Ada Winterbourne", "ada@example.org"),
    row("2", "", "otto@example.org"),
    row("3", "Otto Keating", "no address"),
    row("4", "Berta Oakley", "ada@example.org"),
    row("5", "Clara Jarvis"),
    row("5", "Doris Fairfax"),
    row(None, "Edgar"),
    row("6", "Nora Eastwick", "nora@example.org"),
]


@pytest.mark.parametrize("limit", [1.0, 0.1])
def test_a_trial_says_what_taking_it_in_would(desk, limit):
    entry = QualityRule("names", "nullValues", "full_name", "mustBeLessThan", (10.0,), unit="percent", severity="warning")
    unknown = QualityRule("odd", "sql", None, None, (), is_executable=False)
    desk.contract = replace(desk.contract, max_refused_share=limit, quality=(entry, unknown))
    desk.redefine("full_name", is_required=True)
    desk.redefine("email", is_unique=True)
    trial = tried(desk, *ROWS)
    found = desk.take()
    assert (trial.refusal, trial.verdicts, trial.reasons) == (found.refusal, found.verdicts, found.reasons)
    assert (trial.row_count, trial.refused_count, trial.warned_count) == (9, found.refused_count, found.warned_count)
    assert (trial.accepted_count, trial.repeated_count) == (found.new_count, found.unchanged_count)
    assert (found.refused_count, found.warned_count) == (6, 1)
    assert not trial.is_good


def test_nothing_is_stored_and_no_key_is_made(desk):
    before = {path for path in desk.root.rglob("*") if "lake" in path.parts}
    assert tried(desk, row("1"), row("2", "Otto Keating")).is_good
    assert {path for path in desk.root.rglob("*") if "lake" in path.parts} == before


def test_a_file_that_cannot_be_read_is_told_of_as_in_a_delivery(desk):
    desk.put()
    (desk.root / "data/crm/rows.csv").write_text("source_key,full_name\n1,Ada\n", encoding="utf-8")
    with pytest.raises(SourceUnreadable, match="the header lacks 'email'"):
        judge(desk.contract, SourceFiles(desk.root, desk.contract), "US", workers=1, progress=Unwatched())


@pytest.mark.slow
def test_workers_judge_as_this_process_does(desk, monkeypatch):
    monkeypatch.setenv(settings.ROWS_FOR_WORKERS, "20000")
    rows = [row(str(number), None if number % 50 == 0 else "Ada Winterbourne") for number in range(21_000)]
    desk.redefine("full_name", is_required=True)
    assert tried(desk, *rows, workers=2) == tried(desk, *rows)
