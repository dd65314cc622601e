"""The provider that docs/keys.md shows, under a key management service that is made up: it makes keys, opens them, refuses."""

import re
import secrets
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

import custview_pipeline
from custview_pipeline.adapters import key_providers
from custview_pipeline.adapters.key_backup_files import make_backup, read_backup, restore_backup
from custview_pipeline.adapters.key_files import KeyDirectory
from custview_pipeline.adapters.key_providers import ENTRY_POINTS, key_provider
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.protection.keyring import Keyring

PAGE = (Path(custview_pipeline.__file__).parents[1] / "docs" / "keys.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.+?)```", PAGE, re.DOTALL)
ENTRY = re.search(r'```toml\n\[project.entry-points."(.+?)"\]\n(\w+) = "(.+?)"\n```', PAGE)


class Refused(Exception):
    """What the service raises; like real ones it quotes what it was given."""


class Service:
    """Makes data keys and opens them, for whoever may."""

    def __init__(self):
        self.keys, self.calls, self.is_permitted = {}, [], True

    def generate_data_key(self, *, KeyId, KeySpec, EncryptionContext):  # noqa: N803 -- named as the service names them
        """Return a key, and it sealed."""
        assert (KeyId, KeySpec, EncryptionContext) == ("our-key", "AES_256", {"application": "custview"})
        self.calls.append("generate_data_key")
        blob = b"sealed" + secrets.token_bytes(16)
        self.keys[blob] = secrets.token_bytes(32)
        return {"CiphertextBlob": blob, "Plaintext": self.keys[blob]}

    def decrypt(self, *, CiphertextBlob, EncryptionContext):  # noqa: N803 -- see above
        """Return a key that this service sealed."""
        self.calls.append("decrypt")
        if not self.is_permitted or EncryptionContext != {"application": "custview"}:
            raise Refused(self.keys[CiphertextBlob].hex())
        return {"Plaintext": self.keys[CiphertextBlob]}


@pytest.fixture
def service(monkeypatch):
    made = Service()
    boto3, botocore, exceptions, ours = (ModuleType(name) for name in ("boto3", "botocore", "botocore.exceptions", "our_keys"))
    boto3.client = lambda name: made if name == "kms" else None
    exceptions.BotoCoreError = exceptions.ClientError = Refused
    for module in (boto3, botocore, exceptions, ours):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(EXAMPLE[1], "docs/keys.md", "exec"), ours.__dict__)  # noqa: S102 -- our own page
    group, name, place = ENTRY.groups()
    monkeypatch.setattr(key_providers, "entry_points", lambda *, group: [EntryPoint(name, place, group)])
    monkeypatch.setenv("OUR_KMS_KEY", "our-key")
    monkeypatch.setenv(settings.KEY_PROVIDER, name)
    assert group == ENTRY_POINTS
    return made


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "keys"


def opened(directory):
    return Keyring.open(key_provider(directory), KeyDirectory(directory))


def test_keys_open_by_the_service_and_no_usable_key_is_on_the_disk(service, directory):
    keyring = opened(directory)

    assert opened(directory).shard_keys().generations == keyring.shard_keys().generations
    assert sorted(path.name for path in directory.iterdir()) == ["keyring.json", "keyring.lock", "root.sealed"]
    (root,) = service.keys.values()
    assert not any(root in path.read_bytes() for path in directory.iterdir())


def test_opening_asks_the_service_once_and_a_keyring_that_is_as_it_was_asks_nothing(service, directory):
    opened(directory)
    service.calls.clear()
    keyring = opened(directory)
    keyring.refresh()

    assert service.calls == ["decrypt"]


def test_the_root_key_is_rotated_by_the_service(service, directory):
    keyring = opened(directory)
    former = (directory / "root.sealed").read_bytes()
    keyring.rotate_root()

    assert opened(directory).check_value() == keyring.check_value()
    assert not (directory / "root.sealed.next").exists()
    assert (directory / "root.sealed").read_bytes() != former
    assert service.calls.count("generate_data_key") == 2


@pytest.mark.usefixtures("service")
def test_a_rotation_that_was_interrupted_is_settled(directory):
    keyring = opened(directory)
    key_provider(directory).next_root_key()

    assert opened(directory).check_value() == keyring.check_value()
    assert not (directory / "root.sealed.next").exists()


def test_a_service_that_refuses_is_one_clear_error_without_what_it_says(service, directory):
    opened(directory)
    service.is_permitted = False

    with pytest.raises(KeyUnavailable, match=r"^the KMS refused decrypt: Refused$") as refusal:
        opened(directory)
    assert refusal.value.__cause__ is None


def test_a_sealed_root_key_that_is_lost_is_not_made_anew(service, directory):
    opened(directory)
    (directory / "root.sealed").unlink()

    with pytest.raises(KeyUnavailable, match="bring back the copy"):
        opened(directory)
    assert service.calls.count("generate_data_key") == 1


@pytest.mark.usefixtures("service")
def test_a_backup_with_a_copy_of_the_sealed_root_key_brings_the_keys_back(directory, tmp_path):
    passphrase, keyring = "seven pale owls count rain", opened(directory)
    make_backup(directory, key_provider(directory), tmp_path / "safe.cvkb", passphrase, lake=tmp_path / "lake")
    (tmp_path / "new").mkdir(mode=0o700)
    (directory / "root.sealed").rename(tmp_path / "new" / "root.sealed")
    restore_backup(tmp_path / "new", key_provider(tmp_path / "new"), read_backup(tmp_path / "safe.cvkb"), passphrase)

    assert opened(tmp_path / "new").check_value() == keyring.check_value()
