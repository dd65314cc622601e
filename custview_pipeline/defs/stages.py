"""How an asset runs a flow: errors become failures that quote nothing, and whoever watches is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from custview_pipeline.kernel.errors import CustviewError
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.silent_process import unheard

SCOPE_TAG: Final = "custview/scope"
WHOLE: Final = {SCOPE_TAG: "whole"}
STARTED_BY: Final = "custview/started_by"
BY_COMMAND: Final = {STARTED_BY: "cli"}


def is_whole(run: dg.DagsterRun) -> bool:
    """Return whether a run works on everything, and not on what changed since the last one alone."""
    return run.tags.get(SCOPE_TAG) == WHOLE[SCOPE_TAG]


def is_by_command(run: dg.DagsterRun) -> bool:
    """Return whether a person, or a scheduler in their name, started a run at the command line."""
    return run.tags.get(STARTED_BY) == BY_COMMAND[STARTED_BY]


@contextmanager
def stage(name: str, progress: Progress) -> Iterator[None]:
    """Run one stage of the main job.

    Raises:
        dagster.Failure: It failed; the description is one line with names and counts. Nothing is retried here: the sensor does.
    """
    try:
        with unheard(), silenced(name):
            yield
    except CustviewError as error:
        progress.failed(name, str(error))
        raise dg.Failure(description=str(error), allow_retries=False) from None
