"""Keyrings, made once, for unwrapping the keys of 256 shards takes a moment; and an empty lake."""

import pytest

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.protection.keyring import Keyring


@pytest.fixture(scope="session")
def lake_keyring(tmp_path_factory) -> Keyring:
    directory = tmp_path_factory.mktemp("lake") / "keys"
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


@pytest.fixture(scope="session")
def other_keyring(tmp_path_factory) -> Keyring:
    directory = tmp_path_factory.mktemp("other_lake") / "keys"
    return Keyring.open(FileKeyProvider(directory), KeyDirectory(directory))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "lake"


@pytest.fixture
def lake(root, lake_keyring):
    return DeltaLake(root, lake_keyring)
