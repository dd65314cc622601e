"""The lake as it will be once the decisions that wait for a run to end are taken in."""

from collections.abc import Iterable

from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.flows.deciding import rehearse_batch
from custview_pipeline.flows.rehearsal import Rehearsal
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot


def with_waiting(snapshot: Snapshot, batches: Iterable[DecisionBatch]) -> Snapshot:
    """Return the lake as if what waits for a run to end had been taken in, so that nobody decides twice.

    Batches are judged one after another, as they will be; one that will be refused changes nothing.

    Args:
        snapshot: The lake.
        batches: The oldest first; read before the snapshot was taken: one that was taken in meanwhile counts once all the same.
    """
    supposed = Rehearsal(snapshot)
    for batch in batches:
        try:
            rehearse_batch(supposed, batch)
        except ProjectInvalid:  # whoever handed it in is told when the run refuses it
            continue
    return supposed.snapshot()
