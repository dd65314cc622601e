"""Hands in what people decided: at once where the lake is free, before the next stage where a run holds it."""

import secrets
from typing import Final, NamedTuple

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.deciding import check_batch
from custview_pipeline.flows.waiting_decisions import with_waiting
from custview_pipeline.kernel.errors import LakeBusy, ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring

_PATIENCE_SECONDS: Final = 1.0  # for another command; a run takes longer


class Waiting(NamedTuple):
    """A lake as it is stored, the same with what waits taken in, and how many batches wait."""

    stored: Snapshot
    decided: Snapshot
    batch_count: int


def hand_in(opened: Project, keyring: Keyring, batch: DecisionBatch) -> bool:
    """Keep a batch for good, and return whether it is in the lake by now; where a run holds that, the run takes it in.

    Args:
        opened: The project.
        keyring: Its keys.
        batch: The decisions; they count together or not at all.

    Raises:
        ProjectInvalid: It contradicts what stands or waits, or takes back what does neither; nothing of it is kept.
        LakeError: It cannot be kept.
    """
    check_batch(lake_as_decided(opened, keyring), batch)
    inbox = DecisionInbox(opened.lake)
    name = inbox.put(batch)
    try:
        with HeldLake(opened, keyring, f"decision-{secrets.token_hex(8)}").writer(wait_seconds=_PATIENCE_SECONDS):
            pass  # to hold the lake is to take in what waits
    except LakeBusy:
        return False
    if refusal := inbox.refusal_of(name):
        raise ProjectInvalid(refusal.why)
    return True


def lake_as_decided(opened: Project, keyring: Keyring) -> Snapshot:
    """Return the lake with what waits in its inbox: what was decided during a run counts, and is not asked again."""
    return lake_and_waiting(opened, keyring).decided


def lake_and_waiting(opened: Project, keyring: Keyring) -> Waiting:
    """Return the lake without and with what waits in its inbox."""
    inbox = DecisionInbox(opened.lake)
    names = inbox.waiting()
    batches = [batch for name in names if (batch := inbox.read(name)) is not None]
    stored = DeltaLake(opened.lake, keyring).snapshot()
    return Waiting(stored, with_waiting(stored, batches), len(names))
