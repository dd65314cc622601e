"""What a steward pack is bound by, and how it tells that two records agree."""

import polars as pl
import pytest

from custview_pipeline.contracts.decision_file import PackedItem, PackName
from custview_pipeline.contracts.steward_packs import PACK_ID_PATTERN
from custview_pipeline.stewardship.pack import (
    EVIDENCE,
    Agreement,
    Outcome,
    compare_field,
    evidence_digests,
    is_sealed,
    new_pack_id,
    seal_of,
)

KEY, OTHER_KEY = bytes(32), bytes([1] * 32)
NAME = PackName(
    pack_id="P0123456789",
    lake="0a1b",
    state="review_tasks=1",
    exported_at="2026-03-03T12:00:00+00:00",
    key_version=1,
    items=(PackedItem(item_id="M0123456789", evidence="aa"), PackedItem(item_id="M0123456780", evidence="bb")),
)
PAIR = {
    "left_id": 1, "right_id": 2, "left_version": 1, "right_version": 3, "pattern": 273, "decision": "POSSIBLE_MATCH",
    "rule": "model",
}  # fmt: skip


def said(name):
    return Outcome("phone", name, f"phones: {name}")


# values of both records, outcomes, agreement
AGREEMENTS = {
    "matching found them the same": ("1", "2", ["same"], Agreement.SAME),
    "matching found them close": ("1", "2", ["one_edit"], Agreement.SIMILAR),
    "matching found them different": ("1", "2", ["differs"], Agreement.DIFFERENT),
    "two comparisons the same": ("1", "2", ["same", "same"], Agreement.SAME),
    "one the same, one different": ("1", "2", ["same", "differs"], Agreement.SIMILAR),
    "both different": ("1", "2", ["differs", "national_id_differs"], Agreement.DIFFERENT),
    "matching silent, values equal": ("1", "1", [], Agreement.SAME),
    "matching silent, values not equal": ("1", "2", [], Agreement.DIFFERENT),
    "matching silent, one value in common": ("12", "23", [], Agreement.SAME),
    "one has none": ("", "1", [], Agreement.ONE_SIDED),
    "the other has none": ("1", "", ["same"], Agreement.ONE_SIDED),
}


@pytest.mark.parametrize(("left", "right", "names", "agreement"), AGREEMENTS.values(), ids=AGREEMENTS)
def test_how_two_records_agree(left, right, names, agreement):
    sides = (dict.fromkeys(side, "*") for side in (left, right))
    field = compare_field("phone", *sides, [said(name) for name in names])
    assert field.agreement is agreement
    assert field.words == tuple(f"phones: {name}" for name in names)


def test_values_are_shown_masked_and_shared_ones_are_marked():
    field = compare_field("phone", {"555-1": "***1", "555-2": "***2"}, {"555-2": "***2", "777-1": "***1"}, [])
    assert field.left == (("***1", False), ("***2", True))
    assert field.right == (("***2", True), ("***1", False))


def test_a_seal_holds_for_what_it_was_made_over():
    seal = seal_of(KEY, NAME)
    assert is_sealed(KEY, NAME, seal)
    assert not is_sealed(OTHER_KEY, NAME, seal)


CHANGES = {
    "pack_id": "P0123456780",
    "lake": "0a1c",
    "state": "review_tasks=2",
    "exported_at": "2026-03-03T12:00:01+00:00",
    "key_version": 2,
    "items": NAME.items[::-1],
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_seal_breaks_with_each_part(part):
    assert not is_sealed(KEY, NAME.model_copy(update={part: CHANGES[part]}), seal_of(KEY, NAME))
    assert set(CHANGES) == set(PackName.model_fields)


@pytest.mark.parametrize("column", EVIDENCE)
def test_the_digest_of_evidence_changes_with_each_part_and_with_the_key(column):
    other = PAIR | {column: "other" if isinstance(PAIR[column], str) else 99}
    digests = evidence_digests(KEY, pl.DataFrame([PAIR, other, PAIR | {column: None}, PAIR]))
    assert digests.n_unique() == 3
    assert digests[0] == digests[3]
    assert digests[0] != evidence_digests(OTHER_KEY, pl.DataFrame([PAIR]))[0]


def test_pack_ids_are_of_their_form_and_differ():
    ids = pl.Series([new_pack_id() for _ in range(100)])
    assert ids.str.contains(PACK_ID_PATTERN).all()
    assert ids.is_unique().all()
