"""Tests of ``custview_pipeline.matching.frequencies``."""

import numpy as np
import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching import frequencies
from custview_pipeline.matching.frequencies import OTHERS, Frequencies, dense_features
from custview_pipeline.matching.records import Records
from custview_pipeline_tests.factories import enterprise, features, person, tokens

STEPS = 1024  # weights of words are multiples of 1/1024
COUNTED = ("given", "family", "city", "house", "phones", "name_words")
ADA, OTTO = {"given": "ada", "phones": ["2025550100"]}, {"given": "otto", "phones": ["2025550199"]}


def counted(*rows, entity_type=EntityType.PERSON):
    records = Records.of(tokens(features(*rows)), entity_type)
    return records, Frequencies.of(records)


def shares(records, found, feature):
    """Return the share of the value of each record, by record id."""
    return np.exp(found.log_shares(records, feature))[records.by_rank].tolist()


def test_a_value_is_as_common_as_its_share_of_the_records_and_some_others():
    records, found = counted(*[person(**ADA)] * 3, person(**OTTO), person())

    common, rare = 3 / (5 + OTHERS), 2 / (5 + OTHERS)
    for feature in ("given", "phones"):
        assert shares(records, found, feature) == pytest.approx([common] * 3 + [rare, 0]), feature


def test_of_several_values_the_commonest_counts():
    records, found = counted(
        *[person(**ADA)] * 3, person(phones=["2025550100", "2025550199"]), person(phones=["2025550188"]), person()
    )

    assert shares(records, found, "phones") == pytest.approx([4 / (6 + OTHERS)] * 4 + [2 / (6 + OTHERS), 0])


def test_a_value_that_was_never_counted_is_as_rare_as_can_be():
    _, found = counted(*[person(**ADA)] * 3)
    newcomers, _ = counted(person(**OTTO), person(**ADA))

    assert shares(newcomers, found, "given") == pytest.approx([2 / (3 + OTHERS), 3 / (3 + OTHERS)])


def test_common_words_weigh_less_than_rare_ones():
    rows = [enterprise(words=["northwind", word]) for word in ("traders", "energy", "foods", "dairy", "foods", "foods")]
    records, found = counted(*rows, entity_type=EntityType.ENTERPRISE)
    words = records.lists["name_words"]
    weights = found.word_weights(words)

    held = {token: weights.of_word[words.values == token][0] for token in np.unique(words.values)}
    assert sorted(held.values()) == pytest.approx([np.log((6 + OTHERS) / held) for held in (6, 3, 2, 2, 2)], abs=1 / STEPS)
    sums = np.bincount(words.owners, weights=weights.of_word)
    assert weights.of_record.tolist() == sums.tolist()
    assert all((weight * STEPS).is_integer() for weight in weights.of_word), "sums must not depend on their order"


@pytest.fixture
def frozen():
    _, found = counted(*[person(**ADA, family="king", city="springfield")] * 3, person(**OTTO))
    return found.with_oversize(
        {"phones": np.array([-5, 7]), "given_group + family": np.array([2**62]), "emails": np.array([], np.int64)}
    )


def test_what_a_model_froze_comes_back_as_it_was(frozen):
    frame = frozen.to_frame()
    for rows in (frame, frame.reverse(), frame.sample(fraction=1, shuffle=True, seed=3)):
        again = Frequencies.from_frame(rows)

        assert (again.record_count, again.dense) == (frozen.record_count, frozen.dense)
        for feature, (known, share) in frozen.shares.items():
            found, shares_of = again.shares.get(feature, (np.empty(0), np.empty(0)))
            assert (found.tolist(), shares_of.tolist()) == (known.tolist(), share.tolist()), feature
        assert {rule: keys.tolist() for rule, keys in again.oversize.items()} == {
            "phones": [-5, 7],
            "given_group + family": [2**62],
        }


def test_what_came_back_says_the_same(frozen):
    records, _ = counted(*[person(**ADA)] * 2, person(**OTTO), person(given="rosa", city="springfield"))
    again = Frequencies.from_frame(frozen.to_frame())

    for feature in COUNTED:
        assert again.log_shares(records, feature).tolist() == frozen.log_shares(records, feature).tolist(), feature


def test_the_order_of_records_does_not_matter():
    rows = [person(**facts) for facts in (ADA, ADA, OTTO, ADA, OTTO, OTTO)]
    texts = features(*rows)
    one, other = (
        Frequencies.of(Records.of(index, EntityType.PERSON)).to_frame()
        for index in (tokens(texts), tokens(texts).sample(fraction=1, shuffle=True, seed=2))
    )

    assert one.equals(other)


def test_phones_that_lie_densely_have_no_neighbours(monkeypatch):
    records, loose = counted(person(phones=["2025550100", "2025550199"]), person(phones=["2025550188"]))
    monkeypatch.setattr(frequencies, "_DENSE_TAILS", 2)

    assert loose.dense == frozenset()
    assert dense_features(records) == {"phone_tails"}
    dense = Frequencies.of(records)
    assert dense.dense == {"phone_tails"}
    assert Frequencies.from_frame(dense.to_frame()).dense == {"phone_tails"}, "a frozen model does not ask again"
    assert Frequencies.from_frame(loose.to_frame()).dense == frozenset(), "nor does it later find them dense"


def test_no_records_are_counted_too():
    records, found = counted()

    assert found.record_count == 0
    assert isinstance(Frequencies.from_frame(found.to_frame()), Frequencies)
    assert found.log_shares(records, "given").tolist() == []
    assert found.to_frame().schema == pl.Schema({"feature": pl.String, "token": pl.Int64, "share": pl.Float64})
