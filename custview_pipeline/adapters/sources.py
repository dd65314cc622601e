"""Which kind of source a contract describes, opened."""

from datetime import datetime
from pathlib import Path

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.source_server import DatabaseTable, RowsOfProgram
from custview_pipeline.kernel.ports import Source


def open_source(directory: Path, contract: SourceContract, *, since: datetime | None = None) -> Source:
    """Return the source that a contract describes; nothing of it is read yet.

    Args:
        directory: The project directory.
        contract: The source's contract.
        since: When the newest record that is held changed last (``flows.watermark``). Where the contract says that changes are
            extracted, a database or a program is asked only for what changed then or later. None for every record.
    """
    asked = since if contract.extract == "changes" else None
    if isinstance(contract.origin, DatabaseTable):
        from custview_pipeline.adapters.sql_source import SqlSource  # noqa: PLC0415 -- SQLAlchemy takes a third of a second to load

        return SqlSource(contract, contract.origin, since=asked)
    if isinstance(contract.origin, RowsOfProgram):
        from custview_pipeline.adapters.python_source import PythonSource  # noqa: PLC0415 -- as rare as a database

        return PythonSource(contract, contract.origin, since=asked)
    if "://" in contract.path_pattern:
        from custview_pipeline.adapters.object_files import ObjectFiles  # noqa: PLC0415 -- fsspec looks up what is installed

        return ObjectFiles(contract)
    return SourceFiles(directory, contract)
