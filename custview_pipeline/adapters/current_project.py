"""Which project a command or a code location is about."""

from pathlib import Path
from typing import Final

from custview_pipeline.contracts.project import PROJECT_FILE
from custview_pipeline.kernel import settings

DEMO: Final = Path(".custview") / "demo"


def find_project(given: Path | None) -> Path:
    """Return the directory of the current project; it need not exist.

    The one given, else CUSTVIEW_PROJECT, else the working directory where that is a project, else the demo below it.
    """
    named = given or settings.project_directory()
    if named is not None:
        return named.expanduser().absolute()
    here = Path.cwd()
    return here if (here / PROJECT_FILE).is_file() else here / DEMO


def is_missing_demo(directory: Path) -> bool:
    """Return whether ``directory`` is where the demo is made, and it is not there yet."""
    return directory == Path.cwd() / DEMO and not (directory / PROJECT_FILE).is_file()
