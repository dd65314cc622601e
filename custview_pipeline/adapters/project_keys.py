"""The keys of a project, from where its settings say they are."""

from pathlib import Path

from custview_pipeline.adapters.key_files import KeyDirectory, key_directory, refuse_keys_in_lake
from custview_pipeline.adapters.key_providers import key_provider
from custview_pipeline.adapters.lake_files import MANIFEST_FILE
from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.protection.keyring import Keyring


def open_keyring(project_name: str, lake: Path) -> Keyring:
    """Return the keyring of a project; its keys are made at the first use, before there is a lake.

    Args:
        project_name: Names the folder of the keys.
        lake: Directory of the lake that they are for.

    Raises:
        ProjectInvalid: The keys are inside the lake.
        KeyUnavailable: The root key or the wrapped keys cannot be read, or are missing although the lake was made with some.
        WrongKey: They do not belong together.
    """
    directory = key_directory(project_name)
    refuse_keys_in_lake(directory, lake)
    store = KeyDirectory(directory)
    is_new = not directory.exists() or (directory.is_dir() and store.read() is None)
    if is_new and (lake / MANIFEST_FILE).exists():
        raise KeyUnavailable(
            f"no keys in {directory}, but the lake was made with some: point CUSTVIEW_KEYS at them, or restore a key backup; "
            "none were made anew"
        )
    return Keyring.open(key_provider(directory), store)
