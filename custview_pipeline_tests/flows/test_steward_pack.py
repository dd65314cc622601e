"""A steward pack: what it shows, what it hides, and that its answers come back only to what was shown."""

import shutil
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.matching_settings import Matching
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.steward_packs import STEWARD_PACKS
from custview_pipeline.flows.deciding import check_batch
from custview_pipeline.flows.decisions import add_decisions, as_decisions, current_decisions, withdraw_decisions
from custview_pipeline.flows.pack_answers import Desk, check_answers
from custview_pipeline.flows.review_queue import review_queue
from custview_pipeline.flows.steward_pack import Maker, make_pack, store_pack
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel.errors import LakeError, ProjectInvalid
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.pack import Agreement, seal_of
from custview_pipeline_tests.decision_files import FIRST_LINE, answer, handed_in
from custview_pipeline_tests.flows.conftest import ADA, FIRST_DELIVERY, OTTO, a_house
from custview_pipeline_tests.flows.sealed_lake import Record, remove, take_in

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
CAUTIOUS = Rulebook(matching=Matching(match_weight=90.0, review_weight=-5.0))  # so that every likely pair is asked about
OTTO_IN_WEB = Record(4, OTTO, {"name": "Otto Keating", "email": "otto@example.org"}, source_system="web")
ADA_IN_WEB = Record(5, ADA, {"name": "Ada Winterbourne"}, source_system="web")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a house with keys of its own and pairs that wait, not to be changed: Ada's (1, 2), (1, 5), (2, 5), Otto's (3, 4)."""
    root = tmp_path_factory.mktemp("asking")
    keyring = Keyring.open(FileKeyProvider(root / "keys"), KeyDirectory(root / "keys"))
    house = a_house(root / "lake", keyring)
    take_in(house.lake, house.keyring, *FIRST_DELIVERY, OTTO_IN_WEB, ADA_IN_WEB)
    house.run(rulebook=CAUTIOUS)
    return house


@pytest.fixture
def asking(asked, tmp_path):
    """Return such a house to go on with."""
    shutil.copytree(asked.lake.root, tmp_path / "lake")
    return a_house(tmp_path / "lake", asked.keyring)


def packed(house, *, is_blind=False, at=NOW, is_stored=True):
    snapshot = house.lake.snapshot()
    items = review_queue(snapshot).filter(pl.col("left_id").is_not_null())
    pack = make_pack(scales_of(snapshot, CAUTIOUS, house.contracts), house.keyring, items, Maker("ada", at, is_blind))
    if is_stored:
        with house.lake.writer() as writer:
            store_pack(writer, pack, "run-p")
    return pack


def item_of(pack, left, right):
    return next(pair for pair in pack.pairs if {pair.link.left.record_id, pair.link.right.record_id} == {left, right}).item_id


def check(house, pack, *decisions, desk=None, **further):
    handed = handed_in(*(further.pop("head", (pack.name, pack.seal))), decisions, **further)
    return check_answers(house.lake.snapshot(), house.keyring, handed, desk or Desk("ada", NOW))


def take_decisions(house, checked):
    with house.lake.writer() as writer:
        return add_decisions(writer, checked.rows, "run-d")


def said(pack, left, right, decision="match", *, after=1, **further):
    return answer(item_of(pack, left, right), decision, NOW + timedelta(minutes=after), **further)


def test_a_pack_shows_both_records_masked_with_what_differs(asking):
    pack = packed(asking)
    pair = next(pair for pair in pack.pairs if pair.link.left.record_id == 1)
    fields = {field.attribute: field for field in pair.fields}
    assert fields["name"].left == (("A*** W***", False),)
    assert fields["name"].agreement is Agreement.SAME  # given and family name are, whatever is written
    assert fields["phone"].agreement is Agreement.ONE_SIDED
    assert pair.reason == "possible_match"
    assert sum(level.bits for level in pair.link.levels) + pair.link.starting_bits == pytest.approx(pair.link.weight)


def test_what_a_pack_shows_is_noted_by_ids_alone(asking):
    pack = packed(asking)
    stored = asking.lake.snapshot().read(STEWARD_PACKS.name)
    assert stored.equals(pack.rows)
    assert {(1, 2), (3, 4)} <= set(stored.select("left_id", "right_id").rows())
    assert stored["exported_by"].unique().to_list() == ["ada"]
    assert [item.item_id for item in pack.name.items] == stored["item_id"].to_list()


def test_where_nothing_waits_there_is_no_pack(once_run):
    with pytest.raises(LakeError, match="no pair to decide"):
        packed(once_run)


def test_a_record_that_its_source_has_deleted_is_not_shown(asking):
    remove(asking.lake, 2, version=2)
    assert all(2 not in {pair.link.left.record_id, pair.link.right.record_id} for pair in packed(asking).pairs)


def test_answers_become_decisions_of_stewards_bound_to_the_pack(asking):
    pack = packed(asking)
    decisions = [said(pack, 1, 2, reason_code="same_person", note="known in person"), said(pack, 3, 4, "not_a_match")]
    checked = check(asking, pack, *decisions)
    assert (checked.known_count, checked.stale_count, checked.unanswered_count) == (0, 0, len(pack.pairs) - 2)
    assert take_decisions(asking, checked) == 2
    rows = current_decisions(asking.lake.snapshot())
    assert rows.select("left_id", "right_id", "decision", "reason_code", "reason", "decided_by").rows() == [
        (1, 2, "match", "same_person", "known in person", "ada"),
        (3, 4, "not_a_match", None, None, "ada"),
    ]
    assert set(rows["origin"]) == {"steward"}
    assert set(rows["pack_id"]) == {pack.name.pack_id}
    assert rows["decided_at"].to_list() == [NOW + timedelta(minutes=1)] * 2


@pytest.mark.parametrize(("note", "reason"), [(None, "handed in by bob"), ("by phone", "by phone, handed in by bob")])
def test_a_messenger_is_named(asking, note, reason):
    pack = packed(asking)
    checked = check(asking, pack, said(pack, 1, 2, note=note), desk=Desk("bob", NOW))
    assert checked.rows["reason"].to_list() == [reason]
    assert checked.rows["decided_by"].to_list() == ["ada"]


def test_a_file_can_be_handed_in_again_with_more_answers_also_after_a_run_linked_by_the_first(asking):
    pack = packed(asking)
    take_decisions(asking, check(asking, pack, said(pack, 1, 2)))
    asking.run("run-2", rulebook=CAUTIOUS)
    checked = check(asking, pack, said(pack, 1, 2), said(pack, 3, 4))
    assert (checked.rows.height, checked.known_count) == (1, 1)
    assert take_decisions(asking, checked) == 1


def test_what_was_withdrawn_stays_so_when_its_file_comes_again(asking):
    pack = packed(asking)
    checked = check(asking, pack, said(pack, 1, 2))
    take_decisions(asking, checked)
    with asking.lake.writer() as writer:
        withdraw_decisions(writer, checked.rows["decision_id"].to_list(), NOW, "run-w", "bob")
    assert check(asking, pack, said(pack, 1, 2)).known_count == 1


@pytest.mark.parametrize(
    ("first", "then", "count"),
    [
        ({"note": "by phone"}, {"note": "by phone"}, 0),
        ({"note": "by phone"}, {"note": "by letter"}, 1),
        ({"note": None}, {"note": ""}, 0),
        ({"reason_code": "other"}, {"reason_code": "same_person"}, 1),
    ],
)
@pytest.mark.parametrize("messenger", ["ada", "bob"])
def test_words_that_changed_since_they_were_kept_are_counted_whoever_hands_them_in(asking, first, then, count, messenger):
    pack = packed(asking)
    take_decisions(asking, check(asking, pack, said(pack, 1, 2, **first), said(pack, 3, 4), desk=Desk(messenger, NOW)))
    checked = check(asking, pack, said(pack, 1, 2, **then), said(pack, 3, 4))
    assert (checked.known_count, checked.reworded_count) == (2, count)


def test_answers_carry_the_evidence_they_were_checked_on(asking):
    pack = packed(asking)
    rows = check(asking, pack, said(pack, 1, 2), said(pack, 3, 4)).rows
    batch = DecisionBatch.of(rows, said_by="ada", said_at=NOW)
    check_batch(asking.lake.snapshot(), batch)
    change_ada(asking)
    with pytest.raises(ProjectInvalid, match=r"^the records of a decision of a pack"):
        check_batch(asking.lake.snapshot(), batch)


def refused(house, pack, *decisions, **further):
    """Return why decisions are refused; nothing is stored of them."""
    with pytest.raises(ProjectInvalid) as error:
        check(house, pack, *decisions, **further)
    return str(error.value).removeprefix("decisions.json:")


def test_a_pack_of_another_lake_is_refused(asking):
    pack = packed(asking)
    other = pack.name.model_copy(update={"lake": "00"})
    why = refused(asking, pack, said(pack, 1, 2), head=(other, pack.seal))
    assert why.startswith("3: the pack was made from another lake")


def test_a_pack_that_this_lake_did_not_note_is_refused(asking):
    pack = packed(asking, is_stored=False)
    assert refused(asking, pack, said(pack, 1, 2)).startswith("3: this lake knows no pack of this id")


ALTERED = {
    "its items": lambda name: {"items": name.items[:1]},
    "its id": lambda _: {"pack_id": "P0000000000"},
    "its state": lambda _: {"state": "review_tasks=99"},
    "the version of its key": lambda _: {"key_version": 99},
    "its moment": lambda _: {"exported_at": "2020-01-01T00:00:00+00:00"},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_an_altered_pack_is_refused(asking, change):
    pack = packed(asking)
    other = pack.name.model_copy(update=change(pack.name))
    assert refused(asking, pack, said(pack, 1, 2), head=(other, pack.seal)).startswith("3: the pack was altered")


def test_a_seal_of_another_key_is_refused(asking):
    pack = packed(asking)
    seal = seal_of(asking.keyring.current(Purpose.LOG)[1], pack.name)
    assert refused(asking, pack, said(pack, 1, 2), head=(pack.name, seal)).startswith("3: the pack was altered")


def test_a_pack_outlives_the_rotation_of_the_log_key(asking):
    pack = packed(asking)
    asking.keyring.renew(Purpose.LOG)
    assert check(asking, pack, said(pack, 1, 2)).rows.height == 1


def test_an_unknown_item_is_refused_with_its_line(asking):
    pack = packed(asking)
    why = refused(asking, pack, said(pack, 1, 2), answer("M0000000000", "match", NOW))
    assert why == f"{FIRST_LINE + 1}: the pack has no item of this id"


def test_an_item_that_is_answered_twice_is_refused_with_both_lines(asking):
    pack = packed(asking)
    why = refused(asking, pack, said(pack, 1, 2), said(pack, 3, 4), said(pack, 1, 2, "unsure"))
    assert why == f"{FIRST_LINE + 2}: the item of line {FIRST_LINE} is answered again"


@pytest.mark.parametrize(("after", "why"), [(60 * 24 * 2, "in the future"), (-60 * 24 * 2, "before the pack was made")])
def test_a_moment_that_cannot_be_is_refused_with_its_line(asking, after, why):
    pack = packed(asking)
    assert refused(asking, pack, said(pack, 1, 2, after=after)).startswith(f"{FIRST_LINE}: was decided {why}")


def change_ada(house):
    take_in(house.lake, house.keyring, Record(1, ADA, {"name": "Ada Summers"}, version=2))


def delete_ada(house):
    remove(house.lake, 2, version=2)


def decide_elsewhere(house):
    row = {
        "left_id": [1],
        "right_id": [2],
        "decision": ["match"],
        "decided_by": ["bob"],
        "decided_at": [NOW],
        "origin": ["steward"],
    }
    with house.lake.writer() as writer:
        add_decisions(writer, as_decisions(pl.DataFrame(row)), "run-d")
    house.run("run-2", rulebook=CAUTIOUS)


@pytest.mark.parametrize("change", [change_ada, delete_ada, decide_elsewhere])
def test_an_item_whose_evidence_changed_since_is_refused_or_left_out(asking, change):
    pack = packed(asking)
    change(asking)
    why = refused(asking, pack, said(pack, 3, 4), said(pack, 1, 2))
    assert why.startswith(f"{FIRST_LINE + 1}: the records of this item")
    assert "--skip-stale" in why
    checked = check(asking, pack, said(pack, 3, 4), said(pack, 1, 2), desk=Desk("ada", NOW, skips_stale=True))
    assert checked.rows.select("left_id", "right_id").rows() == [(3, 4)]
    assert checked.stale_count == 1


def test_a_run_that_finds_the_same_evidence_makes_nothing_stale(asking):
    pack = packed(asking)
    asking.run("run-2", rulebook=CAUTIOUS, is_whole=True)
    assert check(asking, pack, said(pack, 1, 2), said(pack, 3, 4)).rows.height == 2


def test_an_answer_that_contradicts_what_stands_is_refused_with_its_line_unless_it_is_to_go_before(asking):
    pack = packed(asking)
    first = check(asking, pack, said(pack, 3, 4))
    take_decisions(asking, first)
    why = refused(asking, pack, said(pack, 1, 2), said(pack, 3, 4, "not_a_match", after=5))
    assert why.startswith(f"{FIRST_LINE + 1}: contradicts the standing decision {first.rows['decision_id'][0]}")
    desk = Desk("ada", NOW, supersedes=True)
    assert check(asking, pack, said(pack, 3, 4, "not_a_match", after=5), desk=desk).rows.height == 1


def test_answers_that_contradict_one_another_through_a_third_record_are_refused_with_the_line(asking):
    pack = packed(asking)
    why = refused(asking, pack, said(pack, 1, 2), said(pack, 1, 5), said(pack, 2, 5, "not_a_match"))
    assert why.startswith(f"{FIRST_LINE + 2}: contradicts another decision handed in with it")
