"""Where Dagster keeps its runs, PostgreSQL where CUSTVIEW_POSTGRES_URL is set, else SQLite beside the project; who launches them.

``dagster.yaml`` has no defaults for environment variables, so one storage class makes the choice. Each of Dagster's processes
opens the storage, so each is silenced here: web server, daemon, and whatever runs a job.
"""

from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster._core.launcher import LaunchRunContext  # what a launcher is given; not exported
from dagster._core.storage.base_storage import DagsterStorage  # the base of every storage class; not exported otherwise
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from filelock import FileLock

from custview_pipeline.defs.processes import Worker
from custview_pipeline.defs.sqlite_files import hold_open
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.silent_process import silence_process

_OPENING_SECONDS: Final = 120.0  # for others to open the storage; each takes a second or two


class CustviewStorage(DagsterSqliteStorage):
    """The storage class that ``dagster.yaml`` names."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the configuration: ``base_dir``, where SQLite keeps its files."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False, default_value=".custview/dagster")}

    @classmethod
    def from_config_value(  # type: ignore[override]  # Dagster takes any storage here, and never asks for this class
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> DagsterStorage:
        """Return PostgreSQL's storage or SQLite's.

        Raises:
            Redacted: It cannot be opened; what the driver says of it may hold the password.
        """
        silence_process()
        url = settings.read(settings.POSTGRES_URL)
        with silenced(
            f"opening Dagster's storage, the database of {settings.POSTGRES_URL}" if url else "opening Dagster's storage"
        ):
            if url:
                return DagsterPostgresStorage(postgres_url=url, inst_data=inst_data)
            return _storage_in_sqlite(Path(config_value["base_dir"]), inst_data)


def _storage_in_sqlite(base: Path, inst_data: ConfigurableClassData | None) -> DagsterStorage:
    base = base.resolve()
    base.mkdir(parents=True, exist_ok=True)
    hold_open(base)
    # Two processes that make the databases at once would stamp them twice, and no process could open them any more.
    with FileLock(str(base / "opening.lock"), timeout=_OPENING_SECONDS):
        return DagsterSqliteStorage(base_dir=str(base), inst_data=inst_data)


class CustviewRunLauncher(dg.DefaultRunLauncher):
    """The launcher that ``dagster.yaml`` names: who launches a run answers for it until the run has a process of its own."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the process of a run; it takes the place of this one in the tags as its first act."""
        self._instance.add_run_tags(context.dagster_run.run_id, Worker.here().tags)
        super().launch_run(context)
