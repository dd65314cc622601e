"""Writes a new project directory to start from."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from custview_pipeline.contracts.project import PROJECT_FILE
from custview_pipeline.kernel.errors import ProjectInvalid

_TEMPLATE: Final = "project_template"
_NAME_LINE: Final = "name: customers\n"
_LONGEST_NAME: Final = 64
_FILES: Final = (PROJECT_FILE, "rulebook.yaml", "contracts/crm.odcs.yaml", "data/crm/crm.csv")


def _project_name(directory: Path) -> str:
    """Return the directory's name as a project may be called: projects of one name would share their keys."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", directory.resolve().name).strip("-._")[:_LONGEST_NAME]
    return kept or "customers"


def write_project(directory: Path) -> tuple[Path, ...]:
    """Write a project and return its files.

    Raises:
        ProjectInvalid: There is a project or one of its files already, or the directory cannot be written.
    """
    for name in _FILES:
        if (directory / name).exists():
            raise ProjectInvalid("exists already; nothing was written", file=directory / name)
    template = files("custview_pipeline.adapters").joinpath(_TEMPLATE)
    try:
        for name in _FILES:
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            text = template.joinpath(name).read_text(encoding="utf-8")
            target.write_text(text.replace(_NAME_LINE, f"name: {_project_name(directory)}\n"), encoding="utf-8")
    except OSError as error:
        raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=directory) from None
    return tuple(directory / name for name in _FILES)
