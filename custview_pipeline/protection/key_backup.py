"""A backup of the keys as one sealed file: whoever has it and its passphrase can open every lake these keys were made for.

Layout, numbers big endian::

    magic "CVKB", version u8 = 1
    number u32, created and expires i64 (seconds since 1970, UTC)
    Argon2id: memory u32 (KiB), passes u8, lanes u8, salt 16
    nonce 12, then the content as JSON with a tag, sealed with AES-256-GCM; all before it is associated data

The key comes from the passphrase by Argon2id (RFC 9106). Its cost is the second one that section 4 of the RFC recommends, 64 MiB
and 3 passes over 4 lanes, which is above the minimum of OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane): such a
file is attacked offline.
"""

import os
import struct
import unicodedata
from datetime import UTC, datetime
from threading import Lock
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from pydantic import BaseModel, ConfigDict, Field

from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.kernel.errors import BackupUnusable, ProjectInvalid
from custview_pipeline.protection.derivation import KEY_BYTES
from custview_pipeline.protection.wrapped_keys import WrappedKeys

SHORTEST_PASSPHRASE: Final = 12  # characters
LIFETIME_DAYS: Final = 30

_MAGIC: Final = b"CVKB\x01"
_HEAD: Final = struct.Struct(">5sIqqIBB16s12s")
LABEL_BYTES: Final = _HEAD.size  # with salt and nonce, so that no two backups begin alike
_SALT_BYTES, _NONCE_BYTES = 16, 12
_MOST_MEMORY_KIB: Final = 2**20  # what a forged file may make us spend
_MOST_PASSES: Final = 16
_ONE_AT_A_TIME: Final = Lock()  # of two threads in OpenSSL's Argon2 at once one fails, or both hang
_NO_MEMORY: Final = "cannot be sealed: {kib:,} KiB of memory, or threads to fill them, are not at hand"
_UNUSABLE: Final = "cannot be opened: wrong passphrase, or no key backup, or an altered one"


class Cost(NamedTuple):
    """What it costs to try one passphrase: memory in KiB, passes over it, lanes."""

    memory_kib: int
    passes: int
    lanes: int


COST: Final = Cost(64 * 1024, 3, 4)


class BackupContent(BaseModel):
    """What a backup holds. Its repr shows no key.

    Attributes:
        root_key: The root key where it was a file beside the wrapped keys; None where somebody else keeps it.
        keyring: The wrapped keys.
        ledger: The ledger of erasures, as its file holds it.
        backups: The register of backups, this one in it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )

    root_key: bytes | None = Field(repr=False, min_length=KEY_BYTES, max_length=KEY_BYTES)
    keyring: WrappedKeys = Field(repr=False)
    ledger: bytes = Field(repr=False)
    backups: tuple[BackupNote, ...]


class BackupLabel(NamedTuple):
    """What the outside of a backup says; it is authentic only once the backup was opened.

    Attributes:
        number: Its number in the register of the key directory that it was made from.
        created_at: When it was made, UTC, whole seconds.
        expires_at: When it should be destroyed, UTC, whole seconds.
    """

    number: int
    created_at: datetime
    expires_at: datetime


class _Head(NamedTuple):
    magic: bytes
    number: int
    created: int
    expires: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes

    @classmethod
    def of(cls, blob: bytes) -> Self:
        """Return the head of a backup.

        Raises:
            BackupUnusable: It has none, or one that no version of this package writes.
        """
        if len(blob) < _HEAD.size:
            raise BackupUnusable(_UNUSABLE)
        head = cls(*_HEAD.unpack_from(blob))
        is_cheap = head.memory_kib <= _MOST_MEMORY_KIB and head.passes <= _MOST_PASSES
        if head.magic != _MAGIC or not is_cheap:
            raise BackupUnusable(_UNUSABLE)
        return head

    def packed(self) -> bytes:
        return _HEAD.pack(*self)

    def key(self, passphrase: str) -> bytes:
        """Return the key that a passphrase gives; letters and accents may come composed or not.

        Raises:
            ValueError, MemoryError: A cost that there cannot be, or that this machine cannot pay now.
            BackupUnusable: Argon2id is missing here.
        """
        try:
            kdf = Argon2id(
                salt=self.salt, length=KEY_BYTES, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory_kib
            )
            with _ONE_AT_A_TIME:
                return kdf.derive(unicodedata.normalize("NFC", passphrase).encode())
        except UnsupportedAlgorithm:
            raise BackupUnusable(
                "the package cryptography here is built on an OpenSSL before 3.2, which lacks Argon2id"
            ) from None


def check_passphrase(passphrase: str) -> None:
    """Refuse a passphrase that is too weak to seal a backup with.

    Raises:
        ProjectInvalid: It is too short, repeats one character, or has one that cannot be typed.
    """
    if not passphrase.isprintable():
        raise ProjectInvalid("the passphrase has a character that cannot be typed: a tab, a line break, or half of one")
    if len(passphrase) < SHORTEST_PASSPHRASE or len(set(passphrase)) == 1:
        raise ProjectInvalid(
            f"the passphrase is too weak: at least {SHORTEST_PASSPHRASE} characters, not all the same; "
            "five or more words that nobody would think of together are good"
        )


def seal_backup(content: BackupContent, note: BackupNote, passphrase: str, *, cost: Cost = COST) -> bytes:
    """Return a backup as the bytes of its file.

    Args:
        content: What it holds.
        note: What the register says of it.
        passphrase: Seals it; see ``check_passphrase``.
        cost: What it costs to try a passphrase.

    Raises:
        ProjectInvalid: The passphrase is too weak.
        BackupUnusable: The memory for it is not at hand.
    """
    check_passphrase(passphrase)
    times = int(note.created_at.timestamp()), int(note.expires_at.timestamp())
    head = _Head(_MAGIC, note.number, *times, *cost, os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES))
    try:
        key = head.key(passphrase)
    except (ValueError, MemoryError):  # the library says it in either way
        raise BackupUnusable(_NO_MEMORY.format(kib=head.memory_kib)) from None
    sealed = AESGCM(key).encrypt(head.nonce, content.model_dump_json().encode(), head.packed())
    return head.packed() + sealed


def read_label(blob: bytes) -> BackupLabel:
    """Return what the outside of a backup says, without its passphrase.

    Raises:
        BackupUnusable: It is no key backup.
    """
    head = _Head.of(blob)
    try:
        return BackupLabel(head.number, datetime.fromtimestamp(head.created, UTC), datetime.fromtimestamp(head.expires, UTC))
    except (ValueError, OverflowError, OSError):
        raise BackupUnusable(_UNUSABLE) from None


def open_backup(blob: bytes, passphrase: str) -> BackupContent:
    """Return what a backup holds.

    Raises:
        BackupUnusable: The passphrase is wrong, or the file is none of ``seal_backup`` or was altered: which one cannot be told.
    """
    head = _Head.of(blob)
    try:
        content = AESGCM(head.key(passphrase)).decrypt(head.nonce, blob[_HEAD.size :], blob[: _HEAD.size])
        return BackupContent.model_validate_json(content)
    except (InvalidTag, ValueError, MemoryError):  # the last two: a cost that there cannot be
        raise BackupUnusable(_UNUSABLE) from None
