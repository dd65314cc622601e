"""The keys of a project, from where its settings say they are."""

import json
from pathlib import Path
from typing import Final

from custview_pipeline.adapters.key_files import KeyDirectory, existing_keys, key_directory, refuse_keys_in_lake
from custview_pipeline.adapters.key_providers import key_provider
from custview_pipeline.adapters.lake_files import MANIFEST_FILE, is_lake
from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import KeyUnavailable, WrongKey
from custview_pipeline.protection.keyring import Keyring

LAKE_FILE: Final = "lake.json"  # which lake the keys in a directory are for


def open_keyring(project_name: str, lake: Path) -> Keyring:
    """Return the keyring of a project; its keys are made at the first use, before there is a lake.

    Args:
        project_name: Names the folder of the keys.
        lake: Directory of the lake that they are for.

    Raises:
        ProjectInvalid: The keys are inside the lake.
        KeyUnavailable: The root key or the wrapped keys cannot be read, or are missing although the lake was made with some.
        WrongKey: They do not belong together, or these are the keys of another lake, which is still there.
    """
    directory = key_directory(project_name)
    refuse_keys_in_lake(directory, lake)
    _refuse_keys_of_another_lake(directory, lake)
    if is_lake(lake) and (directory.is_dir() or not directory.exists()):
        existing_keys(directory, lake)
    keyring = Keyring.open(key_provider(directory), KeyDirectory(directory))
    if _is_made_with(lake, keyring):
        _note_lake(directory, lake)
    return keyring


def _is_made_with(lake: Path, keyring: Keyring) -> bool:
    """Tell whether a lake was made with these keys, or is not there yet; what is wrong with one, its readers say."""
    try:
        return bool(json.loads((lake / MANIFEST_FILE).read_text(encoding="utf-8"))["key_check"] == keyring.check_value())
    except FileNotFoundError:
        return True
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _refuse_keys_of_another_lake(directory: Path, lake: Path) -> None:
    """Refuse keys that are in use for another lake: what an erasure or a rotation in this one destroys, that one needs.

    A copy of the keys is a pair of its own with the lake beside which it is used first, and so are keys whose lake was moved.

    Raises:
        WrongKey: The keys noted another lake, and it is there.
    """
    noted = _noted(directory)
    if noted is None or noted["keys"] != str(directory.resolve()):
        return
    if noted["lake"] != str(lake.resolve()) and is_lake(Path(noted["lake"])):
        raise WrongKey(
            f"the keys in {directory} are those of the lake {noted['lake']}, and keys serve one lake: give this project another "
            f"name, or its own directory in {settings.KEYS}; where this lake is to take its place, move that one away first"
        )


def _note_lake(directory: Path, lake: Path) -> None:
    note = {"keys": str(directory.resolve()), "lake": str(lake.resolve())}
    if _noted(directory) == note:
        return
    try:
        replace_durably(directory / LAKE_FILE, lambda file: file.write(json.dumps(note, indent=1).encode() + b"\n"))
    except OSError as error:
        raise KeyUnavailable(f"{directory / LAKE_FILE}: cannot be written ({error.strerror})") from None


def _noted(directory: Path) -> dict[str, str] | None:
    """Return key directory and lake as they were noted; None where nothing usable is."""
    try:
        noted = json.loads((directory / LAKE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise KeyUnavailable(f"{directory / LAKE_FILE}: cannot be read ({error.strerror})") from None
    is_note = isinstance(noted, dict) and {"keys", "lake"} <= set(noted)
    return {name: str(noted[name]) for name in ("keys", "lake")} if is_note else None
