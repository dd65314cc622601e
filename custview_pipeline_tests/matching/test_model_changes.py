"""Tests of ``custview_pipeline.matching.model_changes``."""

from dataclasses import replace

import pytest

from custview_pipeline.matching.model_changes import bits_beside, change, level_bits
from custview_pipeline_tests.matching.counted_patterns import FAMILY, GIVEN, RELATIVE, SAME, answered, counted, learned

NO_ANSWERS = answered()


def with_match(model, place, level, factor):
    """Return a model in which one level of one comparison is so many times as likely among matches."""
    rows = [list(row) for row in model.match]
    rows[place][level] *= factor
    return replace(model, match=tuple(tuple(row) for row in rows))


def test_bits_are_how_often_a_level_is_doubled_against_strangers_and_households():
    model = learned()
    row = level_bits(model).row(0, named=True)

    assert (row["comparison"], row["level"]) == ("given_name", 1)
    assert 2 ** row["stranger_bits"] == pytest.approx(model.match[0][1] / model.unrelated[0][1])
    assert 2 ** row["household_bits"] == pytest.approx(model.match[0][1] / model.household[0][1])


def test_a_level_is_told_where_it_moved_by_more_than_half_a_bit():
    before = learned()
    slightly, much = with_match(before, 1, 2, 1.3), with_match(before, 1, 2, 0.5)

    assert change(before, slightly, NO_ANSWERS, 0.5).levels.is_empty()
    told = change(before, much, NO_ANSWERS, 0.5).levels.row(0, named=True)
    assert (told["comparison"], told["level"]) == ("family_name", 2)
    assert told["stranger_bits_after"] - told["stranger_bits"] == pytest.approx(-1.0)


def test_levels_that_only_one_model_has_stand_alone():
    with_family, without = learned(counted(), counted()), learned(counted(), counted(), comparisons=(GIVEN,))
    beside = bits_beside(without, with_family)

    alone = beside.filter(beside["stranger_bits"].is_null())
    assert set(alone["comparison"]) == {"family_name", "birth_date"}
    assert change(without, with_family, NO_ANSWERS, 0.5).levels.height >= alone.height


def test_answers_are_counted_that_either_model_agrees_with():
    before = learned()
    after = replace(before, calibration=-1000.0)  # nothing is a match any more
    told = change(before, after, answered((SAME, True, 3), (RELATIVE, False, 2)), 0.5)

    assert (told.answer_count, told.agreeing_before, told.agreeing_after) == (5, 5, 2)


def test_a_model_that_compares_less_is_asked_about_what_it_compares():
    before, after = learned(counted(), counted(), comparisons=(FAMILY,)), learned()
    told = change(before, after, answered((SAME, True, 3)), 0.5)

    assert (told.agreeing_before, told.agreeing_after) == (0, 3)
