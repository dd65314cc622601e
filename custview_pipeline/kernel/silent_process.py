"""What a process says by itself - log records, warnings, errors nobody caught, core dumps - kept free of values.

Nothing in this package logs. Libraries do, and Python prints what nobody caught; both would quote values. The first net is that
errors are replaced where they arise (``kernel/redaction.py``); this one is below it.
"""

import logging
import os
import resource
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, TextIO

from custview_pipeline.kernel.redacted_text import redact
from custview_pipeline.kernel.redaction import kind_and_place, shown_path

# Whose messages are made of names and counts; of every other logger only the constant part of a message is kept.
_KNOWN_LOGGERS: Final = frozenset({"dagster", "uvicorn", "alembic"})
_STANDARD_ERROR: Final = 2


class SilentRecord(logging.LogRecord):
    """A log record whose message quotes nothing, however often it is formatted or given another text."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.exc_info and self.exc_info[1] is not None:
            self.exc_text = kind_and_place(self.exc_info[1])
        self.exc_info = None

    def getMessage(self) -> str:  # noqa: N802 -- the name that logging calls
        """Return the message as it may be shown or stored."""
        if isinstance(self.msg, BaseException):
            return kind_and_place(self.msg)
        if (self.name or "").partition(".")[0] in _KNOWN_LOGGERS:
            return redact(super().getMessage())
        return redact(self._constant_part())

    def _constant_part(self) -> str:
        """Return the template with its numbers; a text without arguments may have been put together of anything."""
        if not self.args:
            return f"message withheld, at {shown_path(self.pathname)}:{self.lineno}"
        try:
            return f"{str(self.msg) % _plain(self.args)}"
        except (TypeError, ValueError, KeyError):
            return f"message withheld, at {shown_path(self.pathname)}:{self.lineno}"


def _plain(arguments: Any) -> Any:
    """Return the arguments of a message: numbers as they are, of everything else its type."""
    if isinstance(arguments, Mapping):
        return {name: _plain_one(value) for name, value in arguments.items()}
    return tuple(_plain_one(value) for value in arguments)


def _plain_one(value: object) -> object:
    return value if isinstance(value, bool | int | float) else f"<{type(value).__name__}>"


def silence_process() -> None:
    """Make this process say types of errors, places, names and counts only; calling it again changes nothing.

    Hooks that somebody else has put in the place of Python's own are left: whoever did it shows errors in a way of their own.
    """
    logging.setLogRecordFactory(SilentRecord)
    warnings.showwarning = _show_warning
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _tell_of_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _tell_unraisable
    # A core dump is the memory of the process: keys, and rows in the airlock.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def unheard() -> Iterator[None]:
    """Drop what native code writes to standard error meanwhile: a panic of polars prints its message before Python has it."""
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # a process without standard error says nothing there
        yield
        return
    try:
        drop_standard_error()
        yield
    finally:
        _flush()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)


def drop_standard_error() -> None:
    """Send standard error nowhere from now on, below Python too."""
    _flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STANDARD_ERROR)
    os.close(nowhere)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _say(f"error {kind_and_place(error.with_traceback(trace))}" if not issubclass(kind, KeyboardInterrupt) else "interrupted")


def _tell_of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
        _say(f"error in a thread: {kind_and_place(told.exc_value)}")


def _tell_unraisable(told: "sys.UnraisableHookArgs") -> None:
    if told.exc_value is not None:
        _say(f"error that nobody could catch: {kind_and_place(told.exc_value)}")


def _show_warning(
    message: Warning | str,  # noqa: ARG001 -- it may quote what it warns of
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,  # noqa: ARG001 -- Python calls it so
) -> None:
    text = f"{category.__name__} at {shown_path(filename)}:{lineno}"
    if file is None:
        _say(text)
    else:
        file.write(f"{text}\n")
