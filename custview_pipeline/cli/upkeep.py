"""The command ``custview compact``: what grew by many small runs is written together, and old files are removed."""

import secrets
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.terminal import results
from custview_pipeline.flows.upkeep import KEEP_DAYS, Compaction, Vacuum
from custview_pipeline.flows.upkeep import compact as compact_lake
from custview_pipeline.flows.upkeep import vacuum as vacuum_lake
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid

EPILOG: Final = "Example: custview compact --keep-days 1"

_MIB: Final = 2**20


def compact(
    project: ProjectOption = None,
    *,
    keep_days: Annotated[
        int,
        typer.Option(
            min=0, metavar="DAYS", help="Remove files that were replaced more than so many days ago; readers may need later ones."
        ),
    ] = KEEP_DAYS,
    without_postgres: Annotated[
        bool,
        typer.Option(
            "--without-postgres",
            help="First take the lake back to the lock on its file, where no run holds one in PostgreSQL any more.",
        ),
    ] = False,
) -> None:
    """Write what grew by many small runs together, and remove files that nobody reads any more. The nightly job does the same.

    Customers, their history and what the next run has to work on stay what they are. Runs wait meanwhile, readers do not.
    """
    with told_errors(), settings.secrets_withheld():
        opened, keyring = open_project(project)
        if without_postgres:
            if settings.read(settings.POSTGRES_URL):
                raise ProjectInvalid(
                    f"--without-postgres: {settings.POSTGRES_URL} is set, and the lock there would be taken again"
                )
            DeltaLake(opened.lake, keyring).write_without_postgres()
        run_id = f"compaction-{secrets.token_hex(8)}"
        with HeldLake(opened, keyring, run_id).writer() as writer:
            _print(compact_lake(writer, run_id=run_id), vacuum_lake(writer, keep_days=keep_days))


def _print(compaction: Compaction, removed: Vacuum) -> None:
    tell, tables = results().print, _counted(len(compaction.tables), "table")
    index, keys = _counted(compaction.index_segments, "segment"), f"{compaction.key_segments:,}"
    outdated = _counted(compaction.outdated_count, "row")
    tell(
        f"compacted {tables}, {index} of the match index, {keys} of the key table; left out {outdated} that held no more",
        soft_wrap=True,
    )
    for table, stages in compaction.waiting.items():
        tell(f"{table} waits: {', '.join(stages)} must work on its newest rows first (custview run)", soft_wrap=True)
    tell(f"removed {_counted(removed.file_count, 'file')}, {removed.byte_count / _MIB:,.1f} MiB")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
