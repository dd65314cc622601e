"""Tests of ``custview_pipeline.survivorship.claims``."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.survivorship.claims import ATTRIBUTES, CLAIM_COLUMNS, own_claims, weigh_claims
from custview_pipeline_tests.factories import NOW, cuid, customers, index_claims, protected_records
from custview_pipeline_tests.survivorship.rules import TODAY

OWNERS = (
    protected_records(*({"record_id": n, "source_system": "web" if n == 3 else "crm"} for n in (1, 2, 3, 4)))
    .select("record_id", "version", "source_system", "updated_at")
    .with_columns(cuid=pl.Series([cuid(1)] * 3 + [cuid(2)], dtype=customers(1, 2)))
)
CLOCK = pl.Datetime("us", "UTC")
TRUST = pl.DataFrame(
    {"source_system": ["crm", "web"], "attribute": ["email", "email"], "trust": [0.8, 0.4], "half_life_days": [None, None]},
    schema_overrides={"half_life_days": pl.Float64},
)


def owned(*rows, owners=OWNERS):
    return own_claims(index_claims(*rows).with_columns(pl.col("attribute").cast(ATTRIBUTES)), owners)


def gathered(*rows, owners=OWNERS, trust=TRUST):
    current = owned(*rows, owners=owners).filter("is_current").drop("is_current")
    return weigh_claims(current, trust, today=NOW.date()).sort("record_id", "slot")


def test_a_claim_knows_its_customer_its_source_and_when_it_was_made():
    owners = OWNERS.with_columns(version=pl.lit(4, pl.Int32))
    found = gathered({"record_id": 3, "version": 4, "slot": 1}, owners=owners)

    assert found.columns == list(CLAIM_COLUMNS)
    assert found.select("cuid", "source_system", "updated_at", "record_version", "slot").row(0) == (cuid(1), "web", NOW, 4, 1)


@pytest.mark.parametrize(
    ("claim", "trust_score"),
    [
        ({"record_id": 1}, 0.8),
        ({"record_id": 3}, 0.4),
        ({"record_id": 1, "is_valid": False}, 0.4),
        ({"record_id": 1, "attribute": "phone"}, 0.0),
    ],
    ids=["of its source", "of another source", "half as much where it is invalid", "none where nothing is stated"],
)
def test_a_claim_is_trusted_as_its_source_is(claim, trust_score):
    assert gathered(claim)["trust_score"].to_list() == [trust_score]


def test_equal_values_are_votes_counted_by_record_and_by_source():
    found = gathered(
        {"record_id": 1, "token": 7},
        {"record_id": 1, "token": 7, "slot": 1},
        {"record_id": 2, "token": 7},
        {"record_id": 3, "token": 7},
        {"record_id": 4, "token": 7},
    )

    assert found.select("record_id", "vote_count", "source_count").rows() == [(1, 3, 2)] * 2 + [(2, 3, 2), (3, 3, 2), (4, 1, 1)]


def test_a_value_that_cannot_be_compared_stands_alone():
    found = gathered({"record_id": 1, "token": None}, {"record_id": 2, "token": None})

    assert found["vote_count"].to_list() == found["source_count"].to_list() == [1, 1]


def test_claims_of_records_without_a_customer_are_left_out():
    assert gathered({"record_id": 99}).is_empty()


def test_without_claims_the_columns_are_there():
    assert gathered().columns == list(CLAIM_COLUMNS)


def test_claims_of_former_versions_are_told_from_those_of_now():
    found = owned({"record_id": 1, "version": 1}, {"record_id": 1, "version": 2}, {"record_id": 99})

    assert found.select("version", "is_current").rows() == [(1, True), (2, False)]


def test_a_value_that_a_record_says_twice_is_one_vote():
    said = {"record_id": 1, "token": 7}

    assert gathered(said, {**said, "slot": 1}, {**said, "slot": 2})["vote_count"].to_list() == [1, 1, 1]


def test_values_of_two_attributes_or_customers_do_not_vote_for_each_other():
    found = gathered(
        {"record_id": 1, "token": 7}, {"record_id": 2, "token": 7, "attribute": "phone"}, {"record_id": 4, "token": 7}
    )

    assert found["vote_count"].to_list() == [1, 1, 1]


def trusted(*, half_life=None, day=TODAY, **cells):
    """Return trust_score and steady_trust of a claim of a source that is trusted 0.8."""
    owners = OWNERS.with_columns(updated_at=pl.lit(cells.pop("updated_at", NOW), CLOCK))
    trust = TRUST.with_columns(half_life_days=pl.lit(half_life, pl.Float64))
    current = owned({"record_id": 1, **cells}, owners=owners).drop("is_current")
    return weigh_claims(current, trust, today=day).select("trust_score", "steady_trust").row(0)


@pytest.mark.parametrize(
    ("half_life", "days", "trust_score"),
    [(None, 9_000, 0.8), (100, 0, 0.8), (100, 100, 0.4), (100, 200, 0.2), (100, 50, 0.565685425), (100, -1, 0.8), (1, 100, 0.0)],
    ids=["without a half-life", "on its day", "one half-life", "two", "half of one", "of tomorrow", "of long ago"],
)
def test_trust_halves_with_each_half_life(half_life, days, trust_score):
    assert trusted(half_life=half_life, updated_at=NOW - timedelta(days))[0] == pytest.approx(trust_score)


def test_age_is_counted_in_whole_days():
    just_before_midnight, just_after = datetime(2026, 2, 27, 23, 59, tzinfo=UTC), datetime(2026, 2, 27, 0, 1, tzinfo=UTC)

    assert trusted(half_life=10, updated_at=just_before_midnight) == trusted(half_life=10, updated_at=just_after)


def test_a_claim_without_a_time_is_one_half_life_old():
    assert trusted(half_life=10, updated_at=None)[0] == 0.4


def test_an_invalid_claim_is_halved_besides():
    assert trusted(half_life=100, updated_at=NOW - timedelta(100), is_valid=False)[0] == 0.2


@pytest.mark.parametrize("updated_at", [NOW, NOW - timedelta(3000), None])
@pytest.mark.parametrize("half_life", [None, 1, 365])
def test_steady_trust_does_not_follow_the_days(half_life, updated_at):
    said = [trusted(half_life=half_life, updated_at=updated_at, day=day)[1] for day in (NOW.date(), date(2031, 1, 1))]

    assert said[0] == said[1]


def test_steady_trust_differs_where_the_claim_does():
    said = [
        trusted(half_life=365)[1], trusted(half_life=366)[1], trusted(half_life=365, updated_at=NOW - timedelta(1))[1],
        trusted(half_life=365, is_valid=False)[1], trusted()[1],
    ]  # fmt: skip

    assert len(set(said)) == len(said)


OLDEST = 36_500  # days; the longest half-life that can be written
sources = st.tuples(st.sampled_from([0.05, 0.4, 0.8]), st.integers(0, OLDEST), st.booleans())


def ordered(said, half_life, days):
    """Return how two claims (trust, day they were made, whether valid) are ordered after some days, by trust: -1, 0 or 1."""
    owners = OWNERS[[0, 2]].with_columns(updated_at=pl.Series([NOW + timedelta(day) for _, day, _ in said], dtype=CLOCK))
    trust = TRUST.with_columns(trust=pl.Series([trust for trust, _, _ in said]), half_life_days=pl.lit(half_life, pl.Float64))
    rows = ({"record_id": number, "is_valid": is_valid} for number, (_, _, is_valid) in zip((1, 3), said, strict=True))
    current = owned(*rows, owners=owners).drop("is_current")
    found = weigh_claims(current, trust, today=TODAY + timedelta(days)).sort("record_id")["trust_order"]
    return int(found[0] > found[1]) - int(found[0] < found[1])


@given(sources, sources, st.integers(1, OLDEST), st.integers(0, OLDEST))
def test_the_days_change_no_order_by_trust_however_many_pass(first, second, half_life, days):
    on_the_last_day, later = (ordered((first, second), half_life, OLDEST + after) for after in (0, days))

    assert on_the_last_day == later


@pytest.mark.parametrize("half_life", [1, 30, 365, OLDEST])
@pytest.mark.parametrize("days", [0, 1, 900, OLDEST])
def test_of_claims_made_on_one_day_the_more_trusted_goes_first_for_ever(half_life, days):
    assert ordered(((0.8, 0, True), (0.4, 0, True)), half_life, days) == 1
    assert ordered(((0.4, 0, True), (0.4, 0, True)), half_life, days) == 0
    assert ordered(((0.0, 0, True), (0.4, 0, True)), half_life, days) == -1
    assert ordered(((0.8, 0, False), (0.4, 0, True)), half_life, days) == 0


def test_a_claim_that_nothing_is_stated_about_is_trusted_less_than_the_oldest():
    rows = ({"record_id": 1}, {"record_id": 4})
    owners = OWNERS.with_columns(
        source_system=pl.Series(["crm", "crm", "crm", "unknown"]),
        updated_at=pl.Series([NOW - timedelta(OLDEST)] * 3 + [NOW], dtype=CLOCK),
    )
    found = gathered(*rows, owners=owners, trust=TRUST.with_columns(half_life_days=pl.lit(1.0)))

    assert found["trust_score"].to_list() == [0.0, 0.0]
    assert found["trust_order"][0] > found["trust_order"][1]


def test_a_claim_without_a_time_is_ordered_as_one_half_life_old():
    ages = [NOW - timedelta(9), NOW - timedelta(10), NOW - timedelta(11), None]
    owners = OWNERS.with_columns(source_system=pl.lit("crm"), updated_at=pl.Series(ages, dtype=CLOCK))
    rows = ({"record_id": number} for number in (1, 2, 3, 4))
    trusts = gathered(*rows, owners=owners, trust=TRUST.with_columns(half_life_days=pl.lit(10.0)))["trust_order"].to_list()

    assert trusts[0] > trusts[1] == trusts[3] > trusts[2]


@pytest.mark.parametrize("half_life", [None, 10])
def test_the_order_by_trust_is_that_of_the_trust_that_is_shown(half_life):
    rows = ({"record_id": number, "is_valid": number != 2} for number in (1, 2, 3))
    found = gathered(*rows, trust=TRUST.with_columns(half_life_days=pl.lit(half_life, pl.Float64)))

    assert found["trust_order"].rank("dense").to_list() == found["trust_score"].rank("dense").to_list()


votes = st.fixed_dictionaries(
    {
        "record_id": st.integers(1, 4),
        "slot": st.integers(0, 3),
        "token": st.none() | st.integers(1, 2),
        "attribute": st.sampled_from(["email", "phone"]),
    }
)


@given(st.lists(votes, max_size=12))
def test_votes_are_those_that_counting_one_by_one_gives(rows):
    found = gathered(*rows)
    groups = {}
    for row in found.select("cuid", "attribute", "token", "record_id", "source_system").iter_rows():
        groups.setdefault(row[:3], set()).add(row[3:])
    for row in found.select("cuid", "attribute", "token", "vote_count", "source_count").iter_rows():
        voters = groups[row[:3]] if row[2] is not None else {(0, "alone")}
        assert row[3:] == (len({record for record, _ in voters}), len({source for _, source in voters}))
