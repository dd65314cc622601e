"""Segments of the key table as files of the lake: mapped into memory, so that looking up a few records reads a few pages."""

import mmap
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from custview_pipeline.kernel.errors import LakeDamaged


def new_segment_name(sequence: int) -> str:
    """Return a name that no other segment has."""
    return f"{sequence:08d}-{secrets.token_hex(4)}"


def read_segments(folder: Path, names: Iterable[str]) -> Mapping[str, memoryview]:
    """Return the sealed segments by their names, oldest first.

    Raises:
        LakeDamaged: One is missing.
    """
    try:
        return {name: _mapped(folder / name) for name in names}
    except (OSError, ValueError):  # an empty file cannot be mapped
        raise LakeDamaged(
            "a segment of the key table that the manifest names cannot be read; where keys were renewed meanwhile, try again"
        ) from None


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
