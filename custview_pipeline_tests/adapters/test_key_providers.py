"""Tests of ``custview_pipeline.adapters.key_providers``."""

import base64
import os
from importlib.metadata import EntryPoint

import pytest

from custview_pipeline.adapters import key_providers
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.key_providers import ENTRY_POINTS, EnvironmentKeyProvider, key_provider
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, Redacted, WrongKey
from custview_pipeline.protection.keyring import Keyring

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))


def text(key):
    return base64.b64encode(key).decode()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for variable in (settings.KEY_PROVIDER, settings.ROOT_KEY, settings.NEXT_ROOT_KEY):
        monkeypatch.delenv(variable, raising=False)


def test_the_environment_gives_the_root_key(monkeypatch):
    monkeypatch.setenv(settings.ROOT_KEY, text(FIRST))

    assert EnvironmentKeyProvider().root_keys() == [FIRST]
    assert EnvironmentKeyProvider().describe() == "environment variable CUSTVIEW_ROOT_KEY"


@pytest.mark.parametrize("variable", [settings.ROOT_KEY, settings.NEXT_ROOT_KEY])
@pytest.mark.parametrize("value", [None, "", "c2hvcnQ=", "nö base64"])
def test_an_environment_without_a_root_key_is_refused(monkeypatch, variable, value):
    monkeypatch.setenv(settings.ROOT_KEY, text(FIRST))
    monkeypatch.setenv(variable, value or "")
    provider = EnvironmentKeyProvider()

    with pytest.raises(KeyUnavailable, match=f"^{variable}: not .*32") as refusal:
        provider.root_keys() if variable == settings.ROOT_KEY else provider.next_root_key()
    assert not value or value not in str(refusal.value)


def test_a_root_key_of_the_environment_is_rotated_by_a_second_variable(tmp_path, monkeypatch):
    monkeypatch.setenv(settings.ROOT_KEY, text(FIRST))
    provider, store = EnvironmentKeyProvider(), KeyDirectory(tmp_path / "keys")
    keyring = Keyring.open(provider, store)
    shards = keyring.shard_keys()
    with pytest.raises(KeyUnavailable, match=r"^CUSTVIEW_NEXT_ROOT_KEY: not set"):
        keyring.rotate_root()
    monkeypatch.setenv(settings.NEXT_ROOT_KEY, text(SECOND))
    keyring.rotate_root()

    assert Keyring.open(provider, store).shard_keys() == shards
    with pytest.raises(KeyUnavailable, match="the next root key is the one in use"):
        keyring.rotate_root()
    monkeypatch.setenv(settings.ROOT_KEY, text(SECOND))
    monkeypatch.delenv(settings.NEXT_ROOT_KEY)
    assert Keyring.open(provider, store).shard_keys() == shards
    monkeypatch.setenv(settings.ROOT_KEY, text(FIRST))
    with pytest.raises(WrongKey):
        Keyring.open(provider, store)


class Service:
    """A provider of another package."""

    def __init__(self, directory):
        self.directory = directory

    def root_keys(self):
        """Return the key."""
        return [FIRST]

    def next_root_key(self):
        """Fail, and quote the key in the error."""
        raise ConnectionError(text(FIRST))

    def settle(self, root_key):
        """Fail as this package does."""
        raise KeyUnavailable(f"the service refuses {len(root_key)} bytes")

    def describe(self):
        """Return the name."""
        return "a service of tests"


def no_service(directory):
    raise RuntimeError(f"cannot make {directory} {text(FIRST)}")


@pytest.fixture
def installed(monkeypatch):
    points = [EntryPoint(name, f"{__name__}:{what}", ENTRY_POINTS) for name, what in
              (("service", "Service"), ("broken", "no_service"), ("missing", "Nothing"))]  # fmt: skip
    monkeypatch.setattr(key_providers, "entry_points", lambda *, group: points if group == ENTRY_POINTS else [])


@pytest.mark.usefixtures("installed")
def test_settings_choose_the_provider(tmp_path, monkeypatch):
    assert isinstance(key_provider(tmp_path), FileKeyProvider)
    monkeypatch.setenv(settings.KEY_PROVIDER, "file")
    assert isinstance(key_provider(tmp_path), FileKeyProvider)
    monkeypatch.setenv(settings.KEY_PROVIDER, "environment")
    assert isinstance(key_provider(tmp_path), EnvironmentKeyProvider)
    monkeypatch.setenv(settings.KEY_PROVIDER, "service")
    assert key_provider(tmp_path).describe() == "a service of tests"
    monkeypatch.setenv(settings.KEY_PROVIDER, "cloud")
    with pytest.raises(KeyUnavailable, match=r"there are: file, environment, broken, missing, service$"):
        key_provider(tmp_path)


@pytest.mark.usefixtures("installed")
def test_an_installed_provider_opens_keys_and_its_errors_are_not_quoted(tmp_path, monkeypatch):
    monkeypatch.setenv(settings.KEY_PROVIDER, "service")
    keyring = Keyring.open(key_provider(tmp_path), KeyDirectory(tmp_path / "keys"))

    with pytest.raises(Redacted, match=r"^the key provider service failed: ConnectionError") as refusal:
        keyring.rotate_root()
    assert text(FIRST) not in str(refusal.value)
    assert refusal.value.__cause__ is None
    with pytest.raises(KeyUnavailable, match="the service refuses 32 bytes"):
        key_provider(tmp_path).settle(FIRST)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "error"), [("broken", "RuntimeError"), ("missing", "AttributeError")])
def test_a_provider_that_cannot_be_made_is_named_without_what_it_says(tmp_path, monkeypatch, name, error):
    monkeypatch.setenv(settings.KEY_PROVIDER, name)

    with pytest.raises(Redacted, match=f"^the key provider {name} failed: {error}") as refusal:
        key_provider(tmp_path)
    assert text(FIRST) not in str(refusal.value)


def test_the_keys_are_withheld_from_processes_that_are_started(monkeypatch):
    for variable in (settings.ROOT_KEY, settings.NEXT_ROOT_KEY, settings.BACKUP_PASSPHRASE):
        monkeypatch.setenv(variable, text(FIRST))

    with settings.secrets_withheld():
        assert not [name for name, value in os.environ.items() if value == text(FIRST)]
        assert EnvironmentKeyProvider().root_keys() == [FIRST, FIRST]


def test_a_variable_that_holds_no_root_key_is_not_restored_from_a_backup(monkeypatch):
    monkeypatch.setenv("CUSTVIEW_ROOT_KEY", "short")

    with pytest.raises(KeyUnavailable, match=r"CUSTVIEW_ROOT_KEY: not a root key: .*; set it to the text") as refusal:
        EnvironmentKeyProvider().root_keys()
    assert "backup" not in str(refusal.value)
