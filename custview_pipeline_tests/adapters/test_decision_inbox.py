"""Tests of ``custview_pipeline.adapters.decision_inbox``: files that wait, whoever writes at the same time."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.contracts.decision_batch import DecisionBatch, Refusal
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline_tests.factories import LATER, NOW

BATCH = DecisionBatch(said_by="ada", said_at=NOW, withdrawals=("0123456789abcdef",))


@pytest.fixture
def inbox(tmp_path):
    return DecisionInbox(tmp_path)


def test_an_inbox_that_was_never_used_is_empty(inbox, tmp_path):
    inbox.sweep()

    assert (inbox.waiting(), inbox.refusals(), list(tmp_path.iterdir())) == ((), (), [])


def test_batches_of_one_moment_by_many_writers_are_all_there(inbox):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: inbox.put(BATCH), range(40)))

    assert sorted(names) == list(inbox.waiting())
    assert {inbox.read(name) for name in names} == {BATCH}


def test_the_oldest_comes_first(inbox):
    later = inbox.put(BATCH.model_copy(update={"said_at": LATER}))
    first = inbox.put(BATCH)

    assert inbox.waiting() == (first, later)


def test_a_file_is_its_owners_alone_and_half_a_file_is_none(inbox, tmp_path):
    name = inbox.put(BATCH)
    (tmp_path / "decisions" / f".{name}.0123.part").write_text("{")

    assert (tmp_path / "decisions" / name).stat().st_mode & 0o077 == 0
    assert inbox.waiting() == (name,)


def test_a_refusal_takes_the_place_of_its_batch(inbox):
    name = inbox.put(BATCH)
    refusal = Refusal(name=name, said_by="ada", said_at=NOW, why="it contradicts another one")
    inbox.refuse(refusal)

    assert (inbox.waiting(), inbox.refusals()) == ((), (refusal,))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_a_refusal_that_cannot_be_read_is_told_and_hides_no_other(inbox, tmp_path, content):
    inbox.put(BATCH)
    for name in ("1.json", "2.json"):
        inbox.refuse(Refusal(name=name, why="so"))
    (tmp_path / "decisions" / "refused" / "1.json").write_bytes(content)

    unread, other = inbox.refusals()
    assert (unread.name, "delete" in unread.why, other.why) == ("1.json", True, "so")
    assert inbox.refusal_of("1.json") == unread
    assert (inbox.refusal_of("2.json"), inbox.refusal_of("3.json")) == (other, None)


def test_a_batch_that_was_taken_in_meanwhile_is_none(inbox):
    name = inbox.put(BATCH)
    inbox.remove(name)

    assert inbox.read(name) is None


def test_what_is_old_and_unfinished_is_swept_and_refusals_of_long_ago(inbox, tmp_path):
    folder, name = tmp_path / "decisions", inbox.put(BATCH)
    inbox.refuse(Refusal(name="old.json", why="so"))
    inbox.refuse(Refusal(name="new.json", why="so"))
    old, young = folder / ".x.json.1.part", folder / ".x.json.2.part"
    old.touch()
    young.touch()
    days = 24 * 3600
    os.utime(old, (time.time() - 2 * days,) * 2)
    os.utime(folder / "refused" / "old.json", (time.time() - 31 * days,) * 2)
    inbox.sweep()

    assert (old.exists(), young.exists()) == (False, True)
    assert [refusal.name for refusal in inbox.refusals()] == ["new.json"]
    assert inbox.waiting() == (name,)


def test_a_folder_that_cannot_be_written_is_told(inbox, tmp_path):
    (tmp_path / "decisions").write_text("in the way")

    with pytest.raises(LakeError, match="nothing was decided"):
        inbox.put(BATCH)
