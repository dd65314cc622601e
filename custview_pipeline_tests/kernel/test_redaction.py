"""Tests of ``custview_pipeline.kernel.redaction``."""

import re
import traceback

import polars as pl
import pytest

from custview_pipeline.kernel import errors
from custview_pipeline.kernel.errors import CustviewError, LakeDamaged, Redacted
from custview_pipeline.kernel.identifiers import check_character
from custview_pipeline.kernel.redaction import kind_and_place, shown_path, silenced
from custview_pipeline_tests.errors_of_libraries import DISCREET, LIBRARIES, error_of, fail

SECRET = "Wilhelmina Featherstone"


def fail_in_polars():
    pl.DataFrame({"name": [SECRET]}).cast(pl.Int64)


def fail_in_python():
    int(SECRET)


def fail_in_the_package():
    check_character(SECRET)


def panic():
    raise pl.exceptions.PanicException(SECRET)


def panic_elsewhere():
    raise type("PanicException", (BaseException,), {})(SECRET)


def redacted(fail):
    with pytest.raises(Redacted) as failed, silenced("reading the names"):
        fail()
    return failed.value


@pytest.mark.parametrize("fail", [fail_in_polars, fail_in_python, fail_in_the_package, panic, panic_elsewhere])
def test_an_error_of_a_library_is_replaced_by_one_that_quotes_nothing(fail):
    error = redacted(fail)

    assert str(error).startswith("reading the names failed: ")
    assert SECRET not in str(error)
    assert SECRET not in "".join(traceback.format_exception(error))
    assert error.__suppress_context__


def test_it_names_the_kind_of_error():
    assert "ValueError" in str(redacted(fail_in_python))


def test_it_names_the_place_in_the_package_that_failed():
    assert "at custview_pipeline/kernel/identifiers.py:" in str(redacted(fail_in_the_package))


def test_an_error_of_this_package_passes_as_it_is():
    mine = LakeDamaged("table crosswalk cannot be read")

    with pytest.raises(CustviewError) as failed, silenced("reading"):
        raise mine

    assert failed.value is mine


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whoever_ends_the_process_is_not_held_up(signal):
    with pytest.raises(signal), silenced("reading"):
        raise signal


def test_success_passes():
    with silenced("reading"):
        done = True

    assert done


@pytest.mark.parametrize("library", LIBRARIES)
def test_of_what_a_library_raises_about_a_value_the_value_stays_behind(library):
    plain = error_of(library, SECRET)
    error = redacted(lambda: fail(library, SECRET))

    assert library in DISCREET or any(word.lower() in str(plain).lower() for word in SECRET.split())
    assert type(plain).__name__ in str(error)
    for told in (str(error), kind_and_place(plain), "".join(traceback.format_exception(error))):
        assert not any(word.lower() in told.lower() for word in SECRET.split())


def raised(fail):
    with pytest.raises(BaseException) as failed:  # noqa: PT011 -- any will do
        fail()
    return failed.value


def test_of_an_error_kind_and_places_are_told():
    assert kind_and_place(raised(fail_in_python)).startswith("ValueError at ")
    told = kind_and_place(raised(fail_in_the_package))
    assert "at custview_pipeline/kernel/identifiers.py:" in told


def test_of_an_error_of_a_library_the_place_in_the_library_is_told():
    assert re.fullmatch(r"InvalidOperationError at polars/[\w/]+\.py:\d+( \(after .+\))?", kind_and_place(raised(fail_in_polars)))


def fail_twice():
    try:
        fail_in_python()
    except ValueError as error:
        raise KeyError(SECRET) from error


def fail_while_failing():
    try:
        fail_twice()
    except KeyError:
        raise LookupError(SECRET)  # noqa: B904 -- this is the case


def test_of_its_causes_the_kinds_are_told():
    assert kind_and_place(raised(fail_while_failing)).endswith(" (after KeyError, ValueError)")


def test_causes_in_a_circle_are_told_once():
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert kind_and_place(first) == "ValueError at an unknown place (after KeyError)"


def test_an_error_of_this_package_is_told_whole():
    assert kind_and_place(LakeDamaged("table crosswalk cannot be read")).startswith("LakeDamaged: table crosswalk cannot be read")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/wilhelmina/lib/python3.11/site-packages/polars/frame.py", "polars/frame.py"),
        ("/usr/lib/python3/dist-packages/yaml/reader.py", "yaml/reader.py"),
        ("/usr/lib/python3.11/json/decoder.py", "decoder.py"),
        ("<string>", "<string>"),
        (errors.__file__, "custview_pipeline/kernel/errors.py"),
    ],
    ids=["library", "library of the system", "Python", "no file", "this package"],
)
def test_a_path_is_shown_without_the_folders_of_the_machine(path, shown):
    assert shown_path(path) == shown
