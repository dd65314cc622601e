"""What the log of a Delta table tells of its files: which a commit added or removed, and when it was written.

The log is a folder of one JSON file a version, one action a line (Delta transaction log protocol, "Actions"), and of
checkpoints, each of which sums up what is before it. Only files of one version are read here, so what one commit did is known
at the cost of that commit, however long the log is.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

LOG_FOLDER: Final = "_delta_log"
LAST_CHECKPOINT: Final = "_last_checkpoint"


class FileChange(NamedTuple):
    """One file that a commit added or removed."""

    name: str
    is_added: bool


def commit_file(folder: Path, version: int) -> Path:
    """Return the file of the log that tells what made a version of the table in a folder."""
    return folder / LOG_FOLDER / f"{version:020d}.json"


def changes_of(commit: Path) -> Iterator[FileChange]:
    """Yield the files that a commit added or removed, in its order.

    Raises:
        OSError: The file of the log is not there.
        ValueError, KeyError, TypeError: It is none.
    """
    for line in commit.read_text(encoding="utf-8").splitlines():
        action = json.loads(line)
        for kind in ("add", "remove"):
            if kind in action:
                yield FileChange(unquote(action[kind]["path"]), kind == "add")


def appended_files(folder: Path, since: int, version: int) -> list[str] | None:
    """Return the names of the files that came to a table after a version and are there at a later one.

    What a commit did that was rolled back does not count: its files came and went.

    Returns:
        None where a file of the earlier version is gone, for then rows changed or moved, and where the log does not go so far
        back.
    """
    appended: dict[str, None] = {}
    gone: set[str] = set()
    try:
        for each in range(since + 1, version + 1):
            for change in changes_of(commit_file(folder, each)):
                _count(change, appended, gone)
    except (OSError, ValueError, KeyError, TypeError):  # removed with what was erased, or by a vacuum
        return None
    return None if gone or since > version else list(appended)


def _count(change: FileChange, appended: dict[str, None], gone: set[str]) -> None:
    if change.is_added and change.name in gone:
        gone.remove(change.name)
    elif change.is_added:
        appended[change.name] = None
    elif change.name in appended:
        del appended[change.name]
    else:
        gone.add(change.name)


def log_files(folder: Path) -> dict[Path, int]:
    """Return the files of a table's log with the version that each is about; -1 for one that is none of the log's."""
    return {path: _version_of(path) for path in sorted((folder / LOG_FOLDER).glob("*")) if path.name != LAST_CHECKPOINT}


def _version_of(path: Path) -> int:
    number = path.name.partition(".")[0]
    return int(number) if number.isdecimal() else -1
