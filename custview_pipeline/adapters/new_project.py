"""Writes a new project directory to start from."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from custview_pipeline.contracts.project import PROJECT_FILE
from custview_pipeline.kernel.errors import ProjectInvalid

_TEMPLATE: Final = "project_template"
_FILES: Final = (PROJECT_FILE, "rulebook.yaml", "contracts/crm.odcs.yaml", "data/crm/crm.csv")


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
            target.write_text(template.joinpath(name).read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise ProjectInvalid(f"cannot be written ({type(error).__name__})", file=directory) from None
    return tuple(directory / name for name in _FILES)
