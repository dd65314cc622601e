"""Tests of ``custview_pipeline.protection.keyring`` and ``custview_pipeline.protection.wrapped_keys``."""

import pickle

import polars as pl
import pytest
from pydantic import ValidationError

from custview_pipeline.kernel.errors import KeyUnavailable, UnsealFailed, WrongKey
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Place, Rows
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose, WrappedKeys, unwrap_key, wrap_key

ROOT = bytes(range(32))


class KnownRoot:
    """A provider of a key that tests know."""

    def __init__(self, key=ROOT):
        self._key = key

    def root_key(self):
        """Return it."""
        return self._key

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
        self.text = change(self.read()).model_dump_json()
        return self.read()


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
    return MemoryStore(WrappedKeys.model_validate(change(store.read().model_dump())).model_dump_json())


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


def test_a_purpose_that_came_later_gets_its_key_and_the_others_keep_theirs(store, keyring):
    older = altered(
        store, lambda keys: keys | {"purposes": {name: key for name, key in keys["purposes"].items() if name != "log"}}
    )
    opened = Keyring.open(KnownRoot(), older)

    assert opened.current(Purpose.LOG)[1] != keyring.current(Purpose.LOG)[1]
    assert opened.current(Purpose.VAULT) == keyring.current(Purpose.VAULT)


@pytest.mark.parametrize("lost", [Purpose.ID, Purpose.KEYTABLE])
def test_keys_that_could_not_be_replaced_are_never_made_again(store, lost):
    damaged = altered(
        store, lambda keys: keys | {"purposes": {name: key for name, key in keys["purposes"].items() if name != lost}}
    )

    with pytest.raises(KeyUnavailable, match="damaged"):
        Keyring.open(KnownRoot(), damaged)


def test_swapped_wrapped_keys_are_noticed(store):
    def swap(keys):
        purposes = keys["purposes"]
        return keys | {"purposes": purposes | {"vault": purposes["token"], "token": purposes["vault"]}}

    with pytest.raises(KeyUnavailable, match="damaged"):
        Keyring.open(KnownRoot(), altered(store, swap))


def test_swapped_shard_keys_are_noticed(store):
    swapped = altered(store, lambda keys: keys | {"shards": (keys["shards"][1], keys["shards"][0], *keys["shards"][2:])})

    with pytest.raises(KeyUnavailable, match="damaged"):
        Keyring.open(KnownRoot(), swapped)


def test_versions_are_kept_beside_each_other_while_keys_rotate(store, keyring):
    first = store.read().purposes[Purpose.VAULT][0]
    second = first.model_copy(update={"version": 2, "wrapped": wrap_key(ROOT, bytes(32), Purpose.VAULT, 2)})
    versions = (first.model_copy(update={"state": KeyState.FORMER}), second)
    store.update(lambda keys: keys.model_copy(update={"purposes": keys.purposes | {Purpose.VAULT: versions}}))
    rotated = Keyring.open(KnownRoot(), store)

    assert rotated.current(Purpose.VAULT) == (2, bytes(32))
    assert rotated.key(Purpose.VAULT, 1) == keyring.key(Purpose.VAULT, 1)
    with pytest.raises(WrongKey, match="no version 3 of the vault key"):
        rotated.key(Purpose.VAULT, 3)


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
        keys.tokeniser().tokens("name", names, rule_version="1").to_list()
        == keyring.airlock_keys().tokeniser().tokens("name", names, rule_version="1").to_list()
    )


def test_reprs_show_versions_and_no_keys(keyring):
    assert repr(keyring) == "Keyring(vault=1, token=1, index=1, keytable=1, log=1, id=1)"
    assert repr(keyring.airlock_keys()) == "AirlockKeys(vault_version=1, token_version=1)"


@pytest.mark.parametrize(
    "change",
    [
        lambda keys: keys | {"format": 2},
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
