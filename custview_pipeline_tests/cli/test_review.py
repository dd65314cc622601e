"""``custview review list``, ``show`` and ``assign``: what asks for a person, how it is shown, and whose it is."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from rich.console import Console

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli import review_item_pages, review_pages
from custview_pipeline.cli.review_item_pages import effect_in_words, print_item_head, print_value
from custview_pipeline.cli.review_pages import QUESTIONS, print_queue
from custview_pipeline.contracts.intake_tables import HELD_DELIVERIES
from custview_pipeline.contracts.matching_tables import REVIEW_TASKS
from custview_pipeline.flows.answer_effect import AnswerEffect, Share
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.review_item import Item, Rival
from custview_pipeline.flows.value_changes import CHANGES, VALUE_CHANGES
from custview_pipeline.kernel.identifiers import group_cuid
from custview_pipeline.protection.vault import Vault
from custview_pipeline.stewardship.queue import ITEMS
from custview_pipeline_tests.canaries import open_keyring
from custview_pipeline_tests.factories import cuid, table
from custview_pipeline_tests.permissions import AS_ADA, access_log, allow
from custview_pipeline_tests.worlds import SourceSpec, make_world, people

JUNIOR = "crm-00900"
SENIOR = "shop-00900"
HELD = {
    "held_id": "9f3a5c0e7b1d2468", "version": 1, "source_system": "shop", "fingerprint": "f", "row_count": 4, "known_count": 20,
    "deleted_count": 16, "status": "held", "run_id": "x",
}  # fmt: skip


def twice(source, key, suffix):
    """Return somebody of a family in which a name comes twice."""
    (row,) = people(1, of=source, first=40)
    return row | {"ref": key, "name": f"{row['name']} {suffix}"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a project with a question of each kind; tests decide nothing in it."""
    world = make_world(tmp_path_factory.mktemp("review"), SourceSpec("crm"), SourceSpec("shop", file_format="jsonl"))
    others = [row | {"mobile": f"(212) 555-9{number:03d}"} for number, row in enumerate(people(12, of="shop", first=10))]
    world.deliver("crm", [*people(30, of="crm"), twice("crm", JUNIOR, "Jr.")])
    world.deliver("shop", [*others, twice("shop", SENIOR, "Sr.")])
    allow(world)
    outcome = world.refresh()
    assert outcome.code == 0, outcome
    ask_more(world)
    return world


def ask_more(world):
    """Hold a delivery, and call a customer contradicted."""
    with DeltaLake(world.lake, open_keyring(world)).writer() as lake:
        owned = current_crosswalk(lake.snapshot())
        (shared, *_) = owned.filter(pl.col("cuid").is_duplicated()).sort("source_key")["cuid"]
        left, right = owned.filter(pl.col("cuid") == shared)["record_id"].sort()
        task = {
            "left_id": left, "right_id": right, "version": 1, "is_open": True, "kind": "contradicted_customer", "weight": -11.0,
            "left_cuid": shared, "right_cuid": shared, "run_id": "x",
        }  # fmt: skip
        with lake.commit("asked") as commit:
            commit.append(REVIEW_TASKS.name, table(REVIEW_TASKS.types, {}, (task,)))
            held = dict.fromkeys(HELD_DELIVERIES.types) | HELD | {"held_at": datetime.now(UTC) - timedelta(hours=5)}
            commit.append(HELD_DELIVERIES.name, table(HELD_DELIVERIES.types, held, ({},)))


def review(world, *arguments):
    return world.run("review", *arguments, "--project", world.directory)


def listed(world, *options):
    outcome = review(world, "list", "--json", "--limit", "100", *options)
    assert outcome.code == 0, outcome
    return json.loads(outcome.out)


def item_of(world, kind):
    return next(row["item_id"] for row in listed(world) if row["kind"] == kind)


def assert_nothing_readable(outcome):
    said = re.sub(r"(?:crm|shop)[:-]", "", outcome.out + outcome.err)
    assert not re.search(r"(?i)abernathy|maple|springfield|62704|@example|\b19\d\d-\d\d-\d\d", said), said


def test_the_list_ranks_what_waits_by_its_effect_and_shows_no_value(world):
    outcome = review(world, "list")
    assert outcome.code == 0, outcome
    rows = listed(world)
    assert {row["kind"] for row in rows} == {"pair", "customer", "value", "delivery"}
    assert [row["effect"] for row in rows] == sorted((row["effect"] for row in rows), reverse=True)
    shown = re.findall(r"^([MCVD]\w{10}) ", outcome.out, re.MULTILINE)
    assert shown == [row["item_id"] for row in rows][:20]
    assert f"next: custview review show {shown[0]}" in outcome.out
    assert re.search(r"^\d+ of \d+ items: 1 pair, 1 customer, \d+ values, 1 delivery$", outcome.out, re.MULTILINE)
    assert "a match, but a rule forbids it" in outcome.out
    assert "delivery of shop that deletes 16 records" in outcome.out
    assert_nothing_readable(outcome)


@pytest.mark.parametrize("kind", ["pair", "customer", "value", "delivery"])
def test_the_list_can_be_of_one_kind(world, kind):
    rows = listed(world, "--kind", kind)
    assert rows
    assert {row["kind"] for row in rows} == {kind}


def test_a_blind_list_has_the_same_items_and_nothing_of_what_matching_thinks(world):
    seen, blind = listed(world), listed(world, "--blind")
    assert {row["item_id"] for row in seen} == {row["item_id"] for row in blind}
    assert [row["item_id"] for row in blind] == sorted(row["item_id"] for row in blind)
    assert {*seen[0]} - {*blind[0]} == {"weight", "probability", "effect", "reason"}
    outcome = review(world, "list", "--blind", "--kind", "pair")
    assert "one customer or two?" in outcome.out
    assert not re.search(r"effect|bits|rule|[+-]\d+\.\d", outcome.out)


def test_a_list_of_nothing_says_so(world):
    assert review(world, "list", "--assigned-to", "nobody").out == "no item of the queue is as you asked\n"
    assert review(world, "list", "--kind", "pair", "--limit", "0").out == "1 pair; --limit lists some\n"


def test_a_pair_is_shown_side_by_side_with_what_differs_and_what_either_answer_would_change(world):
    outcome = review(world, "show", item_of(world, "pair"))
    assert outcome.code == 0, outcome
    lines = outcome.out.splitlines()
    assert re.fullmatch(r"M\w{10}  a match, but a rule forbids it, effect 0\.\d\d, found \d+ min ago; open", lines[0])
    assert lines[1].startswith("person, now of CU ")
    assert re.search(rf"attribute +(crm:{JUNIOR} +shop:{SENIOR}|shop:{SENIOR} +crm:{JUNIOR}) +compared", outcome.out)
    assert re.search(r"^~ +name +P?\S*\*\*\*", outcome.out, re.MULTILINE)
    assert re.search(r"^ +suffixes differ -\d+\.\d", outcome.out, re.MULTILINE)
    assert re.search(r"^= +email .+ same e-mail address \+\d", outcome.out, re.MULTILINE)
    assert re.search(r"^= +country +\*\*\* +\*\*\* +same value, not weighed", outcome.out, re.MULTILINE)
    assert re.search(r"^NO_MATCH, decided by Jr is not Sr; the evidence alone has \+", outcome.out, re.MULTILINE)
    assert "\ntwo customers now, CU " in outcome.out
    assert re.search(r"^match: CU \S+ \(1 record\) goes into CU \S+, which then has 2$", outcome.out, re.MULTILINE)
    assert "\nnot a match: nothing changes; it is not asked again\n" in outcome.out
    assert_nothing_readable(outcome)


def test_a_customer_is_shown_by_the_pair_that_fits_least_and_what_a_split_would_change(world):
    outcome = review(world, "show", item_of(world, "customer"))
    assert outcome.code == 0, outcome
    assert "  may be two customers, effect 0." in outcome.out
    assert "\nmatch: nothing changes; it is not asked again\n" in outcome.out
    assert re.search(r"^not a match: CU \S+ has 1 then, 1 record becomes a new customer$", outcome.out, re.MULTILINE)
    assert re.search(r"^  contested no more: phone$", outcome.out, re.MULTILINE)
    assert_nothing_readable(outcome)


@pytest.mark.parametrize("kind", ["pair", "customer"])
def test_a_blind_page_has_the_values_and_their_marks_alone(world, kind):
    outcome = review(world, "show", item_of(world, kind), "--blind")
    assert outcome.code == 0, outcome
    assert re.match(r"[MC]\w{10}  one customer or two\?(, found \d+ min ago)?; open\nperson\n", outcome.out)
    assert "same e-mail address" in outcome.out
    assert not re.search(r"MATCH|CU |effect|probability|rule|[+-]\d+\.\d|nothing changes", outcome.out)
    assert_nothing_readable(outcome)


def test_the_candidates_for_a_contested_value_are_shown_with_who_says_the_same(world):
    outcome = review(world, "show", item_of(world, "value"))
    assert outcome.code == 0, outcome
    assert re.search(r"^V\w{10}  which value holds\?, effect 0\.\d\d", outcome.out)
    assert re.search(r"^A +\+1 \*\*\* \*\*\* \d{4} +(crm|shop):\S+ +0\.\d\d +\w", outcome.out, re.MULTILINE)
    assert re.search(r"^B +\+1 \*\*\* \*\*\* \d{4} +(crm|shop):\S+ +0\.\d\d +\w", outcome.out, re.MULTILINE)
    assert re.search(r"^next: custview review decide pin CU\w{17} phone SOURCE:KEY", outcome.out, re.MULTILINE)
    assert_nothing_readable(outcome)


def test_a_held_delivery_is_told_by_counts_and_by_what_either_answer_does(world):
    outcome = review(world, "show", item_of(world, "delivery"))
    assert outcome.code == 0, outcome
    assert "it would delete 16 of 20 records, 80%" in outcome.out
    assert f"next: custview deliveries approve {HELD['held_id']} --reason TEXT" in outcome.out


def test_values_are_revealed_as_the_role_sees_them_and_logged_first(world, monkeypatch):
    item, before, unseal, seen = item_of(world, "pair"), len(access_log(world)), Vault.unseal, []
    monkeypatch.setattr(Vault, "unseal", lambda *call: seen.append(len(access_log(world))) or unseal(*call))
    outcome = review(world, "show", item, "--reveal", *AS_ADA)
    assert outcome.code == 0, outcome
    assert re.search(r"^= +email +\S+@example\.org +\S+@example\.org ", outcome.out, re.MULTILINE)
    assert re.search(r"^= +birth_date +\d{4}-\*\*-\*\* +\d{4}-\*\*-\*\* ", outcome.out, re.MULTILINE)
    (entry,) = access_log(world)[before:]
    assert (entry["who"], entry["outcome"], entry["what"]) == ("ada", "granted", f"review show {item}")
    assert set(seen) == {before + 1}


def test_a_contested_value_is_revealed_too(world):
    outcome = review(world, "show", item_of(world, "value"), "--reveal", *AS_ADA)
    assert re.search(r"^A +\+1212555\d{4} ", outcome.out, re.MULTILINE)


def test_who_may_not_see_is_denied_and_nothing_is_opened(world, monkeypatch):
    item = item_of(world, "pair")
    monkeypatch.setattr(Vault, "unseal", lambda *_: pytest.fail("opened"))
    outcome = review(world, "show", item, "--reveal", "--as", "eve", "--reason", "curious")
    assert (outcome.code, outcome.out) == (1, "")
    assert access_log(world)[-1]["outcome"] == "denied"


def test_items_are_given_to_somebody_and_back(world):
    items, due = [item_of(world, "pair"), item_of(world, "value")], datetime.now(UTC).date() + timedelta(days=9)
    outcome = review(world, "assign", *items, "--to", "ada", "--due", due.isoformat(), "--by", "grace")
    assert (outcome.code, outcome.out) == (0, f"2 items assigned to ada, due {due}\n"), outcome
    assert {row["item_id"]: row["due_on"] for row in listed(world, "--assigned-to", "ada")} == dict.fromkeys(items, str(due))
    page = review(world, "list", "--status", "assigned").out
    assert page.count(f"ada, due {due}") == 2
    assert f"; for ada, due {due}\n" in review(world, "show", items[0], "--blind").out
    outcome = review(world, "assign", *items)
    assert outcome.out == "2 items given back to the queue\n"
    assert listed(world, "--assigned-to", "ada") == []


def test_a_run_that_holds_the_lake_is_not_waited_for(world):
    item = item_of(world, "customer")
    with DeltaLake(world.lake, open_keyring(world)).writer():
        outcome = review(world, "assign", item, "--to", "ada")
        assert outcome.code == 0, outcome
        assert outcome.err == "a run holds the lake: it is kept, and the run takes it in before its next stage\n"
        assert len(DecisionInbox(world.lake).waiting()) == 1
        assert [row["item_id"] for row in listed(world, "--assigned-to", "ada")] == [item]
    assert review(world, "assign", item).code == 0
    assert DecisionInbox(world.lake).waiting() == ()
    assert listed(world, "--assigned-to", "ada") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "Paula"], "item is not understood: ids are M, C, V or D and ten characters"),
        (["show", "M0000000000"], "the queue has no item M0000000000"),
        (["assign", "M0000000000", "--to", "ada"], "the queue has no item M0000000000"),
        (["assign", "M0000000000", "--due", "2026-01-01"], "--due goes with --to NAME"),
        (["assign", "M0000000000", "--to", "ada", "--due", "2020-01-01"], "--due is over: name today or a day to come"),
        (["assign", "M0000000000", "--to", " "], "--to must be a name of at most 64 characters, on one line"),
        (["assign", "M0000000000", "--to", "ada", "--by", "a\nb"], "--by must be a name of at most 64 characters, on one line"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(world, arguments, said):
    outcome = review(world, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error {said}"), outcome.err
    assert outcome.err.count("\n") == 1
    assert "Paula" not in outcome.err


def test_a_delivery_holds_no_value_to_reveal(world):
    outcome = review(world, "show", item_of(world, "delivery"), "--reveal", *AS_ADA)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error --reveal goes with items that hold values")


@pytest.fixture
def printed(monkeypatch):
    """Return what prints something on a terminal of some width and returns its lines."""

    def lines_of(show, *arguments, width=300, **options):
        console = Console(width=width, highlight=False, record=True, file=None, force_terminal=False)
        for module in (review_pages, review_item_pages):
            monkeypatch.setattr(module, "results", lambda: console)
        with console.capture() as capture:
            show(*arguments, **options)
        return [line.rstrip() for line in capture.get().splitlines()]

    return lines_of


def queue(*rows):
    default = {
        "item_id": "M0123456789", "kind": "pair", "reason": "possible_match", "cuids": [cuid(1), cuid(2)], "weight": 0.5,
        "probability": 0.6, "record_count": 2, "value_count": 5, "effect": 0.15, "found_at": datetime.now(UTC), "status": "open",
    }  # fmt: skip
    return table(ITEMS, dict.fromkeys(ITEMS) | default, rows)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("status", ["open", "assigned", "done"])
def test_the_list_fits_a_terminal(printed, width, status):
    reasons = [reason for reason in QUESTIONS if reason not in {"contested_value", "held_delivery"}]
    owner = {} if status == "open" else {"assigned_to": "ada", "due_on": date(2026, 12, 1)}
    items = queue(*({"reason": reason, "status": status, **owner} for reason in reasons))
    lines = printed(print_queue, items, items, is_blind=False, width=width)
    assert all(len(line) <= width for line in lines)
    assert sum("M0123456789" in line for line in lines) == items.height + 1  # the line that says what is next
    assert "".join(lines).count("2026-12-01") == (0 if status == "open" else items.height)
    assert all(number in "".join(lines) for number in (cuid(1), cuid(2)))


def test_what_is_overdue_is_said_to_be(printed):
    items = queue({"assigned_to": "ada", "due_on": date(2020, 1, 1), "status": "assigned"}, {"item_id": "M0"})
    assert any(line.endswith("ada, overdue 2020-01-01") for line in printed(print_queue, items, items, is_blind=False))


def test_of_what_is_done_the_status_is_told(printed):
    items = queue({"status": "done"})
    assert printed(print_queue, items, items, is_blind=False)[1].endswith("done")


def an_item(**cells):
    return Item.of(queue(cells).row(0, named=True))


def test_every_question_is_asked_in_words_of_its_own(printed):
    heads = [printed(print_item_head, an_item(reason=reason), is_blind=False)[0] for reason in QUESTIONS]
    assert len(set(heads)) == len(heads)


def test_equal_candidates_have_one_letter_and_a_control_is_written_out(printed):
    rivals = tuple(
        Rival(rank, Member(rank, 1, "crm", f"k[{rank}]", "person", cuid(1)), 0, value, says, 0.5, "less_recent")
        for rank, (value, says) in enumerate([("\x1b[31m1", 1), ("2", 2), ("\x1b[31m1", 1), (None, None), ("x", 28)], 1)
    )
    lines = printed(print_value, an_item(kind="value", reason="contested_value", attribute="email", cuids=[cuid(1)]), rivals)
    assert [line.split()[:3] for line in lines[3:8]] == [
        ["A", r"\u001b[31m1", "crm:k[1]"],
        ["B", "2", "crm:k[2]"],
        ["A", r"\u001b[31m1", "crm:k[3]"],
        ["(no", "key)", "crm:k[4]"],
        ["AB", "x", "crm:k[5]"],
    ]


def changes(*rows):
    rows = [{"before_id": 1, "after_id": 2, "cuid": cuid(1), "attribute": "email", **row} for row in rows]
    return pl.DataFrame(rows, schema=VALUE_CHANGES, strict=False)


A, B = Share(cuid(1), 3), Share(cuid(2), 1)


@pytest.mark.parametrize(
    ("decision", "before", "after", "lines"),
    [
        ("match", (A, B), (A, B), ["nothing changes: they are kept apart even so"]),
        ("match", (A,), (A,), ["nothing changes; it is not asked again"]),
        ("not_a_match", (A, B), (A, B), ["nothing changes; it is not asked again"]),
        (
            "match", (A, B), (Share(A.cuid, 4),),
            [f"{group_cuid(B.cuid)} (1 record) goes into {group_cuid(A.cuid)}, which then has 4"],
        ),
        (
            "not_a_match", (A,), (Share(A.cuid, 2), Share(cuid(9), 1)),
            [f"{group_cuid(A.cuid)} has 2 then, 1 record becomes a new customer"],
        ),
        (
            "not_a_match", (A, B), (Share(A.cuid, 2), Share(B.cuid, 2)),
            [f"{group_cuid(A.cuid)} has 2 then, {group_cuid(B.cuid)} has 2 then"],
        ),
    ],
    ids=["forbidden", "one already", "two already", "merged", "split", "moved"],
)  # fmt: skip
def test_what_an_answer_does_to_customers_is_told_in_words(decision, before, after, lines):
    assert effect_in_words(AnswerEffect(decision, before, after, 0, changes())) == lines


def test_of_several_customers_it_is_told_whose_values_change():
    values = changes({"change": "another"}, {"change": "gained", "attribute": "phone"}, {"change": "lost", "cuid": cuid(2)})
    _, *lines = effect_in_words(AnswerEffect("match", (A, B), (A, B), 0, values))
    assert lines == [
        f"{group_cuid(A.cuid)}: other value: email; new value: phone",
        f"{group_cuid(B.cuid)}: no value any more: email",
    ]


def test_every_change_of_a_value_is_told_and_so_are_others_who_move():
    effect = AnswerEffect("match", (A,), (A,), 2, changes(*({"change": change} for change in CHANGES)))
    first, *lines = effect_in_words(effect)
    assert first == "the customers stay as they are"
    assert len(set(lines)) == len(CHANGES) - 1 + 1  # an equal value of another record is not told of
    assert all("email" in line for line in lines[:-1])
    assert lines[-1] == "2 records of other customers move too"
