"""Tests of ``custview_pipeline.flows.review_item``; how items are shown is tested with the command."""

import pytest

from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.review_item import Item, open_pair, open_value
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.stewardship.queue import ITEMS
from custview_pipeline_tests.factories import table

ADA, ADA_TOO, OTTO = 1, 2, 3


def item(**cells):
    blank = dict.fromkeys(ITEMS) | {"item_id": "M0123456789", "effect": 0.1, "status": "open", "cuids": []}
    return Item.of(table(ITEMS, blank, (cells,)).row(0, named=True))


def opened(house, asked, **options):
    scales = scales_of(house.lake.snapshot(), Rulebook(), house.contracts)
    return open_pair(scales, house.keyring, asked, rules=None, **options)


def test_a_pair_is_opened_masked_but_for_what_may_be_seen_and_told_whether_values_are_the_same(finished):
    house, _ = finished
    seen = opened(house, item(kind="pair", reason="possible_match", left_id=ADA, right_id=OTTO), in_full=["name"])
    fields = {field.attribute: field for field in seen.fields}
    assert [shown for shown, _ in (*fields["name"].left, *fields["name"].right)] == ["Ada Winterbourne", "Otto Keating"]
    assert [shown for shown, _ in fields["phone"].left] == ["+1 *** *** 0143"]
    assert [(shown, is_same) for shown, is_same in fields["country"].left] == [("***", False)]
    assert seen.effects == ()


def test_a_pair_of_which_a_record_is_gone_cannot_be_opened(finished):
    house, _ = finished
    with pytest.raises(ProjectInvalid, match=r"^a record of this item is not held by its source any more"):
        opened(house, item(kind="pair", reason="possible_match", left_id=ADA, right_id=999))


def test_what_is_about_no_pair_is_not_opened_as_one(finished):
    house, _ = finished
    with pytest.raises(ProjectInvalid, match=r"^this item is about no pair of records$"):
        opened(house, item(kind="value", reason="contested_value"))


def test_candidates_for_a_value_come_by_rank_and_masked(finished):
    house, _ = finished
    snapshot = house.lake.snapshot()
    (owner,) = {row["cuid"] for row in snapshot.read("crosswalk").iter_rows(named=True) if row["record_id"] == ADA}
    asked = item(kind="value", reason="contested_value", cuids=[owner], attribute="name")
    masked = open_value(snapshot, house.keyring, asked)
    revealed = open_value(snapshot, house.keyring, asked, in_full=["name"])
    assert [rival.rank for rival in revealed] == [1, 2]
    assert {rival.value for rival in revealed} == {"Ada Winterbourne", "A. Winterbourne"}
    assert [rival.says for rival in masked] == [1, 2]
    assert not any("Winterbourne" in (rival.value or "") for rival in masked)
