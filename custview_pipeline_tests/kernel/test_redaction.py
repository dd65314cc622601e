"""Tests of ``custview_pipeline.kernel.redaction``."""

import traceback

import polars as pl
import pytest

from custview_pipeline.kernel.errors import CustviewError, LakeDamaged, Redacted
from custview_pipeline.kernel.identifiers import check_character
from custview_pipeline.kernel.redaction import silenced

SECRET = "Wilhelmina Featherstone"


def fail_in_polars():
    pl.DataFrame({"name": [SECRET]}).cast(pl.Int64)


def fail_in_python():
    int(SECRET)


def fail_in_the_package():
    check_character(SECRET)


def panic():
    raise pl.exceptions.PanicException(SECRET)


def redacted(fail):
    with pytest.raises(Redacted) as failed, silenced("reading the names"):
        fail()
    return failed.value


@pytest.mark.parametrize("fail", [fail_in_polars, fail_in_python, fail_in_the_package, panic])
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
