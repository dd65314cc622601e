"""Key backups as files: made from a key directory, looked at, restored into one."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import KEYRING_FILE, FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.private_files import make_new, make_private, unfinished_files
from custview_pipeline.contracts.erasure import parse_ledger, written_lines
from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import BackupUnusable, KeyUnavailable, ProjectInvalid, UnsealFailed
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection.key_backup import LABEL_BYTES, BackupContent, check_passphrase, open_backup, seal_backup
from custview_pipeline.protection.key_changes import DAMAGED, unwrapped
from custview_pipeline.protection.wrapped_keys import Purpose, WrappedKeys, root_id

_DIGEST_DIGITS: Final = 16
_MOST_BYTES: Final = 2**30  # no backup is so large
_IS_THERE: Final = "{path}: is there already; name a file of its own for each backup"


class Restored(NamedTuple):
    """What a restored backup brought.

    Attributes:
        is_keyring: Whether the wrapped keys came from the backup; else those that were there were kept.
        ledger_lines: Lines of the ledger of erasures that the key directory did not know.
    """

    is_keyring: bool
    ledger_lines: int


def keyring_digest(stored: WrappedKeys) -> str:
    """Return 16 hex digits that change with any change of the wrapped keys."""
    return hashlib.sha256(stored.mac).hexdigest()[:_DIGEST_DIGITS]


def make_backup(directory: Path, provider: KeyProvider, path: Path, passphrase: str, *, lake: Path) -> BackupNote:
    """Write a backup of a key directory to a new file, and return what the register says of it.

    The backup is in the register before there is a file, and before any later erasure can destroy a key that is in it: none can
    exist that the certificate of that erasure does not name.

    Args:
        directory: The key directory.
        provider: Gives the root key, which goes into the backup only where it is a file.
        path: File to write; there must be none yet.
        passphrase: Seals the backup.
        lake: The lake that the keys are for.

    Raises:
        ProjectInvalid: The passphrase is too weak, there is such a file, or it would be in the lake or beside the keys.
        KeyUnavailable: The keys cannot be read, or there are none.
        BackupUnusable: The file cannot be written.
    """
    check_passphrase(passphrase)
    _check_place(path, directory, lake)
    register, begun, sealed = KeyBackups(directory), list[BackupNote](), b""
    try:
        root, keyring = _keys_as_of_now(directory, provider, lambda stored: begun.append(register.begin(keyring_digest(stored))))
        ledger = written_lines(ErasureLedger(directory).lines())
        content = BackupContent(root_key=root, keyring=keyring, ledger=ledger, backups=register.notes())
        sealed = seal_backup(content, begun[0], passphrase)
        _write(path, sealed)
    except BaseException as error:
        is_gone = not sealed or _remove(path, sealed[:LABEL_BYTES])
        for note in begun if is_gone else ():
            register.withdraw(note)
        if isinstance(error, OSError):
            left = "" if is_gone else "; what is there of it cannot be deleted, and stays in the register until it is destroyed"
            raise BackupUnusable(f"{path}: cannot be written ({error.strerror}){left}") from None
        raise
    return begun[0]


def read_backup(path: Path) -> bytes:
    """Return the bytes of a backup file.

    Raises:
        BackupUnusable: It cannot be read.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BackupUnusable(f"{path}: too large for a key backup")
        return path.read_bytes()
    except OSError as error:
        raise BackupUnusable(f"{path}: cannot be read ({error.strerror})") from None


def restore_backup(directory: Path, provider: KeyProvider, blob: bytes, passphrase: str) -> Restored:
    """Put the keys of a backup into a key directory, and add what it knows of erasures and of backups.

    Nothing that the directory knows is forgotten: keys that are there stay, lines of the ledger and of the register are added.
    The ledger comes first, so that no run can take in again who was erased.

    Args:
        directory: The key directory; it is made where there is none.
        provider: Gives the root key where the backup holds none.
        blob: The backup's file.
        passphrase: Opens it.

    Raises:
        BackupUnusable: It cannot be opened, or the directory holds other keys.
        KeyUnavailable: The directory cannot be read or written.
    """
    content = open_backup(blob, passphrase)
    make_private(directory)
    brought: list[Restored] = []

    def restored(stored: WrappedKeys | None) -> WrappedKeys:
        root = _root_key(provider, content)
        if stored is not None and not _are_same(root, stored, content.keyring):
            raise BackupUnusable(
                f"{directory} holds other keys, or the same ones under another root key; nothing was restored. "
                f"To go back to those of the backup, move its {KEYRING_FILE} elsewhere, and its root.key where there is one"
            )
        lines = _merge(directory, content)
        if isinstance(provider, FileKeyProvider):
            provider.put_back(root)
        brought.append(Restored(stored is None, lines))
        return stored or content.keyring

    KeyDirectory(directory).update(restored)
    return brought[0]


def _check_place(path: Path, directory: Path, lake: Path) -> None:
    if path.resolve().is_relative_to(lake.resolve()):
        raise ProjectInvalid(f"{path}: inside the lake {lake}: every copy of the lake would carry the keys; name another place")
    if path.resolve().is_relative_to(directory.resolve()):
        raise ProjectInvalid(f"{path}: beside the keys, with which it would be lost; name another place")
    if path.exists():
        raise ProjectInvalid(_IS_THERE.format(path=path))


def _write(path: Path, sealed: bytes) -> None:
    try:
        make_new(path, lambda file: file.write(sealed))
    except FileExistsError:  # it was not there a moment ago
        raise ProjectInvalid(_IS_THERE.format(path=path)) from None


def _remove(path: Path, label: bytes) -> bool:
    """Remove what begins with the label of a backup, which is like no other's, and return whether nothing of it is left."""
    try:
        for place in (path, *unfinished_files(path)):
            if place.is_file() and _begins_with(place, label):
                place.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _begins_with(path: Path, label: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(label)) == label


def _keys_as_of_now(
    directory: Path, provider: KeyProvider, note: Callable[[WrappedKeys], object]
) -> tuple[bytes | None, WrappedKeys]:
    """Return root key, where it is a file, and wrapped keys, both of one moment, noted before any process can change them."""
    found: list[bytes] = []

    def look(stored: WrappedKeys | None) -> WrappedKeys:
        if stored is None:
            raise KeyUnavailable(f"no keys in {directory}")
        found.extend(root for root in provider.root_keys() if root_id(root) == stored.root_id)
        if not found:
            raise KeyUnavailable(f"{provider.describe()}: not the root key of the keys in {directory}")
        note(stored)
        return stored

    stored = KeyDirectory(directory).update(look)
    return (found[0] if isinstance(provider, FileKeyProvider) else None), stored


def _root_key(provider: KeyProvider, content: BackupContent) -> bytes:
    """Return the root key of a backup: its own, or the provider's."""
    if isinstance(provider, FileKeyProvider) and content.root_key is not None:
        roots: Sequence[bytes] = [content.root_key]
    elif isinstance(provider, FileKeyProvider) and not provider.is_there():
        raise BackupUnusable(
            f"the backup holds no root key: set {settings.KEY_PROVIDER} to the provider that gives it, as when it was made"
        )
    else:
        roots = provider.root_keys()
    fitting = [root for root in roots if root_id(root) == content.keyring.root_id]
    if not fitting or not content.keyring.is_authentic(fitting[0]):
        raise BackupUnusable(f"{provider.describe()}: not the root key of the keys in the backup")
    return fitting[0]


def _are_same(root: bytes, stored: WrappedKeys, restored: WrappedKeys) -> bool:
    """Tell whether two sets of wrapped keys are of one project, as far as one root key opens both."""
    if stored.root_id != restored.root_id or not stored.is_authentic(root):
        return False
    try:
        return unwrapped(root, stored)[Purpose.ID] == unwrapped(root, restored)[Purpose.ID]
    except (UnsealFailed, KeyError):
        raise BackupUnusable(DAMAGED) from None


def _merge(directory: Path, content: BackupContent) -> int:
    try:
        lines = parse_ledger(content.ledger)
    except ValueError:
        raise BackupUnusable("the ledger of erasures in the backup cannot be read") from None
    KeyBackups(directory).merge(content.backups)
    return ErasureLedger(directory).merge(lines)
