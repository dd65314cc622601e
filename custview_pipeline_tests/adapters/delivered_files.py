"""A source of three columns and files for it."""

from pathlib import Path

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.source_contract import SourceColumn, SourceContract

CANARY = "canary-7f3a"

_COLUMNS = (SourceColumn("id", "source_key"), SourceColumn("name", "full_name"), SourceColumn("born", "birth_date"))


def source_contract(**changes) -> SourceContract:
    """Return a contract for ``data/*`` in CSV."""
    defaults = {
        "source_system": "shop", "version": "1", "title": "Shop", "domain": None, "owner": None, "purpose": None,
        "path_pattern": "data/*", "file_format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": _COLUMNS,
        "file": "contracts/shop.odcs.yaml",
    }  # fmt: skip
    return SourceContract(**(defaults | changes))


def delivered(directory: Path, content: str | bytes | dict[str, str | bytes], **changes) -> SourceFiles:
    """Write one file ``a`` or several, and return the source."""
    (directory / "data").mkdir(exist_ok=True)
    for name, written in (content if isinstance(content, dict) else {"a": content}).items():
        (directory / "data" / name).write_bytes(written if isinstance(written, bytes) else written.encode())
    return SourceFiles(directory, source_contract(**changes))


def all_rows(source: SourceFiles, **how) -> list[tuple[str | None, ...]]:
    """Return all rows of all batches."""
    return [row for batch in source.batches(**how) for row in batch.frame.iter_rows()]
