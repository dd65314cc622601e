"""The register of key backups as a file of the key directory: an erasure is final when those made before it are destroyed."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from custview_pipeline.adapters.private_files import read_private
from custview_pipeline.adapters.private_models import update_model
from custview_pipeline.contracts.key_backups import BackupNote, BackupRegister
from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid
from custview_pipeline.protection.key_backup import LIFETIME_DAYS

REGISTER_FILE: Final = "backups.json"
_LOCK_FILE: Final = "backups.lock"


class KeyBackups:
    """Which backups of the keys were made, and which of them are known to be destroyed.

    Args:
        directory: The key directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / REGISTER_FILE

    def notes(self) -> tuple[BackupNote, ...]:
        """Return every backup, the oldest first.

        Raises:
            KeyUnavailable: The register cannot be read, or others can read it.
        """
        return self._read().backups

    def begin(self, keyring_digest: str) -> BackupNote:
        """Enter a backup that is about to be made, and return it; call it before any byte of the backup is written.

        Args:
            keyring_digest: Digest of the wrapped keys that it will hold.

        Raises:
            KeyUnavailable: The register cannot be read or written.
        """
        now = datetime.now(UTC).replace(microsecond=0)  # as the backup itself says it
        expires_at = now + timedelta(days=LIFETIME_DAYS)

        def entered(register: BackupRegister) -> BackupRegister:
            note = BackupNote(number=register.next_number(), created_at=now, expires_at=expires_at, keyring_digest=keyring_digest)
            return BackupRegister(backups=(*register.backups, note))

        return self._update(entered).backups[-1]

    def withdraw(self, note: BackupNote) -> None:
        """Take back what ``begin`` entered, where the backup could not be written.

        Raises:
            KeyUnavailable: The register cannot be read or written.
        """
        self._update(lambda register: BackupRegister(backups=tuple(other for other in register.backups if other != note)))

    def record_destroyed(self, note: BackupNote) -> BackupNote:
        """Record that no copy of a backup exists any more, and return what the register says of it then.

        Raises:
            KeyUnavailable: The register cannot be read or written.
        """
        destroyed = note.model_copy(update={"destroyed_at": datetime.now(UTC)})
        self._update(lambda register: register.merged([destroyed]))
        return destroyed

    def find(self, number: int, made: str | None = None) -> BackupNote:
        """Return the backup of a number.

        Args:
            number: Its number.
            made: How the moment it was made begins, UTC, such as ``2026-03-01`` or ``2026-03-01T12:30``; needed where two
                backups have one number.

        Raises:
            KeyUnavailable: The register cannot be read.
            ProjectInvalid: There is no such backup, or more than one.
        """
        named = [note for note in self.notes() if note.number == number]
        fitting = [note for note in named if note.created_at.isoformat().startswith(made or "")]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            raise ProjectInvalid(f"no key backup {number} in {self._path}: custview keys backups lists them")
        moments = " or ".join(f"--made {note.created_at:%Y-%m-%dT%H:%M:%S}" for note in fitting)
        raise ProjectInvalid(f"{len(fitting)} key backups have the number {number}: add {moments}")

    def merge(self, notes: Iterable[BackupNote]) -> None:
        """Add what another register knows; nothing that this one knows is lost.

        Raises:
            KeyUnavailable: The register cannot be read or written.
        """
        offered = tuple(notes)
        self._update(lambda register: register.merged(offered))

    def _read(self) -> BackupRegister:
        content = read_private(self._path, "what it tells of key backups")
        if content is None:
            return BackupRegister()
        try:
            return BackupRegister.model_validate_json(content)
        except ValidationError:
            raise KeyUnavailable(f"{self._path}: not a register of key backups: restore a key backup") from None

    def _update(self, change: Callable[[BackupRegister], BackupRegister]) -> BackupRegister:
        return update_model(self._path, self._directory / _LOCK_FILE, self._read, change, leftovers_of=[self._path])
