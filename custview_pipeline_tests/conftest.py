"""What holds for every test."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

# How long an example takes says nothing on a machine that others use too.
# The same examples at every run, so that a red test is the doing of the change at hand. `make explore` looks for new ones.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=200)
settings.load_profile("house")

# Whole systems first, rooms last: a worker that begins with the long files is not the one that the others wait for.
_LONGEST_FIRST: Final = ("browser", "launch", "cli", "defs", "flows", "adapters")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of whole systems before those of rooms; those of one folder stay in their order."""
    items.sort(key=lambda item: _place_of(item.path.relative_to(Path(__file__).parent).parts))


def _place_of(parts: tuple[str, ...]) -> int:
    if len(parts) == 1:
        return 0
    return _LONGEST_FIRST.index(parts[0]) + 1 if parts[0] in _LONGEST_FIRST else len(_LONGEST_FIRST) + 1
