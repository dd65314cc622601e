"""The register of key backups: which were made, when they expire, and which are known to be destroyed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class BackupNote(BaseModel):
    """One backup of the keys that was made.

    Attributes:
        number: Counts from 1. Where a register was lost and an older one restored, two backups can have one number.
        created_at: When it was made, UTC.
        expires_at: When it should be destroyed at the latest, UTC; until then an erasure before it is not final.
        destroyed_at: When it was recorded as destroyed, UTC; None while copies of it may exist.
        keyring_digest: Digest of the wrapped keys in it: another one now means that the keys have changed since.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1, le=0xFFFF_FFFF)
    created_at: AwareDatetime
    expires_at: AwareDatetime
    destroyed_at: AwareDatetime | None = None
    keyring_digest: str = ""

    @property
    def is_outstanding(self) -> bool:
        """Whether copies of it may exist; one that expired and was never recorded as destroyed may."""
        return self.destroyed_at is None

    def is_expired(self, now: datetime) -> bool:
        """Tell whether it should be destroyed by now."""
        return self.expires_at <= now


def outstanding(notes: Iterable[BackupNote], before: datetime | None = None) -> tuple[BackupNote, ...]:
    """Return the backups of which copies may exist: those not recorded as destroyed, expired or not.

    Args:
        notes: Backups.
        before: Only those made before this moment.
    """
    return tuple(note for note in notes if note.is_outstanding and (before is None or note.created_at < before))


class BackupRegister(BaseModel):
    """Every backup of the keys, the oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    backups: tuple[BackupNote, ...] = ()

    def merged(self, notes: Iterable[BackupNote]) -> "BackupRegister":
        """Return the register with notes of another one: none is lost, and what one of the two knows destroyed is destroyed."""
        known = {(note.number, note.created_at): note for note in self.backups}
        for note in notes:
            place = (note.number, note.created_at)
            if place not in known or known[place].is_outstanding:
                known[place] = note
        return BackupRegister(backups=tuple(sorted(known.values(), key=lambda note: (note.created_at, note.number))))

    def next_number(self) -> int:
        """Return the number of the next backup."""
        return max((note.number for note in self.backups), default=0) + 1
