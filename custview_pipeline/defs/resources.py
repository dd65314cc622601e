"""Resources: how assets reach the project, its keys and its lake."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.contracts.project import Project
from custview_pipeline.protection.keyring import Keyring


class ProjectResource(dg.ConfigurableResource[Any]):
    """One project directory: its contracts and rulebook, keys and lake, opened when first asked for.

    Attributes:
        directory: The project directory.
    """

    directory: str
    _project: Project | None = PrivateAttr(default=None)
    _keyring: Keyring | None = PrivateAttr(default=None)

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
            self._keyring = open_keyring(self.project.name)
        return self._keyring

    def lake(self) -> DeltaLake:
        """Return the project's lake.

        Raises:
            LakeError, WrongKey: It cannot be read, or not with these keys.
        """
        return DeltaLake(self.project.lake, self.keyring)
