"""Tests of ``custview_pipeline.survivorship.elections``."""

from datetime import timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.rulebook import parse_rulebook
from custview_pipeline.survivorship.claims import ATTRIBUTES, own_claims
from custview_pipeline.survivorship.elections import Terms, hold_elections
from custview_pipeline_tests.factories import NOW, cuid, customers, index_claims, protected_records
from custview_pipeline_tests.survivorship.rules import TODAY, pins

TRUST = pl.DataFrame(
    [(source, attribute, trust) for source, trust in (("crm", 0.9), ("web", 0.4)) for attribute in ("email", "phone")],
    schema=["source_system", "attribute", "trust"],
    orient="row",
)
PEOPLE = pl.DataFrame({"cuid": [cuid(1), cuid(2)], "entity_type": ["person", "enterprise"]})


def held(*said, written="{}", decided=(), today=TODAY):
    """Return the outcome of elections among claims of two records of a person (1 and 2) and two of an enterprise (3 and 4)."""
    records = protected_records(
        *(
            {"record_id": number, "source_system": source, "updated_at": NOW - timedelta(age)}
            for number, source, age in ((1, "crm", 10), (2, "web", 0), (3, "crm", 10), (4, "web", 0))
        )
    )
    owners = records.select("record_id", "version", "source_system", "updated_at").with_columns(
        cuid=pl.Series([cuid(1), cuid(1), cuid(2), cuid(2)], dtype=customers(1, 2)),
        source_system=pl.col("source_system").cast(pl.Enum(["crm", "web"])),
    )
    claims = index_claims(*said).with_columns(pl.col("attribute").cast(ATTRIBUTES))
    rules = parse_rulebook(f"survivorship: {written}", file="rulebook.yaml").survivorship
    return hold_elections(own_claims(claims, owners).drop("is_current"), PEOPLE, Terms(rules, TRUST, pins(*decided), today))


def winners(*said, **how):
    found = held(*said, **how).filter(pl.col("rank") == 1)
    return dict(found.select(pl.col("cuid").cast(pl.String), "record_id").rows())


FOUR = [{"record_id": number, "token": number} for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("written", "won"),
    [
        ("{}", (1, 3)),
        ("{default: [most_recent]}", (2, 4)),
        ("{attributes: {email: [most_recent]}}", (2, 4)),
        ("{person: {default: [most_recent]}}", (2, 3)),
        ("{enterprise: {attributes: {email: [most_recent]}}}", (1, 4)),
        ("{person: {default: [most_recent]}, attributes: {email: [most_trusted]}}", (1, 3)),
        ("{person: {attributes: {email: [most_recent]}}, attributes: {email: [most_trusted]}}", (2, 3)),
        ("{person: {default: {half_life_days: 1}}}", (2, 3)),
        ("{attributes: {email: {half_life_days: 1}}}", (2, 4)),
    ],
)
def test_rules_hold_by_entity_type_and_attribute(written, won):
    assert tuple(winners(*FOUR, written=written).values()) == won


def test_decisions_hold_whatever_the_rules_of_the_type():
    written = "{person: {default: [most_recent]}}"

    assert winners(*FOUR, written=written, decided=[{"record_id": 1}, {"record_id": 4}]) == {cuid(1): 1, cuid(2): 4}


def test_the_outcome_is_in_order_also_where_types_have_rules_of_their_own():
    said = [*FOUR, *({**each, "attribute": "phone"} for each in FOUR)]
    found = held(*reversed(said), written="{person: {default: [most_recent], attributes: {phone: [longest]}}}")

    assert found.equals(found.sort("election", "rank"))
    assert found.height == len(said)


def test_a_further_record_of_a_customer_is_judged_by_the_same_rules_as_the_first():
    """A rule that is skipped on the second match: who comes later meets all candidates, not the winner they left."""
    alone, later = FOUR[0], {**FOUR[1], "is_valid": True}
    invalid = {**FOUR[0], "is_valid": False}

    assert [winners(*said)[cuid(1)] for said in ([alone], [alone, later], [invalid], [invalid, later])] == [1, 1, 1, 2]


def test_the_parts_of_a_value_are_of_one_record():
    said = [
        {**each, "attribute": "phone", "slot": slot, "token": 10 * each["record_id"] + slot} for each in FOUR for slot in (0, 1)
    ]
    found = held(*said, written="{attributes: {phone: {keep: all}}}")

    assert not found.select("record_id", "attribute", "slot").is_duplicated().any()
    assert found.join(index_claims(*said), on=["record_id", "slot", "token"], how="anti").is_empty()


@pytest.mark.parametrize("half_life", [1, 30, 365])
def test_however_many_half_lives_pass_who_wins_and_why_stays(half_life):
    written = f"{{default: {{prefer: [most_trusted, any], half_life_days: {half_life}}}}}"
    told = ("cuid", "record_id", "rank", "reason", "is_contested", "steady_trust")
    now, later = (held(*FOUR, written=written, today=TODAY + timedelta(days)) for days in (0, 36_500))

    assert now.select(told).equals(later.select(told))
    assert now["trust_score"].min() > later["trust_score"].max()
    assert not now.filter(pl.col("rank") == 1)["is_contested"].any()
    assert later.filter(pl.col("rank") == 1)["reason"].cast(pl.String).to_list() == ["most_trusted"] * 2
