"""Every change of the stored keys, as a function from what is stored to what shall be: nothing is read or written here."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid, UnsealFailed, WrongKey
from custview_pipeline.protection.derivation import KEY_BYTES
from custview_pipeline.protection.wrapped_keys import (
    MOST_VERSIONS,
    SHARD_COUNT,
    KeyState,
    Purpose,
    WrappedKey,
    WrappedKeys,
    WrappedShardKey,
    root_id,
    unwrap_key,
    wrap_key,
)

DAMAGED: Final = "the keyring is damaged, or altered by someone without the root key: restore it from a key backup"
_SHARD: Final = "key_table_shard"
_FORMAT: Final = "keyring/2"  # what format 1 wrapped does not open as format 2, nor the other way round
_ONCE: Final = {
    Purpose.ID: "the key id never rotates: record ids, content digests and customer ids come from it",
    Purpose.KEYTABLE: "the key keytable has no versions side by side: it is replaced, and its shards' keys are wrapped anew",
}

Versions = tuple[WrappedKey, ...]
ShardGenerations = tuple[dict[int, bytes], ...]


def first_keys(root: bytes) -> WrappedKeys:
    """Return a first version of every purpose key and a first generation of every shard key."""
    keytable = os.urandom(KEY_BYTES)
    made = {purpose: keytable if purpose is Purpose.KEYTABLE else os.urandom(KEY_BYTES) for purpose in Purpose}
    purposes = {purpose: (_wrapped(root, key, purpose, 1, KeyState.CURRENT),) for purpose, key in made.items()}
    shards = tuple((_wrapped_shard(keytable, 1, os.urandom(KEY_BYTES), shard, 1),) for shard in range(SHARD_COUNT))
    keys = WrappedKeys(root_id=root_id(root), root_since=datetime.now(UTC), purposes=purposes, shards=shards)
    return keys.authenticated(root)


def is_complete(stored: WrappedKeys) -> bool:
    """Tell whether there is a key for every purpose, in the format of now."""
    return stored.format == WrappedKeys.model_fields["format"].default and set(Purpose) <= set(stored.purposes)


def completed(root: bytes, stored: WrappedKeys) -> WrappedKeys:
    """Return the stored keys in the format of now, with a first version of each purpose key that was missing.

    Raises:
        KeyUnavailable: One is missing that could never be made again.
    """
    missing = set(Purpose) - set(stored.purposes)
    if missing & set(_ONCE):  # what they once made could never be made again
        raise KeyUnavailable(DAMAGED)
    wrapped_anew = rewrapped(root, root, stored)
    made = {purpose: (_wrapped(root, os.urandom(KEY_BYTES), purpose, 1, KeyState.CURRENT),) for purpose in sorted(missing)}
    return _changed(root, wrapped_anew, purposes={**wrapped_anew.purposes, **made})


def with_next(root: bytes, stored: WrappedKeys, purpose: Purpose, *, beyond: int = 0) -> WrappedKeys:
    """Return the keys with one more version of a purpose key, not used yet; as they are where there is one already.

    Its number is one more than that of every version here, and than ``beyond``.

    Raises:
        ProjectInvalid: This key has no versions side by side.
        KeyUnavailable: It has had all the versions it can have.
    """
    if purpose in _ONCE:
        raise ProjectInvalid(_ONCE[purpose])
    versions = stored.purposes[purpose]
    if any(key.state is KeyState.NEXT for key in versions):
        return stored
    version = max(beyond, *(key.version for key in versions)) + 1
    if version > MOST_VERSIONS:
        raise KeyUnavailable(f"the {purpose} key has had {MOST_VERSIONS:,} versions: that is all it can have")
    made = _wrapped(root, os.urandom(KEY_BYTES), purpose, version, KeyState.NEXT)
    return _with_versions(root, stored, purpose, (*versions, made))


def with_promoted(root: bytes, stored: WrappedKeys, purpose: Purpose) -> WrappedKeys:
    """Return the keys with the next version of a purpose key as the current one.

    Raises:
        WrongKey: It has no next version.
    """
    versions = stored.purposes[purpose]
    if not any(key.state is KeyState.NEXT for key in versions):
        raise WrongKey(f"the {purpose} key has no next version")
    moves = {KeyState.NEXT: KeyState.CURRENT, KeyState.CURRENT: KeyState.FORMER, KeyState.FORMER: KeyState.FORMER}
    moved = tuple(key.model_copy(update={"state": moves[key.state]}) for key in versions)
    return _with_versions(root, stored, purpose, moved)


def without(root: bytes, stored: WrappedKeys, purpose: Purpose, version: int) -> WrappedKeys:
    """Return the keys without a former version; as they are where it is gone already.

    Raises:
        WrongKey: The version is in use, or going to be.
    """
    versions = stored.purposes[purpose]
    kept = tuple(key for key in versions if key.version != version)
    if any(key.version == version and key.state is not KeyState.FORMER for key in versions):
        raise WrongKey(f"version {version} of the {purpose} key is in use: only a former version can be retired")
    return stored if kept == versions else _with_versions(root, stored, purpose, kept)


def with_another_keytable_key(root: bytes, stored: WrappedKeys) -> WrappedKeys:
    """Return the keys with every shard key wrapped under a new version of the key ``keytable``, and no other version of it.

    Raises:
        UnsealFailed: A shard key cannot be unwrapped.
    """
    former = stored.purposes[Purpose.KEYTABLE]
    version, key = max(each.version for each in former) + 1, os.urandom(KEY_BYTES)
    shards = tuple(
        tuple(_wrapped_shard(key, version, shard_key, shard, generation) for generation, shard_key in generations.items())
        for shard, generations in enumerate(unwrapped_shards(unwrapped(root, stored)[Purpose.KEYTABLE], stored))
    )
    made = _wrapped(root, key, Purpose.KEYTABLE, version, KeyState.CURRENT)
    return _changed(root, stored, purposes={**stored.purposes, Purpose.KEYTABLE: (made,)}, shards=shards)


def with_renewed_shards(root: bytes, stored: WrappedKeys, shards: Iterable[int]) -> WrappedKeys:
    """Return the keys with one more generation of the key of each of these shards.

    Raises:
        UnsealFailed: The key that wraps them cannot be unwrapped.
    """
    current = next(key for key in stored.purposes[Purpose.KEYTABLE] if key.state is KeyState.CURRENT)
    keytable = _unwrapped_version(root, stored, Purpose.KEYTABLE, current)
    renewed = list(stored.shards)
    for shard in set(shards):
        generation = max(key.generation for key in renewed[shard]) + 1
        made = _wrapped_shard(keytable, current.version, os.urandom(KEY_BYTES), shard, generation)
        renewed[shard] = (*renewed[shard], made)
    return _changed(root, stored, shards=tuple(renewed))


def without_shards_below(root: bytes, stored: WrappedKeys, floors: Mapping[int, int]) -> WrappedKeys:
    """Return the keys without the generations of shard keys below the floor of their shard; as they are where there are none.

    Raises:
        KeyUnavailable: That would leave a shard without a key: the keys are older than what asks for it.
    """
    kept = tuple(
        tuple(key for key in generations if key.generation >= floors.get(shard, 0))
        for shard, generations in enumerate(stored.shards)
    )
    if not all(kept):
        raise KeyUnavailable(
            "the keys are older than the lake: they lack shard keys that were made since. Restore a newer key backup, "
            "or the lake as of these keys"
        )
    return stored if kept == stored.shards else _changed(root, stored, shards=kept)


def rewrapped(root: bytes, next_root: bytes, stored: WrappedKeys) -> WrappedKeys:
    """Return the keys wrapped under another root key; nothing else changes.

    Raises:
        UnsealFailed: A key cannot be unwrapped.
    """
    purposes = {
        purpose: tuple(_wrapped_as(next_root, _unwrapped_version(root, stored, purpose, key), purpose, key) for key in versions)
        for purpose, versions in stored.purposes.items()
    }
    since = datetime.now(UTC) if next_root != root else stored.root_since or _oldest(stored)
    keys = WrappedKeys(root_id=root_id(next_root), root_since=since, purposes=purposes, shards=stored.shards)
    return keys.authenticated(next_root)


def unwrapped(root: bytes, stored: WrappedKeys) -> dict[Purpose, dict[int, bytes]]:
    """Return every version of every purpose key.

    Raises:
        UnsealFailed: One was wrapped under another root key or for another purpose, or altered.
    """
    return {
        purpose: {key.version: _unwrapped_version(root, stored, purpose, key) for key in versions}
        for purpose, versions in stored.purposes.items()
    }


def unwrapped_shards(keytable: Mapping[int, bytes], stored: WrappedKeys) -> ShardGenerations:
    """Return every generation of the key of every shard.

    Args:
        keytable: Versions of the purpose key ``keytable``.
        stored: The wrapped keys.

    Raises:
        UnsealFailed: One was wrapped under another key or for another shard, or altered.
    """
    return tuple(unwrapped_shard(keytable, shard, generations) for shard, generations in enumerate(stored.shards))


def unwrapped_shard(keytable: Mapping[int, bytes], shard: int, generations: Iterable[WrappedShardKey]) -> dict[int, bytes]:
    """Return every generation of the key of one shard.

    Raises:
        UnsealFailed: See ``unwrapped_shards``.
    """
    return dict(_generations(keytable, shard, generations))


def _oldest(stored: WrappedKeys) -> datetime:
    """Return when the first key was made, and with it the root key that wraps it; format 1 had no root rotation."""
    return min(key.created_at for versions in stored.purposes.values() for key in versions)


def _generations(
    keytable: Mapping[int, bytes], shard: int, generations: Iterable[WrappedShardKey]
) -> Iterator[tuple[int, bytes]]:
    for key in generations:
        if key.keytable_version not in keytable:
            raise UnsealFailed("cannot unwrap a key")
        wrapping_key = keytable[key.keytable_version]
        yield key.generation, unwrap_key(wrapping_key, key.wrapped, _SHARD, shard, key.generation)


def _unwrapped_version(root: bytes, stored: WrappedKeys, purpose: Purpose, key: WrappedKey) -> bytes:
    place = (purpose, key.version) if stored.format == 1 else (_FORMAT, purpose, key.version)
    return unwrap_key(root, key.wrapped, *place)


def _wrapped(root: bytes, key: bytes, purpose: Purpose, version: int, state: KeyState) -> WrappedKey:
    wrapped = wrap_key(root, key, _FORMAT, purpose, version)
    return WrappedKey(version=version, state=state, created_at=datetime.now(UTC), wrapped=wrapped)


def _wrapped_as(root: bytes, key: bytes, purpose: Purpose, former: WrappedKey) -> WrappedKey:
    return former.model_copy(update={"wrapped": wrap_key(root, key, _FORMAT, purpose, former.version)})


def _wrapped_shard(keytable: bytes, keytable_version: int, key: bytes, shard: int, generation: int) -> WrappedShardKey:
    wrapped = wrap_key(keytable, key, _SHARD, shard, generation)
    return WrappedShardKey(generation=generation, keytable_version=keytable_version, wrapped=wrapped)


def _with_versions(root: bytes, stored: WrappedKeys, purpose: Purpose, versions: Versions) -> WrappedKeys:
    return _changed(root, stored, purposes={**stored.purposes, purpose: versions})


def _changed(
    root: bytes,
    stored: WrappedKeys,
    *,
    purposes: dict[Purpose, Versions] | None = None,
    shards: tuple[tuple[WrappedShardKey, ...], ...] | None = None,
) -> WrappedKeys:
    """Return the keys with other parts, checked and authenticated."""
    keys = WrappedKeys(
        root_id=stored.root_id,
        root_since=stored.root_since,
        purposes=purposes or stored.purposes,
        shards=shards or stored.shards,
    )
    return keys.authenticated(root)
