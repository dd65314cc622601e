"""Tests of ``custview_pipeline.matching.scoring``: from levels and rarity to bits."""

import math
from dataclasses import replace

import numpy as np
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching import scoring
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.frequencies import OTHERS
from custview_pipeline.matching.model import HOUSEHOLD_SAME_GIVEN
from custview_pipeline.matching.patterns import pack
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline.matching.scoring import Scored, Scorer, in_chunks
from custview_pipeline_tests.factories import features, person
from custview_pipeline_tests.matching.people import compared_among, couples, population

COMPARED = COMPARISONS[EntityType.PERSON]
STEP = 64  # weights are multiples of 1/64 bit


def model(*names, **changes):
    comparisons = tuple(comparison for comparison in COMPARED if not names or comparison.name in names)
    return replace(packaged_model(EntityType.PERSON, comparisons), **changes)


def pair_of(left, right, *others):
    return compared_among(features(*(person(**facts) for facts in (left, right, *others))))


def weight(known, left, right, *others):
    """Return the bits of the first two records."""
    compared = pair_of(left, right, *others)
    pairs = couples(compared)
    return float(Scorer(compared, known).score(pairs.i[:1], pairs.j[:1], None, 1).weight[0])


@pytest.fixture(scope="module")
def everybody():
    compared = compared_among(features(*(person(**facts) for facts in population())))
    return compared, np.triu_indices(compared.records.count, 1)


def test_the_evidence_of_all_comparisons_and_the_start_adds_up(everybody):
    compared, (i, j) = everybody
    known = model(calibration=1.5)
    scorer = Scorer(compared, known)
    pairs = scoring.Pairs(compared, i, j)
    levels = scorer.levels(pairs)

    whole = scorer.evidence(pairs, levels, pack(levels))
    parts = [scorer.comparison_evidence(pairs, levels, place) for place in range(len(COMPARED))]

    for start, side in zip(known.starting_logs, ("match", "household", "unrelated"), strict=True):
        total = start + sum(getattr(part, side) for part in parts)
        assert np.allclose(total, getattr(whole, side), rtol=0, atol=1e-9), side


def test_without_rarity_the_weight_is_that_of_the_pattern(everybody):
    compared, (i, j) = everybody
    names = ("name_suffix", "gender", "middle_name")
    known = model(*names, calibration=0.25)
    found = Scorer(compared, known).score(i, j, None, 1)

    assert known.comparisons == tuple(comparison for comparison in COMPARED if comparison.name in names)
    assert np.allclose(found.weight, known.weights(found.pattern), rtol=0, atol=0.5 / STEP)


def test_agreement_weighs_by_how_rare_the_value_is():
    known, king = model("family_name"), {"family": "king"}
    others = [{"family": "king"}] * 50 + [{"family": f"x{n}"} for n in range(50)]
    common = weight(known, king, king, *others)
    rare = weight(known, {"family": "zed"}, {"family": "zed"}, *others)

    assert rare - common == pytest.approx(math.log2(52 / 2), abs=0.3)
    match, household, unrelated = known.starting_logs
    share = 2 / (len(others) + 2 + OTHERS)
    exact = (
        match
        + math.log(known.match[0][1])
        - np.logaddexp(household + math.log(known.household[0][1]), unrelated + math.log(share))
    )
    assert rare == pytest.approx(exact / math.log(2), abs=1 / STEP)


def test_of_several_values_the_commonest_of_either_record_counts():
    """Which of them agree is not asked: a switchboard beside a mobile must not make the switchboard rare."""
    known, mobile, switchboard = model("phone"), "2025550143", "2025550100"
    others = [{"phones": [switchboard]}] * 50
    alone, beside = (
        weight(known, {"phones": phones}, {"phones": [mobile]}, *others) for phones in ([mobile], [mobile, switchboard])
    )

    assert alone > beside


def test_given_names_that_run_in_a_family_are_no_surprise_in_a_household():
    known, ada = model("given_name"), {"given": "ada"}
    match, household, unrelated = known.starting_logs
    share = 2 / (2 + OTHERS)
    at_home = share * (1 - HOUSEHOLD_SAME_GIVEN) + HOUSEHOLD_SAME_GIVEN
    exact = match + math.log(known.match[0][1]) - np.logaddexp(household + math.log(at_home), unrelated + math.log(share))

    assert weight(known, ada, ada) == pytest.approx(exact / math.log(2), abs=1 / STEP)


def test_a_calibrated_model_adds_its_bits_to_every_weight(everybody):
    compared, (i, j) = everybody
    plain, calibrated = (Scorer(compared, model(calibration=bits)).score(i, j, None, 1).weight for bits in (0.0, 2.0))

    assert np.array_equal(calibrated, plain + 2.0)


def test_weights_are_multiples_of_a_step_and_the_same_in_both_orders(everybody):
    compared, (i, j) = everybody
    one, other = (Scorer(compared, model()).score(*sides, None, 1) for sides in ((i, j), (j, i)))

    assert np.array_equal(one.weight, other.weight)
    assert np.array_equal(one.pattern, other.pattern)
    assert np.array_equal(one.weight * STEP, np.round(one.weight * STEP))


def test_chunks_and_threads_change_nothing_and_only_what_is_wanted_is_kept(everybody, monkeypatch):
    compared, (i, j) = everybody
    whole = Scorer(compared, model()).score(i, j, None, 1)
    monkeypatch.setattr(scoring, "PAIRS_AT_ONCE", 997)
    found = Scorer(compared, model()).score(i, j, lambda _i, _j, _pattern, weight: weight > 0, 2)
    wanted = whole.where(whole.weight > 0)

    assert 0 < len(found.i) < len(i)
    for column in ("i", "j", "pattern", "weight"):
        assert np.array_equal(getattr(found, column), getattr(wanted, column)), column


@pytest.mark.parametrize(("count", "threads"), [(0, 2), (1, 2), (5, 1), (5, 3)])
def test_chunks_are_worked_on_in_order(count, threads, monkeypatch):
    monkeypatch.setattr(scoring, "PAIRS_AT_ONCE", 2)

    parts = in_chunks(lambda chunk: list(range(chunk.start, chunk.stop)), count, threads)
    assert [each for part in parts for each in part] == list(range(count))


def test_pairs_that_were_scored_twice_are_kept_once_in_the_order_of_rows():
    columns = ([4, 1, 4, 0], [5, 3, 5, 9], [7, 8, 7, 6], [1.0, 2.0, 1.0, 3.0])
    once = Scored(*(np.array(column) for column in columns)).once()

    assert list(zip(once.i, once.j, once.pattern, once.weight, strict=True)) == [(0, 9, 6, 3.0), (1, 3, 8, 2.0), (4, 5, 7, 1.0)]
    assert len(Scored.joined([]).once().i) == 0


def test_a_mailbox_of_an_office_is_no_rare_one_though_it_stands_second():
    office = ["info@office.example"]
    own = [f"own{number}@x.example" for number in range(30)]
    crowd = [person(given="g", email=mail, emails=[mail, *office]) for mail in own]
    compared = compared_among(features(*crowd))
    alone = compared_among(features(*crowd[:2]))
    known = model("email")

    def bits(of):
        pairs = couples(of)
        return float(Scorer(of, known).score(pairs.i[:1], pairs.j[:1], None, 1).weight[0])

    assert bits(compared) < bits(alone) - 3


def test_who_agrees_by_a_further_address_alone_is_weighed_as_the_average():
    further = {"further_house_numbers": ["1"], "further_streets": ["elm"], "further_cities": ["a"]}
    further |= {"further_units": [None], "further_postal_codes": ["10001"]}
    known = model("address")
    place = known.comparisons[0].outcomes.index("same") + 1
    average = math.log2(known.match[0][place] / known.household[0][place])

    weighed = weight(known, {"further_streets": further["further_streets"], **further}, further)

    assert weighed <= average + math.log2(known.shares[0] / known.shares[1]) + 0.1
