"""A lake whose writer carries out first what was asked to be erased, as every run does before each of its stages."""

from collections.abc import Iterator
from contextlib import contextmanager

from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.cli.terminal import messages
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.protection.keyring import Keyring


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
        self._ledger = ErasureLedger(key_directory(project.name))

    @contextmanager
    def writer(self) -> Iterator[LakeWriter]:
        """Hold the lake for writing, after what is queued was erased.

        Raises:
            LakeBusy: Another run kept it for too long.
            CustviewError: Something cannot be erased; then nothing else may be done either.
        """
        with self._lake.writer(told=messages().print) as writer:
            carry_out_pending(writer, self._keyring, self._ledger, run_id=self._run_id)
            yield writer
