"""A decision that is handed in by a process killed at any step is stored once, or never was handed in."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows.deciding import take_in_pending
from custview_pipeline.flows.decision_rows import Stated
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.factories import LATER, NOW
from custview_pipeline_tests.flows.conftest import FIRST_DELIVERY
from custview_pipeline_tests.flows.sealed_lake import take_in
from custview_pipeline_tests.interrupted import open_keys, sampled, start_doomed, steps_of

pytestmark = pytest.mark.faults

MOST_STEPS: Final = 12


def hand_in(lake: Path, keyring: Keyring) -> None:
    """Decide that two records are one customer and not two, as a command does: keep it, take the lake, store what waits."""
    inbox = DecisionInbox(lake)
    said = Stated("ada", LATER).row("not_a_match", left_id=1, right_id=2)
    inbox.put(DecisionBatch.of(said, said_by="ada", said_at=LATER, supersede=True))
    with DeltaLake(lake, keyring).writer() as writer:
        take_in_pending(writer, inbox, run_id="decision")


def settle(lake: Path, keyring: Keyring) -> None:
    """Take in what waits, as the next run does."""
    with DeltaLake(lake, keyring).writer() as writer:
        take_in_pending(writer, DecisionInbox(lake), run_id="next")


def state(lake: Path, keyring: Keyring) -> list[tuple[object, ...]]:
    stored = DeltaLake(lake, keyring).snapshot().read(REVIEW_DECISIONS.name)
    return stored.sort("decision", "withdrawn_at").select("decision", "decided_at", "withdrawn_at").rows()


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """Return a folder with a lake where a steward decided the opposite, and keys."""
    root = tmp_path_factory.mktemp("decided")
    keyring = open_keys(root / "keys")
    take_in(DeltaLake(root / "lake", keyring), keyring, *FIRST_DELIVERY)
    said = Stated("otto", NOW).row("match", left_id=1, right_id=2)
    DecisionInbox(root / "lake").put(DecisionBatch.of(said, said_by="otto", said_at=NOW))
    settle(root / "lake", keyring)
    return root


@pytest.fixture(scope="module")
def undisturbed(decided, tmp_path_factory):
    """Return the steps of handing in, and the state that it ends in."""
    root = tmp_path_factory.mktemp("undisturbed") / "decided"
    shutil.copytree(decided, root)
    keyring = open_keys(root / "keys")
    steps = steps_of(lambda: hand_in(root / "lake", keyring))
    return steps, state(root / "lake", keyring)


@pytest.mark.parametrize("step", sampled(range(MOST_STEPS)))
def test_killed_before_any_step_it_is_stored_once_or_was_not_handed_in(decided, undisturbed, tmp_path, step):
    steps, expected = undisturbed
    assert len(steps) < MOST_STEPS
    shutil.copytree(decided, tmp_path / "decided")
    lake, keys = tmp_path / "decided" / "lake", tmp_path / "decided" / "keys"
    process = start_doomed(lake, keys, step, hand_in)
    process.join()
    assert (process.exitcode == 0) == (step >= len(steps))

    settle(lake, open_keys(keys))
    settle(lake, open_keys(keys))

    assert state(lake, open_keys(keys)) == expected
    assert DecisionInbox(lake).waiting() == ()
