"""What commands have in common: options, the project they are about, errors and exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from custview_pipeline.adapters.current_project import find_project
from custview_pipeline.adapters.lake_files import is_lake
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.cli.terminal import messages
from custview_pipeline.contracts.project import Project
from custview_pipeline.kernel.errors import CustviewError, LakeError, ProjectInvalid
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring

FAILED: Final = 1
WRONG_USE: Final = 2

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="Project directory; else CUSTVIEW_PROJECT, else the working directory, else the demo.",
        show_default=False,
    ),
]


@contextmanager
def told_errors() -> Iterator[None]:
    """Turn an error into one line on standard error and the exit code that scripts trust; what a library says is not shown."""
    try:
        with silenced("the command"):
            yield
    except CustviewError as error:
        messages().print(f"[bold red]error[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(WRONG_USE if isinstance(error, ProjectInvalid) else FAILED)


def open_project(given: Path | None) -> tuple[Project, Keyring]:
    """Return the current project and its keys; nothing is made where there is none.

    Raises:
        LakeError: Nothing is stored yet.
        CustviewError: Project or keys cannot be used.
    """
    opened = load_project(find_project(given))
    if not is_lake(opened.lake):
        raise LakeError(f"nothing is stored yet in {opened.lake}: custview run makes the first customers")
    return opened, open_keyring(opened.name, opened.lake)
