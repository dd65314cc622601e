"""A lake whose writer first erases what was asked to be erased and takes in what was decided, as every run does at each stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.cli.terminal import messages
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.deciding import take_in_pending
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.protection.keyring import Keyring

_WAIT_SECONDS: Final = 600.0  # for a run that is at work


class HeldLake:
    """The lake of a project, for commands that write to it.

    Args:
        project: The project.
        keyring: Its keys.
        run_id: Names the commits.

    Raises:
        WrongKey: The lake was made under other keys.
        LakeDamaged: It cannot be read.
    """

    def __init__(self, project: Project, keyring: Keyring, run_id: str) -> None:
        self._lake, self._keyring, self._run_id = DeltaLake(project.lake, keyring), keyring, run_id
        self._ledger, self._inbox = ErasureLedger(key_directory(project.name)), DecisionInbox(project.lake)

    @contextmanager
    def writer(self, *, wait_seconds: float = _WAIT_SECONDS) -> Iterator[LakeWriter]:
        """Hold the lake for writing, after what is queued was erased and what was decided meanwhile is stored.

        Args:
            wait_seconds: How long to wait for another writer.

        Raises:
            LakeBusy: Another run kept it for too long.
            CustviewError: Something cannot be erased; then nothing else may be done either.
        """
        told = messages().print if wait_seconds >= _WAIT_SECONDS else None
        with self._lake.writer(wait_seconds=wait_seconds, told=told) as writer:
            carry_out_pending(writer, self._keyring, self._ledger, run_id=self._run_id)
            take_in_pending(writer, self._inbox, run_id=self._run_id)
            yield writer
