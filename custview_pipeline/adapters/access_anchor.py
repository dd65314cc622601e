"""The anchor of the access log: its last entry, known outside of the lake, so that a log that was cut short shows."""

import json
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.private_files import read_private, replace_durably, sweep_unfinished
from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.protection.access_chain import Link

ANCHOR_FILE: Final = "access_anchor.json"


def read_anchor(directory: Path) -> Link | None:
    """Return the last entry that the anchor knows; None where there is no anchor, or none that can be understood.

    Args:
        directory: The key directory.

    Raises:
        KeyUnavailable: It is there and cannot be read, others can read it, or it belongs to another user.
    """
    content = read_private(directory / ANCHOR_FILE, "how far the access log got")
    try:
        said = json.loads(content or b"")
        link = Link(said["sequence"], said["mac"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return link if type(link.sequence) is int and isinstance(link.mac, str) else None


def write_anchor(directory: Path, link: Link) -> None:
    """Put the anchor in place, at once and for good.

    Raises:
        KeyUnavailable: It cannot be written.
    """
    path = directory / ANCHOR_FILE
    try:
        sweep_unfinished(path)  # whoever writes an entry holds the lock of the log
        replace_durably(path, lambda file: file.write(json.dumps(link._asdict()).encode() + b"\n"))
    except OSError as error:
        raise KeyUnavailable(f"{path}: cannot be written ({error.strerror}), so nothing is revealed") from None
