"""The keys of a project, from where its settings say they are."""

from custview_pipeline.adapters.key_files import KeyDirectory, key_directory, key_provider
from custview_pipeline.protection.keyring import Keyring


def open_keyring(project_name: str) -> Keyring:
    """Return the keyring of a project; its keys are made at the first use.

    Raises:
        KeyUnavailable: The root key or the wrapped keys cannot be read.
        WrongKey: They do not belong together.
    """
    directory = key_directory(project_name)
    return Keyring.open(key_provider(directory), KeyDirectory(directory))
