"""Tests of ``custview_pipeline.protection.neighbourhoods``."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.match_index import NEIGHBOURHOODS
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.neighbourhoods import LONGEST, neighbourhood_keys, neighbourhoods
from custview_pipeline.protection.tokens import Tokeniser

TOKENISER = Tokeniser(bytes(range(32)), 1)
MEETING_PARTS = pl.struct("part", "part_right").is_in([{"part": a, "part_right": b} for a, b in [(0, 1), (1, 0), (2, 2)]])


def osa_distance(left, right):
    """Optimal string alignment: edits of single characters and swaps of neighbours, none of them edited twice."""
    rows = [[*range(len(right) + 1)]]
    for i, letter in enumerate(left, 1):
        row = [i]
        for j, other in enumerate(right, 1):
            row.append(min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (letter != other)))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


def joined(frame):
    """Return the neighbouring pairs of a frame of token, key and part, each as often as it is found."""
    pairs = frame.join(frame, on="key").filter(MEETING_PARTS & (pl.col("token") != pl.col("token_right")))
    return sorted(pairs.select("token", "token_right").rows())


def found_pairs(words):
    keys = neighbourhood_keys(Cmac(bytes(32)), pl.Series(words, dtype=pl.String))
    frame = pl.DataFrame({"token": keys.positions, "key": keys.keys, "part": keys.parts}, schema_overrides={"part": pl.Int64})
    return [(words[left], words[right]) for left, right in joined(frame)]


def true_pairs(words):
    return [(left, right) for left in words for right in words if osa_distance(left, right) == 1]


@given(st.lists(st.text("abé李", min_size=1, max_size=6), unique=True, max_size=30))
def test_exactly_the_pairs_one_edit_apart_meet_and_each_once(words):
    assert sorted(found_pairs(words)) == sorted(true_pairs(words))


@given(st.text("abcdefgh", min_size=2, max_size=LONGEST), st.data())
def test_long_words_meet_their_neighbours(word, data):
    place = data.draw(st.integers(0, len(word) - 2))
    neighbours = {
        word[:place] + word[place + 1 :],
        word[:place] + "z" + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + "z" + word[place:],
    } - {word}
    found = {right for left, right in found_pairs([word, *sorted(neighbours)]) if left == word}

    assert found == {each for each in neighbours if len(each) <= LONGEST}


@pytest.mark.parametrize(
    ("left", "right", "meet"),
    [
        ("maria", "mario", True),
        ("maria", "mariah", True),
        ("maria", "maira", True),
        ("maria", "ariam", False),
        ("dean", "edan", True),
        ("dean", "eadn", False),
        ("anna", "ana", True),
        ("josé", "jose", True),
        ("josé", "jos", True),
        ("a", "b", True),
    ],
)
def test_neighbours_are_one_edit_apart(left, right, meet):
    assert bool(found_pairs([left, right])) is meet


def features(**columns):
    count = len(next(iter(columns.values())))
    rows = [{"row": row} | {name: values[row] for name, values in columns.items()} for row in range(count)]
    return pl.DataFrame(rows, schema=FEATURE_TEXTS)


def meeting_tokens(frame):
    return set(joined(neighbourhoods(frame, TOKENISER, rule_version="1").with_columns(pl.col("part").cast(pl.Int64))))


def token(field, value):
    return TOKENISER.tokens(field, pl.Series([value]), rule_version="1")[0]


def test_keys_carry_the_ordinary_tokens_and_names_meet_over_their_features():
    frame = features(given=["maria", None], family=["kramer", "mario"])

    assert meeting_tokens(frame) == {
        (token("name", "maria"), token("name", "mario")),
        (token("name", "mario"), token("name", "maria")),
    }


def test_values_of_two_token_fields_do_not_meet():
    assert not meeting_tokens(features(given=["maria"], street=["mario"]))


def test_lists_are_looked_into_and_short_values_left_out():
    frame = features(phone_tails=[["5550123", "5550124"], []], given=["al", "ali"])

    assert len(meeting_tokens(frame)) == 2


def test_each_distinct_value_is_worked_on_once():
    once = neighbourhoods(features(given=["maria"]), TOKENISER, rule_version="1")
    often = neighbourhoods(features(given=["maria"] * 3, family=["maria"] * 3), TOKENISER, rule_version="1")

    assert once.equals(often)
    assert once.schema == NEIGHBOURHOODS
    assert once["part"].value_counts(sort=True).rows() == [(2, 9), (1, 5), (0, 1)]


def test_long_values_and_empty_frames_have_no_keys():
    assert neighbourhoods(features(given=["a" * (LONGEST + 1)]), TOKENISER, rule_version="1").is_empty()
    assert neighbourhoods(FEATURE_TEXTS.to_frame(), TOKENISER, rule_version="1").schema == NEIGHBOURHOODS
