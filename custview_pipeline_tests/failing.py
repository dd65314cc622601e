"""Runs in which each library fails over a value: of a row in the airlock, or of none at a later stage."""

import sys
from itertools import pairwise
from typing import Any, Final

import polars as pl
import pytest

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows import examine
from custview_pipeline_tests.errors_of_libraries import LIBRARIES, error_of, fail

# Where a later stage calls a room or the lake, and the library that fails there.
STAGES: Final = {
    "matching": ("custview_pipeline.flows.link.link_change", "numpy"),
    "storing the crosswalk": ("custview_pipeline.flows.link._store_models", "pyarrow"),
    "survivorship": ("custview_pipeline.flows.survive.hold_elections", "polars"),
    "building the core view": ("custview_pipeline.flows.publish.build_core", "polars panic"),
    "the audit": ("custview_pipeline.flows.assess.stored_scores", "pandera"),
    "storing the audit": ("custview_pipeline.flows.assess.findings_of", "deltalake"),
}


EVERY: Final = "every"  # the source in whose airlock all libraries fail, each because of the next


def source_of(library: str) -> str:
    """Return the name of the source whose airlock a library fails in."""
    return f"source_{LIBRARIES.index(library):02d}"


def fail_in_the_airlock() -> None:
    """Let the airlock of each source fail, from now on, by its library and over the name in its first row."""
    examine.screen = _fail_over_a_row  # type: ignore[assignment]


def fail_at_a_stage(patch: pytest.MonkeyPatch, stage: str, value: str) -> None:
    """Let a later stage fail over a value."""
    place, library = STAGES[stage]

    def broken(*_: Any, **__: Any) -> None:
        fail(library, value)

    patch.setattr(place, broken)


def _fail_over_a_row(raw: pl.DataFrame, _: Any, contract: SourceContract, **__: Any) -> None:
    name = str(raw["name"][0])
    if contract.source_system == EVERY:
        _fail_by_every_library(name)
    fail(LIBRARIES[int(contract.source_system.removeprefix("source_"))], name)


def _fail_by_every_library(value: str) -> None:
    errors = [error_of(library, value) for library in LIBRARIES]
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    raise errors[0]


if __name__ == "__main__":
    fail_in_the_airlock()
    from custview_pipeline.cli import main

    sys.argv[0] = "custview"
    main()
