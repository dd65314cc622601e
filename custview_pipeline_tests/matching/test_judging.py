"""Tests of ``custview_pipeline.matching.judging``: who decides about a pair."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_rules import MODEL, PROMISE, STEWARD
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.judging import Judge, Told, decided_rows
from custview_pipeline.matching.patterns import pack
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.verdicts import PatternRule, PatternRules
from custview_pipeline_tests.factories import features, person, tokens
from custview_pipeline_tests.matching.people import rows_of

PERSON = COMPARISONS[EntityType.PERSON]
NAMES = [comparison.name for comparison in PERSON]
DECIDED = {"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean}
EXCLUSIVE = {"record_id": pl.Int64, "source_system": pl.String}
LOCKED = {"record_id": pl.Int64, "lock": pl.Int64}
MUST = PatternRule("same mailbox", None, {"email": frozenset({"same"})})
MUST_TOO = PatternRule("same number", None, {"identifier": frozenset({"same"})})
CANNOT = PatternRule("Jr is not Sr", None, {"name_suffix": frozenset({"differs"})})
RULES = PatternRules((MUST, MUST_TOO), (CANNOT,), PERSON)
RECORDS = Records.of(tokens(features(*(person(given=name) for name in ("ada", "otto", "rosa", "karl")))), EntityType.PERSON)


def pattern(*outcomes):
    """Return the pattern of (comparison, outcome); all others are silent."""
    levels = {name: PERSON[NAMES.index(name)].outcomes.index(outcome) + 1 for name, outcome in outcomes}
    return int(pack([np.array([levels.get(name, 0)], np.uint8) for name in NAMES])[0])


def judged(*outcomes, decided=(), exclusive=(), locked=(), pair=(1, 2)):
    """Return who decides about a pair of records, and whether it must or cannot match."""
    judge = Judge(
        RECORDS,
        RULES,
        Told(
            pl.DataFrame(list(decided), schema=DECIDED, orient="row"),
            pl.DataFrame(list(exclusive), schema=EXCLUSIVE, orient="row"),
            pl.DataFrame(list(locked), schema=LOCKED, orient="row"),
        ),
    )
    i, j = (rows_of(RECORDS, np.array([record])) for record in pair)
    found = [judge.judge(*rows, np.array([pattern(*outcomes)])) for rows in ((i, j), (j, i))]
    told = [(judge.names[each.rule[0]], bool(each.is_must[0]), bool(each.is_cannot[0])) for each in found]
    assert told[0] == told[1], "which record comes first means nothing"
    return told[0]


MAIL, NUMBER, SUFFIX = ("email", "same"), ("identifier", "same"), ("name_suffix", "differs")
ONE_SOURCE, TWO_SOURCES = [(1, "crm"), (2, "crm")], [(1, "crm"), (2, "web")]
MUST_BE, CANNOT_BE, OPEN = (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("outcomes", "decided", "exclusive", "expected"),
    [
        ([], [], [], (MODEL, *OPEN)),
        ([MAIL], [], [], ("same mailbox", *MUST_BE)),
        ([NUMBER], [], [], ("same number", *MUST_BE)),
        ([NUMBER, MAIL], [], [], ("same mailbox", *MUST_BE)),
        ([SUFFIX], [], [], ("Jr is not Sr", *CANNOT_BE)),
        ([MAIL, SUFFIX], [], [], ("Jr is not Sr", *CANNOT_BE)),
        ([], [], ONE_SOURCE, (PROMISE, *CANNOT_BE)),
        ([], [], TWO_SOURCES, (MODEL, *OPEN)),
        ([], [], [(1, "crm")], (MODEL, *OPEN)),
        ([], [], [(3, "crm"), (4, "crm")], (MODEL, *OPEN)),
        ([MAIL], [], ONE_SOURCE, (PROMISE, *CANNOT_BE)),
        ([SUFFIX], [], ONE_SOURCE, (PROMISE, *CANNOT_BE)),
        ([], [(1, 2, True)], [], (STEWARD, *MUST_BE)),
        ([], [(2, 1, False)], [], (STEWARD, *CANNOT_BE)),
        ([SUFFIX], [(1, 2, True)], [], (STEWARD, *MUST_BE)),
        ([MAIL], [(1, 2, False)], [], (STEWARD, *CANNOT_BE)),
        ([], [(1, 2, True)], ONE_SOURCE, (STEWARD, *MUST_BE)),
        ([MAIL], [(1, 3, False), (2, 4, False)], [], ("same mailbox", *MUST_BE)),
    ],
    ids=[
        "nobody says anything", "a rule", "another rule", "the first of two rules", "a rule that it cannot be",
        "cannot before must", "one source", "two sources", "a source and others", "another pair of one source",
        "promise before must", "promise before cannot", "match", "no match", "match before cannot", "no match before must",
        "match before promise", "decisions about others",
    ],
)  # fmt: skip
def test_the_highest_authority_decides(outcomes, decided, exclusive, expected):
    assert judged(*outcomes, decided=decided, exclusive=exclusive) == expected


@pytest.mark.parametrize(
    ("outcomes", "decided", "locked", "expected"),
    [
        ([], [], [(1, 7), (2, 7)], (MODEL, *OPEN)),
        ([], [], [(3, 7), (4, 7)], (MODEL, *OPEN)),
        ([], [], [(1, 7)], (STEWARD, *CANNOT_BE)),
        ([], [], [(1, 7), (2, 8)], (STEWARD, *CANNOT_BE)),
        ([MAIL], [], [(2, 7)], (STEWARD, *CANNOT_BE)),
        ([SUFFIX], [], [(2, 7)], (STEWARD, *CANNOT_BE)),
        ([SUFFIX], [(1, 2, True)], [(1, 7), (2, 7)], (STEWARD, *MUST_BE)),
        ([], [(1, 2, True)], [(1, 7)], (STEWARD, *MUST_BE)),
    ],
    ids=[
        "one lock", "a lock of others", "one of a lock", "two locks", "lock before must", "lock before cannot",
        "what a lock holds together", "what a steward let in",
    ],
)  # fmt: skip
def test_a_lock_keeps_others_out(outcomes, decided, locked, expected):
    assert judged(*outcomes, decided=decided, locked=locked) == expected


ANSWERS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.booleans()), max_size=12)


@settings(max_examples=50)
@given(ANSWERS, st.randoms(use_true_random=False))
def test_decided_pairs_are_found_once_and_in_one_direction(answers, random):
    """Two answers about one pair that differ leave it apart, whichever was given first; flows hand over one of each pair."""
    known = {frozenset(pair[:2]) for pair in answers if pair[0] != pair[1] and max(pair[:2]) <= RECORDS.count}
    shuffled = [answer[:2][:: random.choice((1, -1))] + answer[2:] for answer in random.sample(answers, len(answers))]
    for given_answers in (answers, shuffled):
        i, j, is_match = decided_rows(RECORDS, pl.DataFrame(given_answers, schema=DECIDED, orient="row"))

        found = [frozenset((int(RECORDS.record_ids[a]), int(RECORDS.record_ids[b]))) for a, b in zip(i, j, strict=True)]
        assert (i < j).all()
        assert sorted(map(sorted, found)) == sorted(map(sorted, known))
        said = {pair: {answer[2] for answer in answers if set(answer[:2]) == pair} for pair in known}
        assert dict(zip(found, is_match.tolist(), strict=True)) == {pair: words == {True} for pair, words in said.items()}


def test_without_decisions_there_are_none():
    assert [len(column) for column in decided_rows(RECORDS, None)] == [0, 0, 0]
