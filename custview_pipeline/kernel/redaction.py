"""Errors of libraries quote values; what leaves this package names their kind and place instead."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from custview_pipeline.kernel.errors import CustviewError, Redacted

_PACKAGE: Final = Path(__file__).parents[1]
_LIBRARIES: Final = ("site-packages", "dist-packages")
_PANIC: Final = "PanicException"  # no Exception; each library in Rust brings a class of its own by this name
_UNKNOWN: Final = "an unknown place"


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
    except BaseException as error:  # whatever a library raises may quote values
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise  # somebody ends the process, or a generator
        own, _ = _places(error)
        raise Redacted(f"{doing} failed: {type(error).__name__} at {own or _UNKNOWN}") from None


def kind_and_place(error: BaseException) -> str:
    """Return what may be told of any error: its type, the line of ours that led to it, the line that raised it, its causes.

    An error of this package is told whole, for its message has names and counts only.
    """
    kind = f"{type(error).__name__}: {error}" if isinstance(error, CustviewError) else type(error).__name__
    places = dict.fromkeys(place for place in _places(error) if place is not None)
    causes = ", ".join(type(cause).__name__ for cause in _causes(error))
    return f"{kind} at {', '.join(places) or _UNKNOWN}" + (f" (after {causes})" if causes else "")


def shown_path(path: str) -> str:
    """Return the path of a module from its package on, without the folders of this machine."""
    parts = Path(path).parts
    if Path(path).is_relative_to(_PACKAGE):
        return str(Path(path).relative_to(_PACKAGE.parent))
    cut = max((parts.index(folder) + 1 for folder in _LIBRARIES if folder in parts), default=-1)
    return "/".join(parts[cut:])


def _places(error: BaseException) -> tuple[str | None, str | None]:
    """Return the innermost line of this package, and the innermost of all, on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    first, last = (f"{shown_path(found[-1].filename)}:{found[-1].lineno}" if found else None for found in (own, frames))
    return first, last


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what a traceback would show before an error: its cause, or else its context, and theirs."""
    seen = {id(error)}
    while (before := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) and id(before) not in seen:
        seen.add(id(before))
        yield before
        error = before
