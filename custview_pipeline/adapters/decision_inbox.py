"""Decisions that wait for the right to write the lake: a folder of it with one durably written file a batch."""

import secrets
import time
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from custview_pipeline.adapters.private_files import make_new, replace_durably, sync_directory
from custview_pipeline.contracts.decision_batch import DecisionBatch, Refusal, parse_batch
from custview_pipeline.kernel.errors import LakeError

INBOX: Final = "decisions"
_REFUSED: Final = "refused"
_FILES: Final = "*.json"
_KEPT_SECONDS: Final = 30 * 24 * 3600.0  # that a refusal is shown
_UNFINISHED_SECONDS: Final = 24 * 3600.0  # after which what a killed process left is surely not being written any more


class DecisionInbox:
    """The inbox of a lake; whoever can write in its folder may put a batch there, at any time and beside others.

    Args:
        lake: Folder of the lake.
    """

    def __init__(self, lake: Path) -> None:
        self._folder = lake / INBOX

    def put(self, batch: DecisionBatch) -> str:
        """Store a batch, safely on disk before this returns, and return its name.

        Raises:
            LakeError: It cannot be written; then nothing of it is there.
        """
        name = f"{batch.said_at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(8)}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            make_new(self._folder / name, lambda file: file.write(batch.model_dump_json().encode()))
        except OSError as error:
            raise LakeError(f"{self._folder}: cannot be written ({type(error).__name__}); nothing was decided") from None
        return name

    def waiting(self) -> tuple[str, ...]:
        """Return the names of the batches that wait, the oldest first."""
        return tuple(sorted(path.name for path in self._folder.glob(_FILES)))

    def read(self, name: str) -> DecisionBatch | None:
        """Return a batch; None where the file holds none, or was taken in meanwhile.

        Raises:
            LakeError: It cannot be read.
        """
        try:
            return parse_batch((self._folder / name).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, FileNotFoundError):
            return None
        except OSError as error:
            raise LakeError(f"{self._folder / name}: cannot be read ({type(error).__name__})") from None

    def remove(self, name: str) -> None:
        """Remove a batch that was taken in.

        Raises:
            LakeError: It cannot be removed.
        """
        try:
            (self._folder / name).unlink(missing_ok=True)
            sync_directory(self._folder)
        except OSError as error:
            raise LakeError(f"{self._folder / name}: cannot be removed ({type(error).__name__})") from None

    def refuse(self, refusal: Refusal) -> None:
        """Put the refusal of a batch in its place.

        Raises:
            LakeError: It cannot be written; then the batch waits on.
        """
        folder = self._folder / _REFUSED
        try:
            folder.mkdir(exist_ok=True)
            replace_durably(folder / refusal.name, lambda file: file.write(refusal.model_dump_json().encode()))
        except OSError as error:
            raise LakeError(f"{folder}: cannot be written ({type(error).__name__})") from None
        self.remove(refusal.name)

    def refusals(self) -> tuple[Refusal, ...]:
        """Return what was refused in the last 30 days, the oldest first; of one that cannot be read, that it cannot be."""
        return tuple(_refusal_in(path) for path in sorted((self._folder / _REFUSED).glob(_FILES)))

    def refusal_of(self, name: str) -> Refusal | None:
        """Return why a batch was refused; None where it was not."""
        path = self._folder / _REFUSED / name
        return _refusal_in(path) if path.exists() else None

    def sweep(self) -> None:
        """Remove what killed processes left, and refusals of long ago.

        Raises:
            LakeError: It cannot be removed.
        """
        old = [(".*.part", self._folder, _UNFINISHED_SECONDS), ("*", self._folder / _REFUSED, _KEPT_SECONDS)]
        try:
            for pattern, folder, seconds in old:
                for path in folder.glob(pattern):
                    if path.is_file() and path.stat().st_mtime < time.time() - seconds:
                        path.unlink(missing_ok=True)
        except OSError as error:
            raise LakeError(f"{self._folder}: cannot be cleared ({type(error).__name__})") from None


def _refusal_in(path: Path) -> Refusal:
    try:
        return Refusal.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return Refusal(name=path.name, why=f"why cannot be read; delete {path}")
