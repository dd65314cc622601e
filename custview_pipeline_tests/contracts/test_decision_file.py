"""What a steward pack hands back is read whole, or refused with file and line and without a value."""

import re
from datetime import UTC, datetime

import pytest

from custview_pipeline.contracts.decision_file import LONGEST_NAME, LONGEST_NOTE, read_decision_file
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline_tests.decision_files import FIRST_LINE, answer, file_text, handed_in

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
FIRST, SECOND = "M0123456789", "C0123456789"
PACK = {
    "pack_id": "P0123456789", "lake": "0a1b", "state": "review_tasks=1", "exported_at": NOW.isoformat(), "key_version": 1,
    "items": [{"item_id": FIRST, "evidence": "aa"}, {"item_id": SECOND, "evidence": "bb"}],
}  # fmt: skip
GOOD = answer(FIRST, "match", NOW, reason_code="same_person", note="the same voice")
SECRET = "Winterbourne"


def test_a_file_is_read_with_the_line_of_each_decision():
    handed = handed_in(PACK, "cc", [GOOD, answer(SECOND, "unsure", NOW)])
    assert handed.lines == (FIRST_LINE, FIRST_LINE + 1)
    assert handed.pack_line == 3
    assert [each.decision for each in handed.said.decisions] == ["match", "unsure"]
    assert handed.said.decisions[0].reason_code == "same_person"
    assert handed.said.decisions[1].note is None
    assert handed.said.decisions[0].decided_at == NOW


@pytest.mark.parametrize("note", ["ein Gruß", "龘靐", 'says "yes" \\ and {no}', "a: b # c", "", "~", "null"])
def test_a_note_comes_back_as_it_was_written(note):
    assert handed_in(PACK, "cc", [GOOD | {"note": note}]).said.decisions[0].note == note.strip()


BAD_DECISIONS = {
    "an unknown decision": ({"decision": SECRET}, "'match', 'not_a_match' or 'unsure'"),
    "an unknown reason code": ({"reason_code": SECRET}, "no reason code of this name"),
    "a misspelt reason code": ({"reason_code": "same_persn"}, "did you mean 'same_person'"),
    "an item id that is none": ({"item_id": SECRET}, "pattern"),
    "a moment that is none": ({"decided_at": SECRET}, "valid datetime"),
    "a moment without a zone": ({"decided_at": "2026-03-03T12:00:00"}, "timezone"),
    "a note over the limit": ({"note": "x" * (LONGEST_NOTE + 1)}, "at most 200"),
    "a note of two lines": ({"note": "one\ntwo"}, "one line"),
    "an unknown key": ({"weight": 3}, "unknown key"),
    "no decision": ({"decision": None}, "should be"),
}


@pytest.mark.parametrize(("change", "said"), BAD_DECISIONS.values(), ids=BAD_DECISIONS)
def test_a_decision_that_is_none_is_refused_with_its_line(change, said):
    with pytest.raises(ProjectInvalid, match=rf"^decisions\.json:{FIRST_LINE + 1}: .*{said}") as error:
        handed_in(PACK, "cc", [GOOD, answer(SECOND, "unsure", NOW) | change])
    assert SECRET not in str(error.value)


BAD_HEADS = {
    "another format": ({"format": "custview steward decisions 2"}, 2, "format"),
    "a pack without items": ({"pack": PACK | {"items": []}}, 3, "at least 1"),
    "a pack id that is none": ({"pack": PACK | {"pack_id": SECRET}}, 3, "pattern"),
    "a seal that is none": ({"seal": SECRET}, 4, "pattern"),
    "nobody": ({"decided_by": " "}, 5, "at least 1 character"),
    "a name over the limit": ({"decided_by": "x" * (LONGEST_NAME + 1)}, 5, "at most 64"),
    "a name that turns the direction of writing": ({"decided_by": "ada\u202e"}, 5, "control characters"),
}


@pytest.mark.parametrize(("change", "line", "said"), BAD_HEADS.values(), ids=BAD_HEADS)
def test_a_head_that_is_none_is_refused_with_its_line(change, line, said):
    with pytest.raises(ProjectInvalid, match=rf"^decisions\.json:{line}: .*{said}") as error:
        handed_in(**{"pack": PACK, "seal": "cc", "decisions": [GOOD], **change})
    assert SECRET not in str(error.value)


TEXTS = {
    "nothing": "",
    "a text": f'"{SECRET}"',
    "a list": f'["{SECRET}"]',
    "half a file": file_text(PACK, "cc", [GOOD])[:-20],
    "a second file behind it": file_text(PACK, "cc", [GOOD]) * 2,
    "a page": f"<!doctype html><p>{SECRET}: [",
    "lists without end": "[" * 5_000,
    "no decisions": file_text(PACK, "cc", []),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_no_decision_file_is_refused(text):
    with pytest.raises(ProjectInvalid, match=re.escape("decisions.json")) as error:
        read_decision_file(text, file="decisions.json")
    assert SECRET not in str(error.value)
