"""Writes a new project directory to start from, or adds a drafted contract to one."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.drafted_contract import draft_contract
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.contracts.project import PROJECT_FILE, name_for
from custview_pipeline.kernel.errors import ProjectInvalid

_TEMPLATE: Final = "project_template"
_NAME_LINE: Final = "name: customers\n"
_BESIDE: Final = ("rulebook.yaml", "access.yaml")
_FILES: Final = (PROJECT_FILE, *_BESIDE, "contracts/crm.odcs.yaml", "data/crm/crm.csv")


def write_project(directory: Path) -> tuple[Path, ...]:
    """Write a project and return its files.

    Raises:
        ProjectInvalid: There is a project or one of its files already, or the directory cannot be written.
    """
    for name in _FILES:
        if (directory / name).exists():
            raise ProjectInvalid("exists already; nothing was written", file=directory / name)
    _write(directory, {name: _of_template(name, directory) for name in _FILES})
    return tuple(directory / name for name in _FILES)


def draft_project(directory: Path, file: Path) -> tuple[Path, ...]:
    """Draft the contract of a file, in a new project or as a further source of one; return what was written.

    Nothing of the file is copied: the contract refers to it.

    Raises:
        ProjectInvalid: There is such a contract already, or the directory cannot be written.
        SourceUnreadable: The file cannot be read.
    """
    file, directory = file.expanduser(), directory.expanduser()
    is_new = not (directory / PROJECT_FILE).exists()
    taken = {} if is_new else {each.source_system: each.path_pattern for each in load_project(directory).contracts}
    draft = draft_contract(file, directory, taken)
    folder = "contracts" if is_new else os.path.relpath(load_project(directory).contracts_directory, directory.resolve())
    name = f"{folder}/{draft.source_system}.odcs.yaml"
    texts = {each: _of_template(each, directory) for each in (PROJECT_FILE, *_BESIDE) if is_new} | {name: draft.text}
    if present := [each for each in texts if (directory / each).exists()]:
        raise ProjectInvalid("exists already; nothing was written", file=directory / present[0])
    _write(directory, texts)
    return tuple(directory / each for each in texts)


def _of_template(name: str, directory: Path) -> str:
    text = files("custview_pipeline.adapters").joinpath(_TEMPLATE, name).read_text(encoding="utf-8")
    return text.replace(_NAME_LINE, f"name: {name_for(directory)}\n")


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    try:
        for name, text in texts.items():
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=directory) from None
