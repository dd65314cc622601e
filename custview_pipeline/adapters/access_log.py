"""The access log: who revealed what, and why. Append-only, each entry chained to the one before by HMAC."""

import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from filelock import FileLock

from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

LOG_FILE: Final = "access_log.jsonl"
_FIRST: Final = "0" * 64
_WAIT_SECONDS: Final = 30.0  # for another entry to be written; each takes milliseconds


def log_access(lake: Path, keyring: Keyring, *, who: str, what: str, reason: str) -> None:
    """Write one entry and force it to disk; call it before the first value is opened.

    Args:
        lake: Directory of the lake.
        keyring: Its keys.
        who: Name of the user.
        what: What is revealed: a customer id and attributes, or an export; never a value.
        reason: Why, as the user states it.

    Raises:
        LakeDamaged: The log cannot be read or written; then nothing may be revealed.
    """
    path = lake / LOG_FILE
    version, key = keyring.current(Purpose.LOG)
    try:
        with FileLock(str(path.with_suffix(".lock")), timeout=_WAIT_SECONDS), path.open("a+b") as file:
            lines = _finished_lines(file)
            before = json.loads(lines[-1])["mac"] if lines else _FIRST
            entry = {
                "sequence": len(lines) + 1,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "who": who,
                "what": what,
                "reason": reason,
                "key_version": version,
                "before": before,
            }
            text = json.dumps(entry, sort_keys=True, ensure_ascii=False)
            entry["mac"] = hmac.digest(key, text.encode(), "sha256").hex()
            file.write(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError, KeyError, TypeError):
        raise LakeDamaged(f"the access log {path} cannot be written, so nothing is revealed") from None


def _finished_lines(file: BinaryIO) -> list[bytes]:
    """Return the entries so far; one that a crash left unfinished is removed, for nothing was revealed under it."""
    file.seek(0)
    *lines, unfinished = file.read().split(b"\n")
    if unfinished:
        file.truncate(sum(len(line) + 1 for line in lines))
    return lines
