"""What the key directory keeps: every key wrapped under another one, never a usable key."""

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Literal, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.derivation import KEY_BYTES, length_prefixed

SHARD_COUNT: Final = 256
_NONCE_BYTES: Final = 12


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

    version: int = Field(ge=1, le=0xFFFF)
    state: KeyState
    created_at: AwareDatetime
    wrapped: bytes


class WrappedShardKey(_Model):
    """One generation of the key of one shard of the key table, wrapped under the purpose key ``keytable``."""

    generation: int = Field(ge=1)
    keytable_version: int = Field(ge=1)
    wrapped: bytes


class WrappedKeys(_Model):
    """The whole keyring as stored.

    Attributes:
        root_id: Tells which root key wraps it, and nothing about that key.
        purposes: Versions of each purpose key; exactly one of each is current.
        shards: Generations of each shard key; the newest seals.
    """

    format: Literal[1] = 1
    root_id: str
    purposes: dict[Purpose, tuple[WrappedKey, ...]]
    shards: tuple[tuple[WrappedShardKey, ...], ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for purpose, versions in self.purposes.items():
            if [key.state for key in versions].count(KeyState.CURRENT) != 1:
                raise ValueError(f"{purpose}: not exactly one version is current")
            if len({key.version for key in versions}) != len(versions):
                raise ValueError(f"{purpose}: a version occurs twice")
        if len(self.shards) != SHARD_COUNT or not all(self.shards):
            raise ValueError("a shard of the key table has no key")
        return self


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

        Raises:
            KeyUnavailable: It cannot be read or written.
        """
        ...


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
