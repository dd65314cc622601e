"""Where commands print: results on standard output, everything else on standard error."""

import io
import os
import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console

_PIPED_WIDTH: Final = 500  # wide enough that no line of a table breaks in a file or for grep


def results() -> Console:
    """Return the console of results: as wide as the terminal, and never breaking lines where it is a pipe."""
    return _unbroken(Console(highlight=False))


def messages() -> Console:
    """Return the console of progress, warnings and errors."""
    return _unbroken(Console(stderr=True, highlight=False))


def lasting_messages() -> tuple[Console, Callable[[], None]]:
    """Return a console of messages that stays the terminal's own, and what closes it.

    Dagster turns the standard streams of the process into its compute logs while a step runs; progress is not for those.
    """
    try:
        stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    except io.UnsupportedOperation:  # a stream that is no file, as tests use
        return messages(), lambda: None
    return _unbroken(Console(file=stream, highlight=False)), stream.close


def _unbroken(console: Console) -> Console:
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console
