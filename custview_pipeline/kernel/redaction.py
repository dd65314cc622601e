"""Errors of libraries quote values; what leaves this package names their kind and place instead."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from custview_pipeline.kernel.errors import CustviewError, Redacted


@contextmanager
def silenced(doing: str) -> Iterator[None]:
    """Let errors of this package pass and replace every other one by a ``Redacted`` that quotes nothing.

    Args:
        doing: What is being done, for the message.

    Raises:
        Redacted: A library failed; the message has the type of its error and the line of ours that called it.
    """
    try:
        yield
    except CustviewError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 -- whatever a library raises may quote values
        raise Redacted(f"{doing} failed: {type(error).__name__} at {_place(error)}") from None


def _place(error: BaseException) -> str:
    """Return file and line of the innermost frame of this package."""
    package = Path(__file__).parents[1]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(package)]
    if not frames:
        return "an unknown place"
    last = frames[-1]
    return f"{Path(last.filename).relative_to(package.parent)}:{last.lineno}"
