"""Keeps the folders of Delta tables small: merges small files, removes what no version is read from any more."""

from datetime import datetime
from pathlib import Path
from typing import Final

from deltalake import DeltaTable

from custview_pipeline.adapters.delta_log import LOG_FOLDER, changes_of, log_files
from custview_pipeline.adapters.delta_tables import WRITER, change_table, stored_files, told
from custview_pipeline.adapters.merging import MERGED_BYTES, small_count

_UNFINISHED: Final = ("*.parquet#*", f"{LOG_FOLDER}/*.tmp", f"{LOG_FOLDER}/*#*")
"""How the library calls files until they are whole."""


def compact_table(folder: Path, known: int) -> int:
    """Merge the small files of a table and return the new version; the same version where there is nothing to merge.

    Rows are read and written in a stream, and stay what they are; files of the former version stay until a vacuum.

    Raises:
        LakeDamaged: It cannot be written.
    """
    target = told(folder, lambda: _target_of(DeltaTable(str(folder), version=known)))
    if target is None:
        return known
    return change_table(
        folder,
        known,
        lambda table: table.optimize.compact(target_size=target, max_concurrent_tasks=1, writer_properties=WRITER),
    )


def _target_of(table: DeltaTable) -> int | None:
    """Return the size up to which files are to be merged; None where fewer than two are small."""
    sizes = sorted(table.get_add_actions(flatten=True).column("size_bytes").to_pylist())
    small = sizes[: small_count(sizes)]
    return min(MERGED_BYTES, sum(small) + 1) if small else None


def purge_table(folder: Path, version: int) -> None:
    """Remove whatever is not of this version: files of former ones, and what the log tells of them.

    Safe to do again where it was interrupted, for the version stays readable at each step.

    Raises:
        LakeDamaged: It cannot be done.
    """

    def purge() -> None:
        table = DeltaTable(str(folder), version=version)
        for path in (*_unnamed(folder, table), *_unfinished(folder)):
            path.unlink(missing_ok=True)
        table.create_checkpoint()
        for path, about in log_files(folder).items():
            if about != version:
                path.unlink()

    told(folder, purge)


def vacuum_table(folder: Path, version: int, before: datetime) -> list[int]:
    """Remove what only versions are read from that were replaced before a moment, and what killed writers left.

    The table is held by this process. Whoever began to read it after that moment finds every file, and the log of every
    version that held since then. What no version names goes when it is older than that moment.

    Args:
        folder: Folder of the table.
        version: The version that the manifest names.
        before: The moment, UTC.

    Returns:
        The sizes of the files that were removed, in bytes.

    Raises:
        LakeDamaged: It cannot be done.
    """

    def vacuum() -> list[int]:
        table = DeltaTable(str(folder), version=version)
        recent = _removed_since(folder, before)
        old = [path for path in _unnamed(folder, table) if path.name not in recent and _is_older(path, before)]
        old += _unfinished(folder)
        table.create_checkpoint()
        old += _outdated_logs(folder, version, before)
        return [_remove(path) for path in old]

    return told(folder, vacuum)


def _unnamed(folder: Path, table: DeltaTable) -> list[Path]:
    named = {Path(uri).name for uri in table.file_uris()}
    return [path for path in stored_files(folder) if path.name not in named]


def _unfinished(folder: Path) -> list[Path]:
    return [path for pattern in _UNFINISHED for path in folder.glob(pattern)]


def _removed_since(folder: Path, moment: datetime) -> set[str]:
    """Return the names of the files that were taken out of a table since a moment."""
    commits = [path for path in log_files(folder) if path.suffix == ".json" and not _is_older(path, moment)]
    return {Path(change.name).name for commit in commits for change in changes_of(commit) if not change.is_added}


def _outdated_logs(folder: Path, version: int, before: datetime) -> list[Path]:
    """Return the files of the log that no version of since needs, in an order in which what is left stays a log.

    The state at the moment is read from a checkpoint, and what that needs is kept. Versions after the one that the manifest
    names are of runs that did not finish.
    """
    logs = log_files(folder)
    unfinished = sorted((path for path, about in logs.items() if about > version), reverse=True)
    held_then = max((about for path, about in logs.items() if about <= version and _is_older(path, before)), default=-1)
    checkpoints = {about for path, about in logs.items() if path.suffix == ".parquet" and about <= held_then}
    first = max(checkpoints, default=-1)
    return unfinished + [path for path, about in logs.items() if 0 <= about < first]


def _is_older(path: Path, moment: datetime) -> bool:
    return path.stat().st_mtime < moment.timestamp()


def _remove(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size
