"""``custview show --as-of`` and ``custview diff``: a customer at any moment, and what changed between two."""

import json
import re
from datetime import UTC, datetime

import pytest
import typer

from custview_pipeline.cli.history_pages import diff_as_json, print_diff
from custview_pipeline.cli.moments import read_moment
from custview_pipeline.flows.change_causes import Cause, CauseKind
from custview_pipeline.flows.customer_diff import Change, CustomerDiff, End, RecordChange, SaidValue, ValueChange
from custview_pipeline.flows.customer_history import Event
from custview_pipeline.kernel.identifiers import Cuid, group_cuid
from custview_pipeline_tests.factories import NOW
from custview_pipeline_tests.factories import cuid as made_cuid
from custview_pipeline_tests.permissions import AS_ADA, access_log

EMAIL = "paula.abernathy10@example.org"
VALUES = "(?i)abernathy|paula|maple|62704|@example"


def run(world, *arguments):
    return world.run(*arguments, "--project", world.directory)


@pytest.mark.parametrize(
    ("named", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, 23, 59, 59, 999999, UTC)),
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T00:00:00", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_day_stands_for_its_end_and_a_moment_for_itself_in_utc(named, moment):
    assert read_moment(named) == moment


@pytest.mark.parametrize("named", ["", "yesterday", "2026-02-30", "01/03/2026", "2026-03-01 12:00:00"])
def test_what_names_no_moment_is_refused(named):
    with pytest.raises(typer.BadParameter, match="should be a day as"):
        read_moment(named)


def test_a_customer_is_shown_as_of_a_day(world, cuid):
    now, then = run(world, "show", cuid), run(world, "show", cuid, "--as-of", "2199-12-31")
    assert (now.code, then.code) == (0, 0)
    head, as_of, *rest = then.out.splitlines()
    assert re.fullmatch(r"as of 2199-12-31; had been so since \d{4}-\d\d-\d\d \d\d:\d\d UTC", as_of)
    assert [head, *rest] == now.out.splitlines()


def test_before_its_time_there_was_no_such_customer(world, cuid):
    outcome = run(world, "show", cuid, "--as-of", "2001-01-01")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error no customer had this id on 2001-01-01: it came to be on 20")


@pytest.mark.parametrize("arguments", [["show", "CUID", "--as-of", "yesterday"], ["diff", "CUID", "2026-01-01", "soon"]])
def test_a_day_that_is_none_is_refused(world, cuid, arguments):
    assert run(world, *[cuid if each == "CUID" else each for each in arguments]).code == 2


def test_what_is_revealed_of_the_past_is_logged_with_its_moment(world, cuid):
    before = len(access_log(world))
    outcome = run(world, "show", cuid, "--as-of", "2199-12-31", "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    assert EMAIL in outcome.out
    (entry,) = access_log(world)[before:]
    assert entry["what"] == f"show {cuid} as of 2199-12-31T23:59:59"


def test_what_came_is_listed_masked_with_the_delivery_that_brought_it(world, cuid):
    outcome = run(world, "diff", cuid, "2001-01-01", "2199-12-31")
    assert outcome.code == 0, outcome
    assert outcome.out.startswith(f"{group_cuid(cuid)} from 2001-01-01 to 2199-12-31\n2001-01-01: no customer had this id on ")
    assert re.search(
        r"^\+ +email +p\*\*\*@e\*\*\*\.org  (crm|shop), records agree +delivery [0-9a-f]{16}, ", outcome.out, re.MULTILINE
    )
    assert re.search(r"^\+ +shop:shop-00010 +delivery [0-9a-f]{16}, ", outcome.out, re.MULTILINE)
    assert f"{group_cuid(cuid)} created" in outcome.out
    assert not re.search(VALUES, outcome.out)


def test_between_two_days_without_a_change_nothing_changed(world, cuid):
    outcome = run(world, "diff", cuid, "2199-12-30", "2199-12-31")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "nothing changed")


def test_scripts_get_the_comparison_as_json(world, cuid):
    said = json.loads(run(world, "diff", cuid, "2001-01-01", "2199-12-31", "--json").out)
    assert (said["before"]["cuid"], said["after"]["cuid"]) == (None, cuid)
    assert {each["change"] for each in said["values"]} == {"came"}
    assert {each["cause"]["kind"] for each in said["values"]} == {"delivery"}
    assert [each["source_key"] for each in said["records"]] == ["crm-00010", "shop-00010"]


def test_what_a_comparison_reveals_is_logged(world, cuid):
    before = len(access_log(world))
    outcome = run(world, "diff", cuid, "2001-01-01", "2199-12-31", "--reveal", *AS_ADA)
    assert EMAIL in outcome.out
    (entry,) = access_log(world)[before:]
    assert entry["what"] == f"diff {cuid} 2001-01-01T23:59:59 2199-12-31T23:59:59"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["CUID", "2026-02-01", "2026-01-01"], 2, "error the first date must not be after the second\n"),
        (["Paula Abernathy", "2026-01-01", "2026-02-01"], 2, "error not a CUID: expected CU and 17 letters and digits\n"),
        (["CU00000000000000009", "2026-01-01", "2026-02-01"], 1, "error no customer has this id\n"),
    ],
)
def test_what_cannot_be_compared_is_one_line(world, cuid, arguments, code, said):
    outcome = run(world, "diff", *[cuid if each == "CUID" else each for each in arguments])
    assert (outcome.code, outcome.out, outcome.err) == (code, "", said)


ONE, OTHER = Cuid(made_cuid(1)), Cuid(made_cuid(2))
CAUSES = [
    (Cause(CauseKind.DECISION, "4f1c", NOW), "decision 4f1c"),
    (Cause(CauseKind.MERGE, OTHER, NOW), f"merge with {group_cuid(OTHER)}"),
    (Cause(CauseKind.SPLIT, OTHER, NOW), f"split, {group_cuid(OTHER)}"),
    (Cause(CauseKind.DELIVERY, "d1", NOW), "delivery d1"),
    (Cause(CauseKind.DELETION, "d1", NOW), "deleted, delivery d1"),
    (Cause(CauseKind.RULES, "r2", NOW), "rulebook r2"),
    (Cause(CauseKind.ELECTION, "", NOW), "other candidates changed"),
]


def compared(cause, **changes):
    """Return a comparison in which one value changed."""
    values = (
        ValueChange("email", Change.CHANGED, SaidValue("a***", "crm", "most_trusted"), SaidValue(None, None, "pinned"), cause),
    )
    ends = (End(NOW, ONE, "", 1), End(NOW, OTHER, "merged into it", 2))
    return CustomerDiff(ONE, *ends, **{"events": (), "values": values, "records": (), **changes})


@pytest.mark.parametrize(("cause", "words"), CAUSES, ids=[cause.kind for cause, _ in CAUSES])
def test_every_cause_reads_as_words(cause, words, capsys):
    print_diff(compared(cause))
    out = capsys.readouterr().out
    assert f"{words}, 2026-03-01 12:00" in out
    assert json.loads(diff_as_json(compared(cause)))["values"][0]["cause"]["kind"] == cause.kind


def test_notes_events_and_records_are_told(capsys):
    event = Event(NOW, OTHER, "merged_into", ONE, "run-1")
    records = (RecordChange(Change.WENT, "crm", "k\x1b1", None),)
    print_diff(compared(CAUSES[0][0], events=(event,), records=records))
    out = capsys.readouterr().out
    assert "12:00:00 UTC: 1 source record of then was erased since; what they said is gone" in out
    assert "12:00:00 UTC: 2 source records of then were erased since; what they said is gone" in out
    assert "12:00:00 UTC: merged into it" in out
    assert f"2026-03-01 12:00: {group_cuid(OTHER)} merged into {group_cuid(ONE)}" in out
    assert re.search(r"^- +crm:k\\u001b1 +not told", out, re.MULTILINE)
    assert "(no key)  unknown, pinned by a steward" in out


def test_sums_and_values_kept_beside_are_told_as_such(capsys):
    summed = ValueChange("loyalty_points", Change.CAME, None, SaidValue("7", "crm", "summed", 2), CAUSES[0][0])
    kept = ValueChange("phone", Change.WENT, SaidValue("+1 ***", "crm", "kept"), None, CAUSES[0][0])
    print_diff(compared(CAUSES[0][0], values=(summed, kept)))
    out = capsys.readouterr().out
    assert re.search(r"^\+ +loyalty_points +7  sum of 2 values +decision", out, re.MULTILINE)
    assert re.search(r"^- +phone +\+1 \*\*\*  crm, kept too +decision", out, re.MULTILINE)
