"""Where things are in the folder of a lake, and how its small files are written."""

from pathlib import Path
from typing import Final

from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel.errors import LakeError

MANIFEST_FILE: Final = "manifest.json"
TABLES: Final = "tables"
INDEX: Final = "index"
KEYS: Final = "keys"


def is_lake(folder: Path) -> bool:
    """Tell whether a folder holds a lake: it has a manifest before it has anything else."""
    return (folder / MANIFEST_FILE).exists()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and force it to disk.

    Raises:
        LakeError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, lambda file: file.write(content))
    except OSError as error:
        raise LakeError(f"{path}: cannot be written ({type(error).__name__})") from None
