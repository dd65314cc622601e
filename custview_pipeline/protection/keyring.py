"""The keys in memory: unwrapped once at the start of a run, handed out by purpose, changed durably, shown nowhere."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Self

from custview_pipeline.kernel.errors import KeyUnavailable, UnsealFailed, WrongKey
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.protection import key_changes as changes
from custview_pipeline.protection.key_holder import KeyHolder
from custview_pipeline.protection.key_table import ShardKeys
from custview_pipeline.protection.opened_keys import GONE, OpenedKeys, next_root_key_of, open_keys, root_key_of, unwrapped_keys
from custview_pipeline.protection.tokens import Tokeniser
from custview_pipeline.protection.vault import Vault
from custview_pipeline.protection.wrapped_keys import KeyState, KeyStore, Purpose, WrappedKeys, root_id


class KeyVersion(NamedTuple):
    """One version of a purpose key, without the key.

    Attributes:
        version: Counts from 1.
        state: Whether it is going to be used, in use, or only opens what was sealed before.
        created_at: When it was made, UTC.
    """

    version: int
    state: KeyState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AirlockKeys:
    """What a worker of the airlock needs, and no more. It pickles, to go through a pipe; its repr shows no key.

    Attributes:
        token_version: The current version of the token key.
        token_keys: Every version of it, for the index generations that a delivery writes.
    """

    vault_version: int
    vault_key: bytes = field(repr=False)
    token_version: int
    token_keys: dict[int, bytes] = field(repr=False)
    id_key: bytes = field(repr=False)

    def vault(self) -> Vault:
        """Return a vault that seals under the current key, and unseals under no other."""
        return Vault({self.vault_version: self.vault_key}, self.vault_version)

    def tokeniser(self, token_version: int) -> Tokeniser:
        """Return the maker of tokens under one version of the token key.

        Raises:
            WrongKey: There is no such version.
        """
        if token_version not in self.token_keys:
            raise WrongKey(f"no version {token_version} of the token key in this keyring")
        return Tokeniser(self.token_keys[token_version], token_version)


class Keyring(KeyHolder):
    """Every purpose key of one project. Its repr shows no key, and it is neither copied nor pickled.

    Every change is stored durably before it is seen in memory, so that nothing is ever sealed under a key that a power cut
    takes away. Use ``Keyring.open``.
    """

    def __init__(self, provider: KeyProvider, store: KeyStore, opened: OpenedKeys) -> None:
        self._provider, self._store, self._opened = provider, store, opened

    def __repr__(self) -> str:
        return f"Keyring({', '.join(f'{purpose}={version}' for purpose, version in self._opened.current.items())})"

    @classmethod
    def open(cls, provider: KeyProvider, store: KeyStore) -> Self:
        """Return the keyring, with what it lacks made now and a root rotation that was interrupted brought to its end.

        Args:
            provider: Gives the root key.
            store: Keeps the wrapped keys.

        Raises:
            KeyUnavailable: The root key or the wrapped keys cannot be read.
            WrongKey: The stored keys are wrapped under another root key.
        """
        return cls(provider, store, open_keys(provider, store))

    def refresh(self) -> None:
        """Take over what other processes changed since: new versions, renewed shards, another root key.

        Raises:
            KeyUnavailable: The keys cannot be read any more.
            WrongKey: Keys of another project are in their place.
        """
        stored = self._store.read()
        if stored is None:
            raise KeyUnavailable(GONE)
        if stored == self._opened.stored:
            return
        opened = open_keys(self._provider, self._store)
        if opened.check_value() != self._opened.check_value():
            raise WrongKey("the keys were replaced by others while they were in use")
        self._opened = opened

    def current(self, purpose: Purpose) -> tuple[int, bytes]:
        """Return version and key that new data is sealed under."""
        opened = self._opened
        version = opened.current[purpose]
        return version, opened.keys[purpose][version]

    def key(self, purpose: Purpose, version: int) -> bytes:
        """Return one version of a key.

        Raises:
            WrongKey: This keyring has no such version.
        """
        try:
            return self._opened.keys[purpose][version]
        except KeyError:
            raise WrongKey(f"no version {version} of the {purpose} key in this keyring") from None

    def versions(self, purpose: Purpose) -> tuple[KeyVersion, ...]:
        """Return every version of a key, without the key, oldest first."""
        versions = sorted(self._opened.stored.purposes[purpose], key=lambda key: key.version)
        return tuple(KeyVersion(key.version, key.state, key.created_at) for key in versions)

    def check_value(self) -> str:
        """Return 16 hex digits that recognise this keyring for life; they are kept in the lake and tell nothing about a key."""
        return self._opened.check_value()

    def shard_keys(self) -> ShardKeys:
        """Return the keys of the key table."""
        return self._opened.shard_keys

    def vault(self) -> Vault:
        """Return a vault that unseals under every version of the vault key."""
        opened = self._opened
        return Vault(opened.keys[Purpose.VAULT], opened.current[Purpose.VAULT])

    def airlock_keys(self) -> AirlockKeys:
        """Return what a worker of the airlock needs."""
        keys, current = self._opened.keys, self._opened.current
        vault, token, identity = current[Purpose.VAULT], current[Purpose.TOKEN], current[Purpose.ID]
        return AirlockKeys(vault, keys[Purpose.VAULT][vault], token, dict(keys[Purpose.TOKEN]), keys[Purpose.ID][identity])

    def add(self, purpose: Purpose, *, beyond: int = 0) -> int:
        """Make the next version of a key, not used yet, and return its number; of one that is there already, its number.

        Args:
            purpose: Which key.
            beyond: The highest version that the lake was made with. These keys may be of a backup that does not know it, and a
                number that is given twice would stand for two keys.

        Raises:
            ProjectInvalid: This key has no versions side by side: ``id``, ``keytable``.
            KeyUnavailable: It cannot be stored.
        """
        self._change(lambda root, stored: changes.with_next(root, stored, purpose, beyond=beyond))
        return self.versions(purpose)[-1].version

    def promote(self, purpose: Purpose) -> int:
        """Make the next version of a key the current one, and return its number; the current one becomes a former one.

        Raises:
            WrongKey: It has no next version.
            KeyUnavailable: It cannot be stored.
        """
        self._change(lambda root, stored: changes.with_promoted(root, stored, purpose))
        return self._opened.current[purpose]

    def renew(self, purpose: Purpose) -> int:
        """Put a new version of a key into use at once, and return its number; the one before becomes a former one.

        Raises:
            ProjectInvalid: This key has no versions side by side: ``id``, ``keytable``.
            KeyUnavailable: It cannot be stored.
        """

        def renewed(root: bytes, stored: WrappedKeys) -> WrappedKeys:
            return changes.with_promoted(root, changes.with_next(root, stored, purpose), purpose)

        self._change(renewed)
        return self._opened.current[purpose]

    def retire(self, purpose: Purpose, version: int) -> None:
        """Destroy a former version of a key; nothing that was sealed under it opens any more.

        Raises:
            WrongKey: The version is in use, or going to be.
            KeyUnavailable: It cannot be stored.
        """
        self._change(lambda root, stored: changes.without(root, stored, purpose, version))

    def renew_shards(self, shards: Iterable[int]) -> None:
        """Make one more generation of the key of each of these shards of the key table; new entries are sealed under it.

        Raises:
            KeyUnavailable: It cannot be stored.
        """
        wanted = frozenset(shards)
        if wanted:
            self._change(lambda root, stored: changes.with_renewed_shards(root, stored, wanted))

    def destroy_shards(self, floors: Mapping[int, int]) -> None:
        """Destroy the generations of shard keys below the floor of their shard; where there are none nothing is written.

        Args:
            floors: The oldest generation that is still needed, by shard.

        Raises:
            KeyUnavailable: It cannot be stored, or these keys are older than the lake that names the floors.
        """
        generations = self._opened.stored.shards
        if any(key.generation < floor for shard, floor in floors.items() for key in generations[shard]):
            self._change(lambda root, stored: changes.without_shards_below(root, stored, floors))

    def rotate_keytable(self) -> None:
        """Replace the key that wraps the shard keys, and wrap them anew; the former one is destroyed at once.

        Raises:
            KeyUnavailable: It cannot be stored.
        """
        self._change(changes.with_another_keytable_key)

    def rotate_root(self) -> None:
        """Wrap every key under the next root key, and let the provider put that one in the place of the one before.

        Killed at any point, it leaves keys that open, and the next ``open`` brings it to its end or undoes what it began.

        Raises:
            KeyUnavailable: There is no next root key, or it cannot be stored.
        """

        def rewrap(root: bytes, stored: WrappedKeys) -> WrappedKeys:
            next_root = next_root_key_of(self._provider)
            if next_root == root:
                raise KeyUnavailable(f"the next root key is the one in use: {self._provider.describe()}")
            return changes.rewrapped(root, next_root, stored)

        self._change(rewrap)

    def _change(self, change: Callable[[bytes, WrappedKeys], WrappedKeys]) -> None:
        """Store what ``change`` makes of root key and stored keys, then take it over."""
        roots: list[bytes] = []

        def changed(stored: WrappedKeys | None) -> WrappedKeys:
            if stored is None:
                raise KeyUnavailable(GONE)
            root = root_key_of(self._provider, stored)
            roots.append(root)
            try:
                return change(root, stored)
            except UnsealFailed:
                raise KeyUnavailable(changes.DAMAGED) from None

        stored = self._store.update(changed)
        if stored.root_id == root_id(roots[0]):
            self._opened = unwrapped_keys(roots[0], stored, self._opened)
        else:  # under the next root key, which its provider puts in place now
            self._opened = open_keys(self._provider, self._store)
