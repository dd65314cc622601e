"""Tests of ``custview_pipeline.protection.keyring`` and ``custview_pipeline.protection.wrapped_keys``."""

import copy
import os
import pickle

import polars as pl
import pytest
from pydantic import ValidationError

from custview_pipeline.kernel.errors import KeyUnavailable, ProjectInvalid, UnsealFailed, WrongKey
from custview_pipeline.protection.key_changes import rewrapped
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Place, Rows
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose, WrappedKeys, unwrap_key, wrap_key

ROOT = bytes(range(32))


class KnownRoot:
    """A provider of a key that tests know."""

    def __init__(self, key=ROOT):
        self.key, self.next = key, None

    def root_keys(self):
        """Return it, and the next one where there is one."""
        return [self.key] if self.next is None else [self.key, self.next]

    def next_root_key(self):
        """Return another one."""
        self.next = self.next or os.urandom(32)
        return self.next

    def settle(self, root_key):
        """Keep this one alone."""
        self.key, self.next = root_key, None

    def describe(self):
        """Return what errors show."""
        return "known to tests"


class MemoryStore:
    """A store in memory that keeps the stored form."""

    def __init__(self, text=None):
        self.text = text

    def read(self):
        """Return what is stored."""
        return None if self.text is None else WrappedKeys.model_validate_json(self.text)

    def update(self, change):
        """Store what the change makes of it."""
        known = self.read()
        changed = change(known)
        if changed != known:
            self.text = changed.model_dump_json()
        return changed


@pytest.fixture
def store():
    used = MemoryStore()
    Keyring.open(KnownRoot(), used)
    return used


@pytest.fixture
def keyring(store):
    return Keyring.open(KnownRoot(), store)


def every_key(keyring):
    purposes = [keyring.current(purpose)[1] for purpose in Purpose]
    shards = [keyring.shard_keys().newest(shard)[1] for shard in range(256)]
    return [*purposes, *shards, keyring.shard_keys().seal_key]


def altered(store, change):
    """Return a store whose keys someone without the root key changed."""
    return MemoryStore(WrappedKeys.model_validate(change(store.read().model_dump())).model_dump_json())


def as_owner(store, change):
    """Return a store whose keys someone with the root key changed."""
    changed = WrappedKeys.model_validate(change(store.read().model_dump()))
    return MemoryStore(changed.authenticated(ROOT).model_dump_json())


def as_format_1(store):
    """Return a store as the first version of this package wrote it."""
    keyring, keys = Keyring.open(KnownRoot(), store), store.read().model_dump()
    for purpose, versions in keys["purposes"].items():
        for version in versions:
            key = keyring.key(purpose, version["version"])
            version["wrapped"] = wrap_key(ROOT, key, purpose, version["version"])
    del keys["mac"], keys["root_since"]
    return MemoryStore(WrappedKeys.model_validate(keys | {"format": 1}).model_dump_json())


def test_the_first_use_makes_a_key_for_each_purpose_and_shard_and_later_uses_find_them():
    store = MemoryStore()
    keyring = Keyring.open(KnownRoot(), store)
    keys = every_key(keyring)

    assert len(set(keys)) == len(Purpose) + 256 + 1
    assert {len(key) for key in keys} == {32}
    assert every_key(Keyring.open(KnownRoot(), store)) == keys
    assert Keyring.open(KnownRoot(), store).check_value() == keyring.check_value()


def test_nothing_stored_is_a_usable_key(store, keyring):
    wrapped = [key.wrapped for versions in store.read().purposes.values() for key in versions]

    assert not any(key in blob for key in (ROOT, *every_key(keyring)) for blob in wrapped)


def test_another_root_key_is_recognised(store):
    with pytest.raises(WrongKey, match="another root key"):
        Keyring.open(KnownRoot(bytes(32)), store)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_root_key_of_another_length_is_refused(store, length):
    with pytest.raises(KeyUnavailable, match="32 bytes: known to tests"):
        Keyring.open(KnownRoot(bytes(length)), store)


def without(name):
    return lambda keys: keys | {"purposes": {purpose: key for purpose, key in keys["purposes"].items() if purpose != name}}


def test_a_purpose_that_came_later_gets_its_key_and_the_others_keep_theirs(store, keyring):
    opened = Keyring.open(KnownRoot(), as_owner(store, without("log")))

    assert opened.current(Purpose.LOG)[1] != keyring.current(Purpose.LOG)[1]
    assert opened.current(Purpose.VAULT) == keyring.current(Purpose.VAULT)


@pytest.mark.parametrize("lost", [Purpose.ID, Purpose.KEYTABLE])
def test_keys_that_could_not_be_replaced_are_never_made_again(store, lost):
    with pytest.raises(KeyUnavailable, match="damaged"):
        Keyring.open(KnownRoot(), as_owner(store, without(lost)))


def test_a_keyring_of_the_first_format_opens_and_is_written_in_the_one_of_now(store, keyring):
    older = as_format_1(store)
    opened = Keyring.open(KnownRoot(), older)

    assert every_key(opened) == every_key(keyring)
    assert older.read().format == 2
    assert older.read().root_since == min(version.created_at for version in keyring.versions(Purpose.VAULT))
    assert every_key(Keyring.open(KnownRoot(), older)) == every_key(keyring)


def swap_purposes(keys):
    purposes = keys["purposes"]
    return keys | {"purposes": purposes | {"vault": purposes["token"], "token": purposes["vault"]}}


def swap_shards(keys):
    return keys | {"shards": (keys["shards"][1], keys["shards"][0], *keys["shards"][2:])}


@pytest.mark.parametrize("swap", [swap_purposes, swap_shards])
@pytest.mark.parametrize("alter", [altered, as_owner])
def test_swapped_wrapped_keys_are_noticed(store, swap, alter):
    with pytest.raises(KeyUnavailable, match="damaged"):
        Keyring.open(KnownRoot(), alter(store, swap))


def rotated(keyring, purpose=Purpose.VAULT):
    keyring.add(purpose)
    keyring.promote(purpose)


def make_former_current(keys):
    first, second = keys["purposes"]["vault"]
    moved = (first | {"state": KeyState.CURRENT}, second | {"state": KeyState.FORMER})
    return keys | {"purposes": keys["purposes"] | {"vault": moved}}


def forget_former(keys):
    return keys | {"purposes": keys["purposes"] | {"vault": keys["purposes"]["vault"][1:]}}


def forget_shard_generation(keys):
    return keys | {"shards": (keys["shards"][0][1:], *keys["shards"][1:])}


def date_back(keys):
    return keys | {"root_since": "2020-01-01T00:00:00Z"}


def claim_format_1(keys):
    return keys | {"format": 1}


@pytest.mark.parametrize("change", [make_former_current, forget_former, forget_shard_generation, date_back, claim_format_1])
def test_a_keyring_that_someone_without_the_root_key_changed_is_refused(store, keyring, change):
    rotated(keyring)
    keyring.renew_shards([0])

    with pytest.raises(KeyUnavailable, match="altered by someone without the root key"):
        Keyring.open(KnownRoot(), altered(store, change))


def states(keyring, purpose=Purpose.VAULT):
    return [(key.version, key.state) for key in keyring.versions(purpose)]


@pytest.mark.parametrize("purpose", [Purpose.VAULT, Purpose.TOKEN, Purpose.INDEX, Purpose.LOG])
def test_a_version_is_added_promoted_and_retired(store, keyring, purpose):
    first = keyring.current(purpose)

    assert keyring.add(purpose) == 2
    assert keyring.current(purpose) == first
    assert states(keyring, purpose) == [(1, KeyState.CURRENT), (2, KeyState.NEXT)]
    assert keyring.key(purpose, 2) != first[1]
    assert keyring.promote(purpose) == 2
    assert states(keyring, purpose) == [(1, KeyState.FORMER), (2, KeyState.CURRENT)]
    assert keyring.key(purpose, 1) == first[1]
    assert states(Keyring.open(KnownRoot(), store), purpose) == states(keyring, purpose)
    keyring.retire(purpose, 1)
    assert states(keyring, purpose) == [(2, KeyState.CURRENT)]
    with pytest.raises(WrongKey, match=f"no version 1 of the {purpose} key"):
        keyring.key(purpose, 1)
    assert keyring.add(purpose) == 3


def test_adding_and_retiring_again_change_nothing(store, keyring):
    keyring.add(Purpose.TOKEN)
    stored = store.text

    assert keyring.add(Purpose.TOKEN) == 2
    assert store.text == stored
    keyring.promote(Purpose.TOKEN)
    keyring.retire(Purpose.TOKEN, 1)
    stored = store.text
    keyring.retire(Purpose.TOKEN, 1)
    assert store.text == stored


def test_what_is_in_use_is_not_retired_and_nothing_is_promoted_that_is_not_there(keyring):
    with pytest.raises(WrongKey, match="no next version"):
        keyring.promote(Purpose.VAULT)
    keyring.add(Purpose.VAULT)
    for version in (1, 2):
        with pytest.raises(WrongKey, match="is in use"):
            keyring.retire(Purpose.VAULT, version)


@pytest.mark.parametrize(("purpose", "reason"), [(Purpose.ID, "never rotates"), (Purpose.KEYTABLE, "no versions side by side")])
def test_keys_without_versions_side_by_side_say_so(store, keyring, purpose, reason):
    stored = store.text

    with pytest.raises(ProjectInvalid, match=reason):
        keyring.add(purpose)
    assert store.text == stored


def test_a_key_ends_where_its_versions_do(store):
    last = as_owner(
        store,
        lambda keys: keys | {"purposes": keys["purposes"] | {"vault": (*keys["purposes"]["vault"], next_of(keys, 0xFFFF))}},
    )
    keyring = Keyring.open(KnownRoot(), last)
    keyring.promote(Purpose.VAULT)

    with pytest.raises(KeyUnavailable, match="65,535 versions"):
        keyring.add(Purpose.VAULT)


def next_of(keys, version):
    wrapped = wrap_key(ROOT, bytes(32), "keyring/2", "vault", version)
    return keys["purposes"]["vault"][0] | {"version": version, "state": KeyState.NEXT, "wrapped": wrapped}


def test_shards_are_renewed_one_generation_at_a_time(store, keyring):
    before = keyring.shard_keys()
    keyring.renew_shards([3, 200, 3])
    after = keyring.shard_keys()

    assert [after.newest(shard)[0] for shard in (0, 3, 200)] == [1, 2, 2]
    assert after.generations[3][1] == before.generations[3][1]
    assert after.generations[3][2] != before.generations[3][1]
    assert Keyring.open(KnownRoot(), store).shard_keys() == after


def test_shards_below_their_floor_are_destroyed_and_no_others(store, keyring):
    keyring.renew_shards([3, 4])
    keyring.renew_shards([3])
    keyring.destroy_shards({3: 3, 4: 1, 5: 1})

    assert [sorted(keyring.shard_keys().generations[shard]) for shard in (3, 4, 5)] == [[3], [1, 2], [1]]
    stored = store.text
    keyring.destroy_shards({3: 3, 4: 1, 5: 1})
    keyring.renew_shards([])
    assert store.text == stored


def test_a_keyring_older_than_its_lake_destroys_nothing(store, keyring):
    stored = store.text

    with pytest.raises(KeyUnavailable, match="older than the lake"):
        keyring.destroy_shards({7: 2})
    assert store.text == stored


def test_the_keytable_key_is_replaced_and_the_shards_keep_theirs(store, keyring):
    keyring.renew_shards([9])
    shards, former = keyring.shard_keys(), keyring.current(Purpose.KEYTABLE)
    keyring.rotate_keytable()

    assert states(keyring, Purpose.KEYTABLE) == [(2, KeyState.CURRENT)]
    assert keyring.current(Purpose.KEYTABLE) != former
    assert keyring.shard_keys() == shards
    assert Keyring.open(KnownRoot(), store).shard_keys() == shards
    assert {key.keytable_version for generations in store.read().shards for key in generations} == {2}


def test_the_root_key_is_rotated_and_nothing_else(store):
    provider = KnownRoot()
    keyring = Keyring.open(provider, store)
    keys, since = every_key(keyring), store.read().root_since
    keyring.rotate_root()

    assert provider.key != ROOT
    assert provider.next is None
    assert every_key(keyring) == keys
    assert every_key(Keyring.open(provider, store)) == keys
    assert store.read().root_since > since
    with pytest.raises(WrongKey, match="another root key"):
        Keyring.open(KnownRoot(), store)


def test_a_next_root_key_that_is_in_use_already_is_refused(store):
    provider = KnownRoot()
    keyring = Keyring.open(provider, store)
    provider.next = ROOT
    stored = store.text

    with pytest.raises(KeyUnavailable, match="the next root key is the one in use: known to tests"):
        keyring.rotate_root()
    assert store.text == stored


@pytest.mark.parametrize("is_rewrapped", [False, True])
def test_an_interrupted_root_rotation_is_settled_by_the_next_open(store, is_rewrapped):
    provider = KnownRoot()
    keys = every_key(Keyring.open(provider, store))
    next_key = provider.next_root_key()
    if is_rewrapped:
        store.update(lambda stored: rewrapped(ROOT, next_key, stored))

    assert every_key(Keyring.open(provider, store)) == keys
    assert (provider.key, provider.next) == (next_key if is_rewrapped else ROOT, None)


class RacingRoot(KnownRoot):
    """A provider whose root key is rotated by another process just after it was read."""

    def __init__(self, store):
        super().__init__()
        self.store = store

    def root_keys(self):
        """Return the key of before, once."""
        keys = super().root_keys()
        if self.store is not None:
            store, self.store = self.store, None
            Keyring.open(self, store).rotate_root()
        return keys


def test_a_root_key_that_changes_while_it_is_read_is_read_again(store):
    keys = every_key(Keyring.open(KnownRoot(), store))

    assert every_key(Keyring.open(RacingRoot(store), store)) == keys


def test_a_keyring_sees_what_others_changed_once_it_is_refreshed(store, keyring):
    other = Keyring.open(KnownRoot(), store)
    rotated(other)
    other.renew_shards([1])

    assert states(keyring) == [(1, KeyState.CURRENT)]
    keyring.refresh()
    assert states(keyring) == states(other)
    assert every_key(keyring) == every_key(other)


def test_changes_of_two_processes_add_up(store, keyring):
    other = Keyring.open(KnownRoot(), store)
    keyring.renew_shards([1])
    other.renew_shards([1])

    assert other.shard_keys().newest(1)[0] == 3
    keyring.refresh()
    assert keyring.shard_keys() == other.shard_keys()


def test_keys_of_another_project_in_their_place_are_refused(store, keyring):
    others = MemoryStore()
    Keyring.open(KnownRoot(), others)
    store.text = others.text

    with pytest.raises(WrongKey, match="replaced by others"):
        keyring.refresh()


def test_a_keyring_that_is_gone_is_not_made_anew(store, keyring):
    store.text = None

    with pytest.raises(KeyUnavailable, match="gone"):
        keyring.renew_shards([1])
    assert store.text is None


def test_the_check_value_depends_on_the_id_key_alone(keyring):
    assert len(keyring.check_value()) == 16
    assert int(keyring.check_value(), 16) >= 0
    assert Keyring.open(KnownRoot(), MemoryStore()).check_value() != keyring.check_value()


def test_airlock_keys_travel_and_work(keyring):
    keys = pickle.loads(pickle.dumps(keyring.airlock_keys()))  # noqa: S301 - our own bytes
    place, rows = Place("protected_records", 1), Rows(pl.Series([1]), pl.Series([1]))
    sealed = keys.vault().seal(place, rows, pl.Series([b"text"]))
    names = pl.Series(["ada"])

    assert keys == keyring.airlock_keys()
    assert keyring.vault().unseal(place, rows, sealed).to_list() == [b"text"]
    assert (
        keys.tokeniser(1).tokens("name", names, rule_version="1").to_list()
        == keyring.airlock_keys().tokeniser(1).tokens("name", names, rule_version="1").to_list()
    )


def test_airlock_keys_hold_every_version_of_the_token_key(keyring):
    rotated(keyring, Purpose.TOKEN)
    keyring.add(Purpose.TOKEN)
    keys, names = keyring.airlock_keys(), pl.Series(["ada"])

    assert keys.token_version == 2
    assert sorted(keys.token_keys) == [1, 2, 3]
    made = [keys.tokeniser(version).tokens("name", names, rule_version="1")[0] for version in (1, 2, 3)]
    assert len(set(made)) == 3
    with pytest.raises(WrongKey, match="no version 4 of the token key"):
        keys.tokeniser(4)


def test_reprs_show_versions_and_no_keys(keyring):
    assert repr(keyring) == "Keyring(vault=1, token=1, index=1, keytable=1, log=1, id=1)"
    assert repr(keyring.airlock_keys()) == "AirlockKeys(vault_version=1, token_version=1)"
    everything = f"{keyring.__dict__} {keyring.airlock_keys()} {keyring.versions(Purpose.VAULT)} {keyring.shard_keys()}"
    assert not any(repr(key)[2:-1] in everything or key.hex() in everything for key in every_key(keyring))


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_keyring_stays_in_its_process(keyring, duplicate):
    with pytest.raises(TypeError, match="Keyring holds keys: it stays in its process"):
        duplicate(keyring)


@pytest.mark.parametrize(
    "change",
    [
        lambda keys: keys | {"format": 3},
        lambda keys: keys | {"surprise": 1},
        lambda keys: keys | {"shards": keys["shards"][1:]},
        lambda keys: keys | {"shards": ((), *keys["shards"][1:])},
        lambda keys: keys | {"purposes": keys["purposes"] | {"vault": ()}},
        lambda keys: keys | {"purposes": keys["purposes"] | {"vault": keys["purposes"]["vault"] * 2}},
    ],
    ids=["format", "unknown field", "missing shard", "shard without key", "purpose without key", "two current keys"],
)
def test_a_keyring_that_contradicts_itself_is_refused(store, change):
    with pytest.raises(ValidationError):
        altered(store, change)


@pytest.mark.parametrize("purpose", [("vault", 2), ("token", 1), ("vault",), ()])
def test_a_key_is_unwrapped_for_its_purpose_only(purpose):
    wrapped = wrap_key(ROOT, bytes(32), "vault", 1)

    assert unwrap_key(ROOT, wrapped, "vault", 1) == bytes(32)
    with pytest.raises(UnsealFailed):
        unwrap_key(ROOT, wrapped, *purpose)


@pytest.mark.parametrize(
    "wrapped",
    [b"", bytes(11), bytes(60), wrap_key(ROOT, b"short", "vault", 1)],
    ids=["nothing", "less than a nonce", "zeros", "a key of another length"],
)
def test_what_is_no_wrapped_key_is_refused(wrapped):
    with pytest.raises(UnsealFailed):
        unwrap_key(ROOT, wrapped, "vault", 1)


def test_a_keyring_that_is_gone_is_not_made_anew_where_it_is_refreshed(store, keyring):
    store.text = None

    with pytest.raises(KeyUnavailable, match="the keyring is gone"):
        keyring.refresh()
    assert store.text is None


def test_a_key_is_renewed_in_one_change_also_by_two_at_once(store, keyring):
    other = Keyring.open(KnownRoot(), store)

    assert (keyring.renew(Purpose.LOG), other.renew(Purpose.LOG)) == (2, 3)
    assert states(other, Purpose.LOG) == [(1, KeyState.FORMER), (2, KeyState.FORMER), (3, KeyState.CURRENT)]
    keyring.refresh()
    keyring.add(Purpose.LOG)
    assert keyring.renew(Purpose.LOG) == 4


def test_keys_that_were_taken_over_after_changes_of_two_are_those_that_are_stored(store, keyring):
    other = Keyring.open(KnownRoot(), store)
    other.renew_shards([1, 2])
    keyring.renew_shards([2, 3])
    other.rotate_keytable()
    keyring.destroy_shards({2: 2})

    opened = Keyring.open(KnownRoot(), store)
    assert keyring.shard_keys() == opened.shard_keys()
    assert every_key(keyring) == every_key(opened)
