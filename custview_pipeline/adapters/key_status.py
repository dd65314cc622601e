"""How the keys of a project stand, as far as the key directory knows: no key is shown, and nothing is changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.key_backup_files import keyring_digest
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import existing_keys, is_key_beside_lake, key_directory
from custview_pipeline.adapters.key_providers import key_provider
from custview_pipeline.contracts.key_backups import BackupNote, outstanding
from custview_pipeline.kernel.errors import WrongKey
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose, WrappedKey, WrappedKeys, root_id

_ROOT: Final = "root"


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One version of one key.

    Attributes:
        purpose: What it is for; ``root`` wraps the others.
        version: Its number; None for the root key.
        state: next, current or former.
        created_at: When it was made, UTC; the root key: since when it wraps the others.
        age_days: How old that is.
        is_due: Whether it should be rotated by its age.
        remark: What is to be known or done about it.
    """

    purpose: str
    version: int | None
    state: str
    created_at: datetime
    age_days: int
    is_due: bool
    remark: str


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """How the keys of a project stand.

    Attributes:
        directory: The key directory.
        provider: Where the root key comes from, in one line.
        is_root_settled: Whether the root key in use is the only one at hand.
        is_beside_lake: Whether whoever copies the lake's parent directory copies the keys too.
        due_days: Age from which on a key is due for rotation.
        lines: Every version of every key.
        shard_count: Shards of the key table.
        unfinished_shards: Those with a former generation of their key: an erasure or a renewal that is not finished.
        backups: Every key backup that was made.
        is_backed_up: Whether an outstanding backup that has not expired holds the keys as they are now.
    """

    directory: Path
    provider: str
    is_root_settled: bool
    is_beside_lake: bool
    due_days: int
    lines: tuple[KeyLine, ...]
    shard_count: int
    unfinished_shards: int
    backups: tuple[BackupNote, ...]
    is_backed_up: bool

    @property
    def outstanding(self) -> tuple[BackupNote, ...]:
        """The backups of which copies may exist."""
        return outstanding(self.backups)


def key_status(project_name: str, lake: Path, *, due_days: int) -> KeyStatus:
    """Return how the keys of a project stand.

    Args:
        project_name: Names the folder of the keys.
        lake: Directory of the lake that they are for.
        due_days: Age from which on a key is due for rotation.

    Raises:
        ProjectInvalid: The keys are inside the lake.
        KeyUnavailable: There are none yet, or they cannot be read.
        WrongKey: The root key at hand is not theirs.
    """
    directory = key_directory(project_name)
    stored = existing_keys(directory, lake)
    provider, now = key_provider(directory), datetime.now(UTC)
    backups = KeyBackups(directory).notes()
    return KeyStatus(
        directory=directory,
        provider=provider.describe(),
        is_root_settled=_is_root_settled(provider, stored),
        is_beside_lake=is_key_beside_lake(directory, lake),
        due_days=due_days,
        lines=tuple(_lines(stored, now, due_days)),
        shard_count=len(stored.shards),
        unfinished_shards=sum(len(generations) > 1 for generations in stored.shards),
        backups=backups,
        is_backed_up=_is_backed_up(stored, backups, now),
    )


def _is_root_settled(provider: KeyProvider, stored: WrappedKeys) -> bool:
    ids = [root_id(root) for root in provider.root_keys()]
    if stored.root_id not in ids:
        raise WrongKey(f"the keyring is wrapped under another root key: {provider.describe()} gives one that does not open it")
    return ids == [stored.root_id]


def _is_backed_up(stored: WrappedKeys, backups: Iterable[BackupNote], now: datetime) -> bool:
    digest = keyring_digest(stored)
    return any(note.is_outstanding and not note.is_expired(now) and note.keyring_digest == digest for note in backups)


def _lines(stored: WrappedKeys, now: datetime, due_days: int) -> Iterator[KeyLine]:
    since = stored.root_since or now
    yield _line(_ROOT, None, KeyState.CURRENT, since, (now, due_days))
    for purpose in Purpose:
        for key in sorted(stored.purposes.get(purpose, ()), key=_version):
            yield _line(purpose, key.version, key.state, key.created_at, (now, due_days))


def _version(key: WrappedKey) -> int:
    return key.version


def _line(purpose: str, version: int | None, state: KeyState, created_at: datetime, due: tuple[datetime, int]) -> KeyLine:
    now, due_days = due
    age_days = max(0, (now - created_at).days)
    is_due = state is KeyState.CURRENT and purpose != Purpose.ID and age_days >= due_days
    return KeyLine(purpose, version, state, created_at, age_days, is_due, _remark(purpose, state, is_due=is_due))


def _remark(purpose: str, state: KeyState, *, is_due: bool) -> str:
    if purpose == Purpose.ID:
        return "never rotates: record ids and customer ids come from it"
    if state is KeyState.NEXT:
        return f"rotation on its way: custview keys rotate {purpose} goes on with it"
    if state is KeyState.FORMER:
        return "verifies older entries of the access log" if purpose == Purpose.LOG else _FORMER.format(purpose=purpose)
    return f"due: custview keys rotate {purpose}" if is_due else ""


_FORMER: Final = "for what is not sealed anew yet: each run does a part, custview keys rotate {purpose} all of it"
