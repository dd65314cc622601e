"""What the key directory keeps: every key wrapped under another one, never a usable key."""

import hmac
import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, Literal, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.derivation import KEY_BYTES, derive_key, length_prefixed

SHARD_COUNT: Final = 256
MOST_VERSIONS: Final = 0xFFFF  # an envelope of the vault names the version in 16 bits
_NONCE_BYTES: Final = 12
_ROOT_ID_DIGITS: Final = 16


class Purpose(StrEnum):
    """What a key is for."""

    VAULT = "vault"
    TOKEN = "token"  # noqa: S105 - a name, no secret
    INDEX = "index"
    KEYTABLE = "keytable"
    LOG = "log"
    ID = "id"  # never rotates: record ids, content digests and CUIDs come from it


class KeyState(StrEnum):
    """Where a version of a key stands; it is removed when nothing needs it any more."""

    NEXT = "next"  # made, and not yet used
    CURRENT = "current"  # seals and unseals
    FORMER = "former"  # unseals only


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )


class WrappedKey(_Model):
    """One version of a purpose key, wrapped under the root key."""

    version: int = Field(ge=1, le=MOST_VERSIONS)
    state: KeyState
    created_at: AwareDatetime
    wrapped: bytes


class WrappedShardKey(_Model):
    """One generation of the key of one shard of the key table, wrapped under the purpose key ``keytable``."""

    generation: int = Field(ge=1, le=0xFFFF_FFFF)
    keytable_version: int = Field(ge=1)
    wrapped: bytes


class WrappedKeys(_Model):
    """The whole keyring as stored.

    Attributes:
        format: 2; a file of format 1 had no ``mac`` and is written anew when it is opened.
        root_id: Tells which root key wraps it, and nothing about that key.
        root_since: Since when that one does.
        purposes: Versions of each purpose key; exactly one of each is current, at most one is next.
        shards: Generations of each shard key; the newest seals.
        mac: HMAC of all of it under a key that comes from the root key: nobody else can make a former key the current one,
            leave one out, or put one back.
    """

    format: Literal[1, 2] = 2
    root_id: str
    root_since: AwareDatetime | None = None
    purposes: dict[Purpose, tuple[WrappedKey, ...]]
    shards: tuple[tuple[WrappedShardKey, ...], ...]
    mac: bytes = b""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for purpose, versions in self.purposes.items():
            states = [key.state for key in versions]
            if states.count(KeyState.CURRENT) != 1 or states.count(KeyState.NEXT) > 1:
                raise ValueError(f"{purpose}: not exactly one version is current, or more than one is next")
            if len({key.version for key in versions}) != len(versions):
                raise ValueError(f"{purpose}: a version occurs twice")
        if len(self.shards) != SHARD_COUNT or not all(self.shards):
            raise ValueError("a shard of the key table has no key")
        return self

    def authenticated(self, root: bytes) -> Self:
        """Return the same keys with the ``mac`` that this root key gives them."""
        return self.model_copy(update={"mac": self._mac(root)})

    def is_authentic(self, root: bytes) -> bool:
        """Tell whether all of it is as a holder of the root key wrote it; what has format 1 cannot be told."""
        return self.format == 1 or hmac.compare_digest(self.mac, self._mac(root))

    def _mac(self, root: bytes) -> bytes:
        return hmac.digest(derive_key(root, "keyring"), length_prefixed(*self._parts()), "sha256")

    def _parts(self) -> Iterator[str | int | bytes]:
        yield from (self.format, self.root_id, "" if self.root_since is None else self.root_since.isoformat())
        for purpose in sorted(self.purposes):
            yield from (purpose, len(self.purposes[purpose]))
            for key in self.purposes[purpose]:
                yield from (key.version, key.state, key.created_at.isoformat(), key.wrapped)
        for generations in self.shards:
            yield len(generations)
            for shard_key in generations:
                yield from (shard_key.generation, shard_key.keytable_version, shard_key.wrapped)


class KeyStore(Protocol):
    """Where the wrapped keys are kept; never inside the lake."""

    def read(self) -> WrappedKeys | None:
        """Return what is stored; None before the first use.

        Raises:
            KeyUnavailable: It cannot be read.
        """
        ...

    def update(self, change: Callable[[WrappedKeys | None], WrappedKeys]) -> WrappedKeys:
        """Replace what is stored by what ``change`` makes of it, while no other process does, and return that.

        It is stored durably, all or nothing; where nothing changes nothing is written.

        Raises:
            KeyUnavailable: It cannot be read or written.
        """
        ...


def root_id(root: bytes) -> str:
    """Return 16 hex digits that recognise a root key and tell nothing about it."""
    return derive_key(root, "root_id").hex()[:_ROOT_ID_DIGITS]


def wrap_key(wrapping_key: bytes, key: bytes, *purpose: str | int) -> bytes:
    """Return ``key`` sealed with AES-256-GCM, to be unwrapped for this purpose only."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(wrapping_key).encrypt(nonce, key, length_prefixed(*purpose))


def unwrap_key(wrapping_key: bytes, wrapped: bytes, *purpose: str | int) -> bytes:
    """Return the key in ``wrapped``.

    Raises:
        UnsealFailed: It was wrapped under another key or for another purpose, or altered.
    """
    try:
        key = AESGCM(wrapping_key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], length_prefixed(*purpose))
    except (InvalidTag, ValueError):
        raise UnsealFailed("cannot unwrap a key") from None
    if len(key) != KEY_BYTES:
        raise UnsealFailed("cannot unwrap a key")
    return key
