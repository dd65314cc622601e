"""A project read from its directory: custview.yaml, the contracts, the rulebook, who may see what."""

from pathlib import Path
from typing import Final

from custview_pipeline.contracts.access import parse_access
from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.project import PROJECT_FILE, Project, ProjectFile, parse_project
from custview_pipeline.contracts.rulebook import parse_rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.steward_source import STEWARD_SYSTEM
from custview_pipeline.kernel.errors import ProjectInvalid

CONTRACT_FILES: Final = "*.odcs.yaml"


def load_project(directory: Path) -> Project:
    """Read a project whole; nothing of its data is touched.

    Raises:
        ProjectInvalid: Something is missing or cannot be understood; says what to do.
    """
    root = directory.expanduser().resolve()
    if not root.is_dir():
        raise ProjectInvalid(f"there is no such directory; `custview init {directory}` makes a project there", file=directory)
    if not (root / PROJECT_FILE).is_file():
        raise ProjectInvalid(f"no {PROJECT_FILE} here; `custview init {directory}` writes one", file=directory)
    written = parse_project(_text(root / PROJECT_FILE, root), file=PROJECT_FILE)
    folder = root / written.contracts
    contracts = _contracts(folder, root)
    sources = [contract.source_system for contract in contracts]
    rulebook = root / written.rulebook
    rules = _text(rulebook, root) if rulebook.exists() else None
    access = root / written.access
    return Project(
        name=written.name,
        directory=root,
        contracts=contracts,
        contracts_directory=folder,
        rulebook=parse_rulebook(rules, file=written.rulebook, source_systems=sources),
        lake=(root / written.lake).resolve(),
        region=written.region,
        access=parse_access(_text(access, root), file=written.access) if access.exists() else None,
        access_file=access,
    )


def load_contract(path: Path) -> SourceContract:
    """Read one contract, whether or not a project is around it.

    Raises:
        ProjectInvalid: It cannot be read or used; names file and line.
    """
    return parse_contract(_text(path, Path()), file=path.as_posix())


def region_for(contract: Path, directory: Path | None) -> str:
    """Return the region to read a source by: of the project given, else of the one that the contract is in, else the default.

    Raises:
        ProjectInvalid: The directory holds no project, or its file cannot be used.
    """
    around = directory or project_around(contract)
    file = around / PROJECT_FILE
    if not file.is_file():
        if directory is None:
            return ProjectFile(name="none").region
        raise ProjectInvalid(f"no {PROJECT_FILE} here", file=directory)
    return parse_project(_text(file, around), file=str(file)).region


def project_around(contract: Path) -> Path:
    """Return the directory of the project that a contract is in; that of the contract where none is around it."""
    folders = contract.resolve().parents
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), folders[0])


def _contracts(folder: Path, root: Path) -> tuple[SourceContract, ...]:
    if not folder.is_dir():
        raise ProjectInvalid("the folder of the contracts does not exist: make it, or mend `contracts`", file=PROJECT_FILE)
    by_source: dict[str, SourceContract] = {}
    for path in sorted(folder.glob(CONTRACT_FILES)):
        contract = parse_contract(_text(path, root), file=_shown(path, root))
        if contract.source_system == STEWARD_SYSTEM:
            raise ProjectInvalid(f"id {STEWARD_SYSTEM!r} is that of values stewards enter: choose another", file=contract.file)
        if (other := by_source.get(contract.source_system)) is not None:
            raise ProjectInvalid(
                f"id {contract.source_system!r} is that of {other.file} too: give each source its own", file=contract.file
            )
        by_source[contract.source_system] = contract
    if not by_source:
        what = f"no contract ({CONTRACT_FILES}) here; `custview init DIR` writes one to start from, elsewhere"
        raise ProjectInvalid(what, file=_shown(folder, root))
    return tuple(by_source[source] for source in sorted(by_source))


def _text(path: Path, root: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ProjectInvalid(f"cannot be read ({type(error).__name__})", file=_shown(path, root)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProjectInvalid("is not UTF-8", file=_shown(path, root), line=line) from None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
