"""Resources: how assets reach the project, its keys, its lake and the ledger of erasures."""

import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import PrivateAttr

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.contracts.project import Project
from custview_pipeline.defs.processes import Worker
from custview_pipeline.flows.deciding import take_in_pending
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.flows.workers import kept_workers
from custview_pipeline.protection.keyring import Keyring


class ProjectResource(dg.ConfigurableResource[Any]):
    """One project directory: its contracts and rulebook, keys and lake, opened when first asked for.

    Attributes:
        directory: The project directory.
    """

    directory: str
    _project: Project | None = PrivateAttr(default=None)
    _keyring: Keyring | None = PrivateAttr(default=None)
    _writer: LakeWriter | None = PrivateAttr(default=None)
    _held: ExitStack = PrivateAttr(default_factory=ExitStack)
    _workers: ExitStack = PrivateAttr(default_factory=ExitStack)

    @property
    def project(self) -> Project:
        """Return the project as it is written now.

        Raises:
            ProjectInvalid: It cannot be used.
        """
        if self._project is None:
            self._project = load_project(Path(self.directory))
        return self._project

    @property
    def keyring(self) -> Keyring:
        """Return the project's keys, made at the first use.

        Raises:
            ProtectionError: They cannot be had.
        """
        if self._keyring is None:
            self._keyring = open_keyring(self.project.name, self.project.lake)
        return self._keyring

    def lake(self) -> DeltaLake:
        """Return the project's lake.

        Raises:
            LakeError, WrongKey: It cannot be read, or not with these keys.
        """
        return DeltaLake(self.project.lake, self.keyring)

    def ledger(self) -> ErasureLedger:
        """Return the ledger of erasures, which is beside the keys.

        Raises:
            ProjectInvalid: The project's name cannot name a folder.
        """
        return ErasureLedger(key_directory(self.project.name))

    def erased_marks(self) -> pl.Series:
        """Return the suppression marks of all records that were ever erased: a delivery leaves them out, or reports them.

        Raises:
            ProtectionError: The ledger cannot be read.
        """
        return self.ledger().record_marks()

    def writer(self) -> LakeWriter:
        """Return the right to write the lake, taken at the first call and held until the run ends.

        A run has it as a whole: were another one to deliver between its stages, they would speak of different records. Each stage
        asks for it, and so erasures that were queued and decisions that came meanwhile take effect before the stage begins.

        Raises:
            LakeBusy: Another run kept it for too long.
            LakeError, WrongKey: The lake cannot be read, or not with these keys.
            CustviewError: A queued erasure cannot be carried out; then the stage must not go on.
        """
        if self._writer is None:
            self._writer = self._held.enter_context(self.lake().writer(told=dg.get_dagster_logger().info))
        carry_out_pending(self._writer, self.keyring, self.ledger(), run_id=f"erasure-{secrets.token_hex(8)}")
        inbox = DecisionInbox(self.project.lake)
        take_in_pending(self._writer, inbox, run_id=f"decision-{secrets.token_hex(8)}")
        return self._writer

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note in the tags of a run which process works on it, the first thing that the process does; keep its workers."""
        if context.run is not None and context.instance is not None:
            context.instance.add_run_tags(context.run.run_id, Worker.here().tags)
        self._workers.enter_context(kept_workers())

    def end_workers(self) -> None:
        """End the processes that admitted the sources: what comes after them wants their memory."""
        self._workers.close()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Give the lake back at the end of a run, and end its workers."""
        del context
        self.end_workers()
        self._held.close()
        self._writer = None
