"""A project: the directory a user keeps, and all they edit."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, StringConstraints

from custview_pipeline.contracts.access import AccessPolicy
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.written_model import WrittenModel, read_model
from custview_pipeline.contracts.yaml_text import parse_yaml

PROJECT_FILE: Final = "custview.yaml"
_LONGEST_NAME: Final = 64


def _known_region(code: str) -> str:
    if code not in SUPPORTED_REGIONS:
        hint = "; the United Kingdom is GB" if code == "UK" else ""
        raise ValueError(f"should be a country of ISO 3166 in two capitals, such as US or GB{hint}")
    return code


ProjectName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Region = Annotated[str, AfterValidator(_known_region)]
RelativePath = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class ProjectFile(WrittenModel):
    """What ``custview.yaml`` says; paths are relative to its directory.

    Attributes:
        name: Names the folder of the project's keys.
        contracts: Directory of the source contracts.
        rulebook: The rulebook; the file may be absent.
        access: Who may see which values; where the file is absent, nobody sees any.
        lake: Directory of the stored tables.
        region: Default country of phones, addresses and of the order of day and month.
    """

    name: ProjectName
    contracts: RelativePath = "contracts/"
    rulebook: RelativePath = "rulebook.yaml"
    access: RelativePath = "access.yaml"
    lake: RelativePath = ".custview/lake"
    region: Region = "US"


@dataclass(frozen=True, slots=True)
class Project:
    """One project, read whole.

    Attributes:
        name: Names the folder of the project's keys.
        directory: Where ``custview.yaml`` is; absolute.
        contracts: The source contracts, in the order of their ids.
        contracts_directory: Where they are; absolute.
        rulebook: Trust, matching and survivorship.
        lake: Directory of the stored tables; absolute.
        region: Default country, ISO 3166 alpha-2.
        access: Who may see which values; None where nobody wrote it, and then nobody sees any.
        access_file: Where it is, or would be; absolute.
    """

    name: str
    directory: Path
    contracts: tuple[SourceContract, ...]
    contracts_directory: Path
    rulebook: Rulebook
    lake: Path
    region: str
    access: AccessPolicy | None = None
    access_file: Path = Path("access.yaml")

    def contract_of(self, source_system: str) -> SourceContract:
        """Return the contract of one source.

        Raises:
            KeyError: The project has no such source.
        """
        for contract in self.contracts:
            if contract.source_system == source_system:
                return contract
        raise KeyError(source_system)


def name_for(directory: Path) -> str:
    """Return the directory's name as a project may be called: projects of one name would look for their keys in one place."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", directory.resolve().name).strip("-._")[:_LONGEST_NAME]
    return kept or "customers"


def parse_project(text: str, *, file: str) -> ProjectFile:
    """Read ``custview.yaml``.

    Raises:
        ProjectInvalid: A key is unknown, missing or holds what it cannot; names file and line.
    """
    return read_model(ProjectFile, parse_yaml(text, file=file))
