"""Tests of ``custview_pipeline.matching.priors`` and the packaged numbers."""

import json
from importlib.resources import files

import numpy as np
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model, priors_of, shares_of

EVERY = [(entity_type, comparison) for entity_type in EntityType for comparison in COMPARISONS[entity_type]]


def packaged(entity_type):
    return json.loads(files("custview_pipeline.matching").joinpath("priors", f"{entity_type}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entity_type", EntityType)
def test_just_the_comparisons_that_there_are_are_packaged(entity_type):
    assert list(packaged(entity_type)["comparisons"]) == [comparison.name for comparison in COMPARISONS[entity_type]]
    assert "benchmarks/make_priors.py" in packaged(entity_type)["comment"]


@pytest.mark.parametrize(("entity_type", "comparison"), EVERY, ids=[f"{kind} {each.name}" for kind, each in EVERY])
def test_every_outcome_has_a_share_in_every_class(entity_type, comparison):
    stated = packaged(entity_type)["comparisons"][comparison.name]
    assert set(stated) == {"match", "household", "unrelated"}
    for shares in filter(None, stated.values()):
        assert tuple(shares) == comparison.outcomes
        assert sum(shares.values()) == pytest.approx(1.0, abs=0.01)
        assert min(shares.values()) > 0


@pytest.mark.parametrize(("entity_type", "comparison"), EVERY, ids=[f"{kind} {each.name}" for kind, each in EVERY])
def test_full_agreement_speaks_for_one_customer_and_disagreement_against(entity_type, comparison):
    model = packaged_model(entity_type, (comparison,))
    first, last = model.match[0][1] / model.unrelated[0][1], model.match[0][-1] / model.unrelated[0][-1]

    assert first > 1 > last


@pytest.mark.parametrize("entity_type", EntityType)
def test_a_packaged_model_can_be_of_any_comparisons(entity_type):
    for left_out in range(len(COMPARISONS[entity_type])):
        chosen = tuple(each for place, each in enumerate(COMPARISONS[entity_type]) if place != left_out)
        model = packaged_model(entity_type, chosen)
        assert model.comparisons == chosen
        assert model.record_count == 0
        for rows in (model.match, model.household, model.unrelated):
            assert [sum(row) for row in rows] == pytest.approx([1.0] * len(chosen))


def test_in_a_longer_list_fewer_of_the_pairs_are_one_customer():
    shares = [packaged_model(EntityType.PERSON, COMPARISONS[EntityType.PERSON], count).shares[0] for count in (2, 100, 10_000)]

    assert shares == sorted(shares, reverse=True)


def test_shares_add_up_to_one_in_a_list_of_one_record():
    assert sum(shares_of(0.1, 0.1, 1)) == pytest.approx(1.0)


def test_the_names_of_a_household_agree_as_those_of_strangers():
    priors = priors_of(EntityType.PERSON, COMPARISONS[EntityType.PERSON])
    silent = {each.name for each, row in zip(COMPARISONS[EntityType.PERSON], priors.household, strict=True) if row is None}

    assert silent == {"given_name", "middle_name", "native_name"}


def test_two_that_share_a_home_and_a_name_are_no_customer_and_a_birth_date_more_makes_one():
    comparisons = COMPARISONS[EntityType.PERSON]
    places = {comparison.name: place for place, comparison in enumerate(comparisons)}

    def weight(**levels: int) -> float:
        pattern = sum(level << (4 * places[name]) for name, level in levels.items())
        return float(packaged_model(EntityType.PERSON, comparisons).weights(np.array([pattern]))[0])

    relatives = weight(given_name=8, family_name=1, address=1, phone=1, birth_date=6)
    same = weight(given_name=1, family_name=1, birth_date=1)
    assert relatives < -3 < 3 < same
