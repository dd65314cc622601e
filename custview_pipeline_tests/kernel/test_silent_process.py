"""Tests of ``custview_pipeline.kernel.silent_process``: in this process where hooks can be put back, else in one of their own."""

import io
import logging
import os
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Iterator
from typing import Final

import pytest

from custview_pipeline.kernel.silent_process import SilentRecord, unheard
from custview_pipeline_tests.errors_of_libraries import LIBRARIES, error_of

SECRET: Final = "Wilhelmina Quenneville"
LOGGERS: Final = ("dagster.daemon", "uvicorn.error", "sqlalchemy.pool", "some_library")


def is_secret_in(text: str) -> bool:
    return any(word.lower() in text.lower() for word in SECRET.split())


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Yield what loggers say while records are silent ones."""
    before, said = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.setLogRecordFactory(SilentRecord)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        logging.setLogRecordFactory(before)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_log_record_quotes_no_library(said, library):
    error = error_of(library, SECRET)
    whole = "".join(traceback.format_exception(error))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.error(error)
        logger.error("step failed", exc_info=error)
        logger.error("step failed:\n%s", whole)
        logger.error(f"step failed:\n\n{whole}")  # noqa: G004 -- as libraries do
    for name in LOGGERS[2:]:
        logger = logging.getLogger(name)
        logger.error(str(error))
        logger.error("cannot read %s: %s", SECRET, error)
    assert not is_secret_in(said.getvalue())
    assert type(error).__name__ in said.getvalue()


SAID: Final = [
    (("dagster", "Launched a run of %s for %d assets", "refresh", 12), "Launched a run of refresh for 12 assets"),
    (("uvicorn.error", "Started server process [%d]", 4711), "Started server process [4711]"),
    (("some_library", "read %d rows of %s in %.1f s", 3, SECRET, 0.5), "read 3 rows of <str> in 0.5 s"),
    (("some_library", "read %(rows)d rows of %(name)s", {"rows": 3, "name": SECRET}), "read 3 rows of <str>"),
    (("some_library", "rows: %d", SECRET), "message withheld, at "),
    (("some_library", SECRET), "message withheld, at "),
    (("some_library", "100 %"), "message withheld, at "),
    (("dagster", f"could not load '{SECRET}'"), "could not load <quoted>"),
]


@pytest.mark.parametrize(("record", "told"), SAID, ids=[told for _, told in SAID])
def test_of_a_message_names_and_counts_stay(said, record, told):
    name, message, *arguments = record
    logging.getLogger(name).warning(message, *arguments)
    assert told in said.getvalue()
    assert not is_secret_in(said.getvalue())


def test_a_record_stays_silent_when_it_is_given_another_message_or_made_of_a_dictionary(said):
    record = logging.makeLogRecord({"name": "dagster", "msg": "fine", "args": ()})
    assert record.getMessage() == "fine"
    record.msg = f"step failed\n\nValueError: {SECRET}"
    assert record.getMessage() == "step failed\n\nValueError"
    assert not said.getvalue()


def run(program: str) -> subprocess.CompletedProcess[str]:
    head = f"""
    import sys, threading, warnings, resource
    from custview_pipeline.kernel.silent_process import drop_standard_error, silence_process
    from custview_pipeline.kernel.errors import LakeDamaged
    secret = {SECRET!r}
    silence_process(); silence_process()
    """
    source = textwrap.dedent(head) + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-W", "always", "-c", source], capture_output=True, text=True, check=False)


PROGRAMS: Final = {
    "uncaught": ("int(secret)", 1, "error ValueError at <string>:"),
    "uncaught with a cause": (
        """
        try: {}[secret]
        except KeyError as error: raise ValueError(secret) from error
        """,
        1,
        "error ValueError at <string>:",
    ),
    "uncaught of ours": ("raise LakeDamaged('table crosswalk is gone')", 1, "error LakeDamaged: table crosswalk is gone at"),
    "interrupted": (
        """
        try: int(secret)
        except ValueError: raise KeyboardInterrupt
        """,
        130,
        "interrupted\n",
    ),
    "thread": (
        "t = threading.Thread(target=int, args=[secret]); t.start(); t.join()",
        0,
        "error in a thread: ValueError at threading.py:",
    ),
    "unraisable": (
        """
        class Careless:
            def __del__(self): int(secret)
        Careless()
        """,
        0,
        "error that nobody could catch: ValueError at <string>:",
    ),
    "warning": ("warnings.warn(secret)", 0, "UserWarning at <string>:"),
    "warning to a file": ("warnings.showwarning(secret, UserWarning, 'x.py', 3, sys.stderr)", 0, "UserWarning at x.py:3\n"),
    "log without a handler": (
        "import logging; logging.getLogger('any').warning(secret)",
        0,
        "message withheld, at <string>:",
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_what_nobody_caught_is_told_by_kind_and_place(case):
    program, code, told = PROGRAMS[case]
    done = run(program)
    assert done.stderr.startswith(told)
    assert not is_secret_in(done.stdout + done.stderr)
    assert done.returncode == code or (code == 130 and done.returncode == -2)


def test_a_hook_that_somebody_put_there_is_left():
    program = """
    sys.excepthook = lambda *_: print("mine")
    silence_process()
    int(secret)
    """
    done = run(program)
    assert done.stdout == "mine\n"


def test_the_process_leaves_no_core_dump():
    assert run("print(resource.getrlimit(resource.RLIMIT_CORE))").stdout == "(0, 0)\n"


def test_a_process_that_it_starts_leaves_none_either():
    program = """
    import subprocess
    subprocess.run([sys.executable, "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"])
    """
    assert run(program).stdout == "(0, 0)\n"


def test_what_native_code_writes_to_standard_error_is_dropped_for_a_while(capfd):
    os.write(2, b"before\n")
    with unheard():
        os.write(2, SECRET.encode())
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_it_is_heard_again_after_an_error(capfd):
    with pytest.raises(ValueError, match="any"), unheard():
        raise ValueError("any")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_it_is_dropped_for_good_in_a_worker():
    assert run("drop_standard_error(); sys.stderr.write(secret); int(secret)").stderr == ""


def test_a_process_without_standard_error_works():
    program = """
    import os
    from custview_pipeline.kernel.silent_process import unheard
    os.close(2)
    sys.stderr = None
    with unheard(): print("worked")
    """
    assert run(program).stdout == "worked\n"
