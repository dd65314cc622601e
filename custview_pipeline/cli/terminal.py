"""Where commands print: results on standard output, everything else on standard error."""

import io
import os
import sys
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.markup import escape

_PIPED_WIDTH: Final = 500  # wide enough that no line of a table breaks in a file or for grep
_BASIC_PLANE: Final = 0xFFFF
_MINUTES_OF_DAY: Final = 24 * 60


def results() -> Console:
    """Return the console of results: as wide as the terminal, and never breaking lines where it is a pipe."""
    return _unbroken(Console(highlight=False, emoji=False))


def messages() -> Console:
    """Return the console of progress, warnings and errors."""
    return _unbroken(Console(stderr=True, highlight=False, emoji=False))


def lasting_messages() -> tuple[Console, Callable[[], None]]:
    """Return a console of messages that stays the terminal's own, and what closes it.

    Dagster turns the standard streams of the process into its compute logs while a step runs; progress is not for those.
    """
    try:
        stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    except io.UnsupportedOperation:  # a stream that is no file, as tests use
        return messages(), lambda: None
    return _unbroken(Console(file=stream, highlight=False, emoji=False)), stream.close


def printable(text: str) -> str:
    """Return a text of a source with what a terminal would act on, or not show, written out as escapes, and markup disarmed."""
    return escape("".join(_written(character) if _is_unseen(character) else character for character in text))


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in its largest unit: 3 d, 5 h, 12 min."""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes >= _MINUTES_OF_DAY:
        return f"{minutes // _MINUTES_OF_DAY} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 -- minutes of an hour


def _is_unseen(character: str) -> bool:
    """Return whether it is a control, a format (also one that turns the direction of writing), a surrogate or unassigned."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _written(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"


def _unbroken(console: Console) -> Console:
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console
