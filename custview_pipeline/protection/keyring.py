"""The keys in memory: unwrapped once at the start of a run, handed out by purpose, shown nowhere."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self

from custview_pipeline.kernel.errors import KeyUnavailable, UnsealFailed, WrongKey
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.derivation import KEY_BYTES, derive_key
from custview_pipeline.protection.key_table import ShardKeys
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.protection.vault import Vault
from custview_pipeline.protection.wrapped_keys import (
    SHARD_COUNT,
    KeyState,
    KeyStore,
    Purpose,
    WrappedKey,
    WrappedKeys,
    WrappedShardKey,
    unwrap_key,
    wrap_key,
)

_SHARD: Final = "key_table_shard"
_CHECK_DIGITS: Final = 16
_DAMAGED: Final = "the keyring is damaged: restore it from a key backup"

PurposeKeys = dict[Purpose, dict[int, bytes]]


@dataclass(frozen=True, slots=True)
class AirlockKeys:
    """What a worker of the airlock needs, and no more. It pickles, to go through a pipe; its repr shows no key."""

    vault_version: int
    vault_key: bytes = field(repr=False)
    token_version: int
    token_key: bytes = field(repr=False)
    id_key: bytes = field(repr=False)

    def vault(self) -> Vault:
        """Return a vault that seals under the current key, and unseals under no other."""
        return Vault({self.vault_version: self.vault_key}, self.vault_version)

    def tokeniser(self) -> Tokeniser:
        """Return the maker of tokens."""
        return Tokeniser(self.token_key, self.token_version)


class Keyring:
    """Every purpose key of one project. Its repr shows no key.

    Use ``Keyring.open``.
    """

    def __init__(self, keys: PurposeKeys, current: dict[Purpose, int], shard_keys: ShardKeys) -> None:
        self._keys = keys
        self._current = current
        self._shard_keys = shard_keys

    def __repr__(self) -> str:
        return f"Keyring({', '.join(f'{purpose}={version}' for purpose, version in self._current.items())})"

    @classmethod
    def open(cls, provider: KeyProvider, store: KeyStore) -> Self:
        """Return the keyring, with what it lacks made now.

        Args:
            provider: Gives the root key.
            store: Keeps the wrapped keys.

        Raises:
            KeyUnavailable: The root key or the wrapped keys cannot be read.
            WrongKey: The stored keys are wrapped under another root key.
        """
        root = provider.root_key()
        if len(root) != KEY_BYTES:
            raise KeyUnavailable(f"the root key must have {KEY_BYTES} bytes: {provider.describe()}")
        stored = store.read()
        if stored is None or not set(Purpose) <= set(stored.purposes):
            stored = store.update(partial(_completed, root))
        _check_root(root, stored)
        try:
            keys = _unwrapped(root, stored)
            shards = _unwrapped_shards(keys[Purpose.KEYTABLE], stored)
        except (UnsealFailed, KeyError):
            raise KeyUnavailable(_DAMAGED) from None
        current = {purpose: _current(versions).version for purpose, versions in stored.purposes.items()}
        seal_key = derive_key(keys[Purpose.ID][current[Purpose.ID]], "key_table")
        return cls(keys, current, ShardKeys(seal_key, shards))

    def current(self, purpose: Purpose) -> tuple[int, bytes]:
        """Return version and key that new data is sealed under."""
        version = self._current[purpose]
        return version, self._keys[purpose][version]

    def key(self, purpose: Purpose, version: int) -> bytes:
        """Return one version of a key.

        Raises:
            WrongKey: This keyring has no such version.
        """
        try:
            return self._keys[purpose][version]
        except KeyError:
            raise WrongKey(f"no version {version} of the {purpose} key in this keyring") from None

    def check_value(self) -> str:
        """Return 16 hex digits that recognise this keyring for life; they are kept in the lake and tell nothing about a key."""
        _, id_key = self.current(Purpose.ID)
        return Cmac(id_key).of_bytes(b"custview/keyring").hex()[:_CHECK_DIGITS]

    def shard_keys(self) -> ShardKeys:
        """Return the keys of the key table."""
        return self._shard_keys

    def vault(self) -> Vault:
        """Return a vault that unseals under every version of the vault key."""
        return Vault(self._keys[Purpose.VAULT], self._current[Purpose.VAULT])

    def airlock_keys(self) -> AirlockKeys:
        """Return what a worker of the airlock needs."""
        vault_version, vault_key = self.current(Purpose.VAULT)
        token_version, token_key = self.current(Purpose.TOKEN)
        _, id_key = self.current(Purpose.ID)
        return AirlockKeys(vault_version, vault_key, token_version, token_key, id_key)


def _check_root(root: bytes, stored: WrappedKeys) -> None:
    if stored.root_id != _root_id(root):
        raise WrongKey("the keyring is wrapped under another root key")


def _root_id(root: bytes) -> str:
    return derive_key(root, "root_id").hex()[:_CHECK_DIGITS]


def _current(versions: tuple[WrappedKey, ...]) -> WrappedKey:
    return next(key for key in versions if key.state is KeyState.CURRENT)


def _completed(root: bytes, stored: WrappedKeys | None) -> WrappedKeys:
    """Return the stored keys with a first version of each purpose key that was missing."""
    if stored is None:
        return _first_keys(root)
    _check_root(root, stored)
    missing = set(Purpose) - set(stored.purposes)
    if missing & {Purpose.ID, Purpose.KEYTABLE}:  # what they once made could never be made again
        raise KeyUnavailable(_DAMAGED)
    made = {purpose: (_wrapped(root, os.urandom(KEY_BYTES), purpose),) for purpose in sorted(missing)}
    return stored.model_copy(update={"purposes": {**stored.purposes, **made}})


def _first_keys(root: bytes) -> WrappedKeys:
    keytable = os.urandom(KEY_BYTES)
    purposes = {
        purpose: (_wrapped(root, keytable if purpose is Purpose.KEYTABLE else os.urandom(KEY_BYTES), purpose),)
        for purpose in Purpose
    }
    shards = tuple((_wrapped_shard(keytable, shard),) for shard in range(SHARD_COUNT))
    return WrappedKeys(root_id=_root_id(root), purposes=purposes, shards=shards)


def _wrapped(root: bytes, key: bytes, purpose: Purpose) -> WrappedKey:
    wrapped = wrap_key(root, key, purpose, 1)
    return WrappedKey(version=1, state=KeyState.CURRENT, created_at=datetime.now(UTC), wrapped=wrapped)


def _wrapped_shard(keytable: bytes, shard: int) -> WrappedShardKey:
    wrapped = wrap_key(keytable, os.urandom(KEY_BYTES), _SHARD, shard, 1)
    return WrappedShardKey(generation=1, keytable_version=1, wrapped=wrapped)


def _unwrapped(root: bytes, stored: WrappedKeys) -> PurposeKeys:
    return {
        purpose: {key.version: unwrap_key(root, key.wrapped, purpose, key.version) for key in versions}
        for purpose, versions in stored.purposes.items()
    }


def _unwrapped_shards(keytable: dict[int, bytes], stored: WrappedKeys) -> tuple[dict[int, bytes], ...]:
    return tuple(
        {
            key.generation: unwrap_key(keytable[key.keytable_version], key.wrapped, _SHARD, shard, key.generation)
            for key in generations
        }
        for shard, generations in enumerate(stored.shards)
    )
