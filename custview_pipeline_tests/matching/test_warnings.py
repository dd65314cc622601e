"""Tests of ``custview_pipeline.matching.warnings``."""

import numpy as np
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.blocking import RuleYield
from custview_pipeline.matching.clusters import Components
from custview_pipeline.matching.records import LONGEST_LIST, Records
from custview_pipeline.matching.warnings import warnings_of
from custview_pipeline_tests.factories import features, person, tokens


def records(*rows):
    return Records.of(tokens(features(*rows)), EntityType.PERSON)


NAMED = [person(given="ada"), person(given="otto")]


def dropped(rule, size, pairs=7):
    return RuleYield(rule, 0, 0, 1, pairs, size)


def found(cut_count=0, sliced_count=0):
    return Components(np.zeros(3, np.int64), np.zeros(3, np.int64), np.array([300]), cut_count, sliced_count)


@pytest.mark.parametrize(
    ("rows", "yields", "components", "told"),
    [
        ([], [], None, []),
        ([person()], [], None, []),
        (NAMED, [dropped("phones", 999)], found(), []),
        ([person(), person()], [], None, ["none of 2 shares anything to compare by"]),
        (
            NAMED,
            [dropped("phones", 1_000, 499_500)],
            found(),
            ["1000 agree on phones, which is too common to pair by: 499500 pairs left out"],
        ),
        (NAMED, [dropped("family one edit apart + given_group", 5_000)], found(), []),
        (NAMED, [], found(cut_count=3), ["3 links left out, because they joined groups over the limit of max_component"]),
        (
            NAMED,
            [],
            found(sliced_count=900),
            ["900 stayed in groups over the limit and were cut into customers of at most 300"],
        ),
    ],
    ids=["no records", "one record", "small blocks", "all empty", "a large block", "neighbours", "cut", "sliced"],
)
def test_what_was_left_out_is_said(rows, yields, components, told):
    expected = tuple(f"person records: {each}" for each in told)

    assert warnings_of(records(*rows), tuple(yields), components) == expected


def test_the_largest_blocks_are_told_first_and_of_many_only_some():
    yields = tuple(dropped(f"rule {size}", 1_000 * size) for size in range(1, 9))
    told = warnings_of(records(*NAMED), yields, found())

    assert [sentence.split()[2] for sentence in told[:5]] == ["8000", "7000", "6000", "5000", "4000"]
    assert told[5:] == ("person records: the same holds of 3 further rules",)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"phones": [f"2025550{n:03}" for n in range(LONGEST_LIST + 1)]}, "phones"),
        ({"emails": [f"a{n}@x.example" for n in range(LONGEST_LIST + 1)]}, "e-mail addresses"),
        ({"identifiers": [f"pass:{n}" for n in range(LONGEST_LIST + 1)]}, "identifiers"),
        ({"name_words": [f"w{n}" for n in range(LONGEST_LIST + 1)]}, "words in their names"),
        ({"further_streets": [f"s{n}" for n in range(LONGEST_LIST + 1)]}, "addresses"),
    ],
)
def test_lists_that_were_cut_are_told_without_a_value(facts, word):
    sentence = f"person records: 1 have more than {LONGEST_LIST} {word}; the others of them are not compared"

    assert warnings_of(records(person(**facts), *NAMED), (), found()) == (sentence,)
    full = {name: values[:LONGEST_LIST] for name, values in facts.items()}
    assert warnings_of(records(person(**full), *NAMED), (), found()) == ()
