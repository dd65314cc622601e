"""Tests of ``custview_pipeline.survivorship.judgement``."""

import polars as pl
import pytest

from custview_pipeline.survivorship.judgement import digest_candidates
from custview_pipeline_tests.factories import cuid
from custview_pipeline_tests.survivorship.rules import ranked, rule

EVER = 609_240_756_292_513_124  # of ``TWO``
TWO = ({"trust_score": 0.8}, {"trust_score": 0.4})


def digest(*rows, **rules):
    found = digest_candidates(ranked(*rows, **rules))
    return dict(found.cast({"cuid": pl.String}).rows())


@pytest.mark.parametrize(
    "cells",
    [
        {"record_id": 9},
        {"record_version": 2},
        {"slot": 1},
        {"trust_score": 0.3},
        {"trust_score": 0.9},
        {"steady_trust": -7.0},
        {"attribute": "phone"},
        {"open_value": "GB"},
        {"source_count": 2},
        {"is_valid": False},
        {"token": 1},
    ],
    ids=lambda cells: "-".join(map(str, *cells.items())),
)
def test_whatever_tells_two_judgements_apart_gives_another_digest(cells):
    changed = (TWO[0], {**TWO[1], **cells})

    assert digest(*TWO) != digest(*changed)


def test_the_same_candidates_in_another_order_give_the_same_digest():
    named = [{**row, "record_id": number} for number, row in enumerate(TWO, 1)]

    assert digest(*named) == digest(*reversed(named))


def test_customers_have_digests_of_their_own():
    alone, both = digest(TWO[0]), digest(TWO[0], {**TWO[0], "cuid": cuid(2), "record_id": 9})

    assert both[cuid(1)] == alone[cuid(1)] != both[cuid(2)]


def test_a_digest_is_the_same_for_ever():
    assert digest(*TWO) == {cuid(1): EVER}, "it is stored: where it differs, every customer would get a new version"


def test_trust_that_has_decayed_since_gives_no_other_digest():
    steady = [{**row, "steady_trust": place} for place, row in enumerate(TWO)]
    later = [{**row, "trust_score": row["trust_score"] / 2} for row in steady]

    assert digest(*steady) == digest(*later)


def test_values_that_are_kept_beside_the_winner_are_part_of_it():
    assert digest(*TWO) != digest(*TWO, email=rule(keeps_all=True))


def test_without_candidates_there_is_none():
    assert digest() == {}
