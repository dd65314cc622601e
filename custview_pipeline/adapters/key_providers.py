"""Who gives the root key, as the settings say: a file, the environment, or a provider that is installed beside this package."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.key_files import FileKeyProvider, decoded_key
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.kernel.ports import KeyProvider
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.derivation import KEY_BYTES

ENTRY_POINTS: Final = "custview_pipeline.key_providers"


class EnvironmentKeyProvider:
    """The root key from the environment, 32 bytes as base64; while it is rotated the next one is in a variable of its own."""

    def describe(self) -> str:
        """Return which variable holds the key."""
        return f"environment variable {settings.ROOT_KEY}"

    def root_keys(self) -> Sequence[bytes]:
        """Return the root key, and the next one where it is set.

        Raises:
            KeyUnavailable: The variable is not set, or holds no root key.
        """
        key = _from_environment(settings.ROOT_KEY)
        return [key] if settings.read(settings.NEXT_ROOT_KEY) is None else [key, _from_environment(settings.NEXT_ROOT_KEY)]

    def next_root_key(self) -> bytes:
        """Return the root key to rotate to.

        Raises:
            KeyUnavailable: Its variable is not set, or holds no root key.
        """
        return _from_environment(settings.NEXT_ROOT_KEY)

    def settle(self, root_key: bytes) -> None:
        """Do nothing: whoever set the variables moves the key from one to the other."""


class InstalledKeyProvider:
    """A provider of another package. What its libraries raise is not passed on: it might quote a key.

    Args:
        name: As the settings name it.
        provider: What the other package made.
    """

    def __init__(self, name: str, provider: KeyProvider) -> None:
        self._doing, self._provider = f"the key provider {name}", provider

    def describe(self) -> str:
        """Return what it says of itself."""
        with silenced(self._doing):
            return self._provider.describe()

    def root_keys(self) -> Sequence[bytes]:
        """Return its root keys."""
        with silenced(self._doing):
            return self._provider.root_keys()

    def next_root_key(self) -> bytes:
        """Return its next root key."""
        with silenced(self._doing):
            return self._provider.next_root_key()

    def settle(self, root_key: bytes) -> None:
        """Tell it which root key is in use."""
        with silenced(self._doing):
            self._provider.settle(root_key)


def key_provider(directory: Path) -> KeyProvider:
    """Return the provider of the root key that CUSTVIEW_KEY_PROVIDER names; a file in ``directory`` by default.

    Raises:
        KeyUnavailable: There is no such provider, or it cannot be made.
    """
    name = settings.read(settings.KEY_PROVIDER) or "file"
    if name == "file":
        return FileKeyProvider(directory)
    if name == "environment":
        return EnvironmentKeyProvider()
    return InstalledKeyProvider(name, _installed(name, directory))


def _installed(name: str, directory: Path) -> KeyProvider:
    found = _entry_point(name)
    with silenced(f"the key provider {name}"):
        provider: KeyProvider = found.load()(directory)
    return provider


def _entry_point(name: str) -> EntryPoint:
    known = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in known:
        names = ", ".join(("file", "environment", *sorted(known)))
        raise KeyUnavailable(f"{settings.KEY_PROVIDER}: no such provider; there are: {names}")
    return known[name]


def _from_environment(variable: str) -> bytes:
    value = settings.read(variable)
    if value is None:
        raise KeyUnavailable(f"{variable}: not set: give it {KEY_BYTES} random bytes as base64")
    return decoded_key(value.encode(), variable, "set it to the text that root.key held, or that was made for it")
