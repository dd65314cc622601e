"""From a root key and what is stored to keys in memory; what a first use or a killed rotation left to do is done on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from custview_pipeline.kernel.errors import KeyUnavailable, UnsealFailed, WrongKey
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection import key_changes as changes
from custview_pipeline.protection.derivation import KEY_BYTES, derive_key
from custview_pipeline.protection.key_holder import KeyHolder
from custview_pipeline.protection.key_table import ShardKeys
from custview_pipeline.protection.wrapped_keys import KeyState, KeyStore, Purpose, WrappedKeys, root_id

GONE: Final = "the keyring is gone: restore it from a key backup"
_OTHER_ROOT: Final = "the keyring is wrapped under another root key"
_CHECK_DIGITS: Final = 16
_TRIES: Final = 3  # a root key that is rotated between reading the root keys and reading the keyring fits at the second try


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKeys(KeyHolder):
    """What was stored, unwrapped: the keys of one moment.

    Attributes:
        stored: The wrapped keys.
        keys: Every version of every purpose key.
        current: The version of each purpose that new data is sealed under.
        shard_keys: The keys of the key table.
    """

    stored: WrappedKeys
    keys: dict[Purpose, dict[int, bytes]]
    current: dict[Purpose, int]
    shard_keys: ShardKeys

    def check_value(self) -> str:
        """Return 16 hex digits that recognise these keys for life, for they come from the one key that never rotates."""
        id_key = self.keys[Purpose.ID][self.current[Purpose.ID]]
        return derive_key(id_key, "check_value").hex()[:_CHECK_DIGITS]


def open_keys(provider: KeyProvider, store: KeyStore) -> OpenedKeys:
    """Return the keys as they are stored; those that are missing are made, and a rotation of the root key is brought to its end.

    Raises:
        KeyUnavailable: The root key or the wrapped keys cannot be read.
        WrongKey: The stored keys are wrapped under another root key.
    """
    for _ in range(_TRIES):
        stored = store.read()
        if stored is None or not changes.is_complete(stored):
            stored = store.update(lambda known: _completed(provider, known))
        roots = _checked(provider, provider.root_keys())
        if len(roots) > 1:
            stored = store.update(lambda known: _settled(provider, known))
        root = _fitting(stored, roots)
        if root is not None:
            return unwrapped_keys(root, stored)
    raise WrongKey(_OTHER_ROOT)


def root_key_of(provider: KeyProvider, stored: WrappedKeys) -> bytes:
    """Return the root key that wraps the stored keys, which are then as its holder wrote them.

    Raises:
        WrongKey: It is not among those that the provider gives.
        KeyUnavailable: The provider gives none, or somebody without the root key altered what is stored.
    """
    root = _fitting(stored, _checked(provider, provider.root_keys()))
    if root is None:
        raise WrongKey(_OTHER_ROOT)
    return root


def next_root_key_of(provider: KeyProvider) -> bytes:
    """Return the root key to rotate to.

    Raises:
        KeyUnavailable: The provider gives none.
    """
    return _checked(provider, [provider.next_root_key()])[0]


def unwrapped_keys(root: bytes, stored: WrappedKeys, known: OpenedKeys | None = None) -> OpenedKeys:
    """Return the keys of stored ones that are authentic under a root key.

    Args:
        root: The root key that wraps them.
        stored: The wrapped keys.
        known: Keys of the moment before: what did not change since is not unwrapped again.

    Raises:
        KeyUnavailable: One cannot be unwrapped.
    """
    current = {
        purpose: next(key.version for key in versions if key.state is KeyState.CURRENT)
        for purpose, versions in stored.purposes.items()
    }
    try:
        keys = changes.unwrapped(root, stored)
        shards = _unwrapped_shards(keys[Purpose.KEYTABLE], stored, known)
    except UnsealFailed:
        raise KeyUnavailable(changes.DAMAGED) from None
    seal_key = derive_key(keys[Purpose.ID][current[Purpose.ID]], "key_table")
    return OpenedKeys(stored, keys, current, ShardKeys(seal_key, shards))


def _fitting(stored: WrappedKeys, roots: Sequence[bytes]) -> bytes | None:
    root = next((root for root in roots if root_id(root) == stored.root_id), None)
    if root is not None and not stored.is_authentic(root):
        raise KeyUnavailable(changes.DAMAGED)
    return root


def _checked(provider: KeyProvider, roots: Sequence[bytes]) -> Sequence[bytes]:
    if not roots or any(len(root) != KEY_BYTES for root in roots):
        raise KeyUnavailable(f"the root key must have {KEY_BYTES} bytes: {provider.describe()}")
    return roots


def _completed(provider: KeyProvider, stored: WrappedKeys | None) -> WrappedKeys:
    if stored is None:
        return changes.first_keys(_checked(provider, provider.root_keys())[0])
    try:
        return stored if changes.is_complete(stored) else changes.completed(root_key_of(provider, stored), stored)
    except UnsealFailed:
        raise KeyUnavailable(changes.DAMAGED) from None


def _settled(provider: KeyProvider, stored: WrappedKeys | None) -> WrappedKeys:
    """Tell the provider which of its root keys is in use; called while nobody else changes the stored keys."""
    if stored is None:
        raise KeyUnavailable(GONE)
    provider.settle(root_key_of(provider, stored))
    return stored


def _unwrapped_shards(
    keytable: Mapping[int, bytes], stored: WrappedKeys, known: OpenedKeys | None
) -> tuple[Mapping[int, bytes], ...]:
    if known is None or known.keys[Purpose.KEYTABLE] != keytable:
        return changes.unwrapped_shards(keytable, stored)
    shards = zip(stored.shards, known.stored.shards, known.shard_keys.generations, strict=True)
    return tuple(
        held if wrapped == former else changes.unwrapped_shard(keytable, shard, wrapped)
        for shard, (wrapped, former, held) in enumerate(shards)
    )
