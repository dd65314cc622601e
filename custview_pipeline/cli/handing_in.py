"""Hands in what people decided: at once where the lake is free, before the next stage where a run holds it."""

import secrets
from typing import Final

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.deciding import check_batch
from custview_pipeline.flows.review_queue import with_waiting
from custview_pipeline.kernel.errors import LakeBusy, ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring

_PATIENCE_SECONDS: Final = 1.0  # for another command; a run takes longer


def hand_in(opened: Project, keyring: Keyring, batch: DecisionBatch) -> bool:
    """Keep a batch for good, and return whether it is in the lake by now; where a run holds that, the run takes it in.

    Args:
        opened: The project.
        keyring: Its keys.
        batch: The decisions; they count together or not at all.

    Raises:
        ProjectInvalid: It contradicts what stands, or takes back what does not hold; nothing of it is kept.
        LakeError: It cannot be kept.
    """
    check_batch(DeltaLake(opened.lake, keyring).snapshot(), batch)
    inbox = DecisionInbox(opened.lake)
    name = inbox.put(batch)
    try:
        with HeldLake(opened, keyring, f"decision-{secrets.token_hex(8)}").writer(wait_seconds=_PATIENCE_SECONDS):
            pass  # to hold the lake is to take in what waits
    except LakeBusy:
        return False
    if refused := [refusal.why for refusal in inbox.refusals() if refusal.name == name]:
        raise ProjectInvalid(refused[0])
    return True


def lake_as_decided(opened: Project, keyring: Keyring) -> Snapshot:
    """Return the lake with what waits in its inbox: what was decided during a run counts, and is not asked again."""
    inbox = DecisionInbox(opened.lake)
    batches = [batch for name in inbox.waiting() if (batch := inbox.read(name)) is not None]
    return with_waiting(DeltaLake(opened.lake, keyring).snapshot(), batches)
