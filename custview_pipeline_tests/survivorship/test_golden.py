"""Tests of ``custview_pipeline.survivorship.golden``."""

import polars as pl
import pytest

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.survivorship.golden import Election, change_golden_records, describe_customers
from custview_pipeline_tests.factories import LATER, NOW, claims, cuid, golden_records, protected_records
from custview_pipeline_tests.survivorship.rules import ranked, rule


def election(*rows, customers=(1,), entity_type="person", **rules):
    """Return the election of claims, of customers with one record each."""
    return Election(
        ranked(*rows, **rules),
        describe_customers(owners(*({"number": number, "entity_type": entity_type} for number in customers))),
    )


def owners(*rows):
    """Build owners; of each row ``number`` names the customer."""
    records = protected_records(
        *(
            {"record_id": place, **{name: cell for name, cell in row.items() if name != "number"}}
            for place, row in enumerate(rows)
        )
    )
    ids = pl.Series([cuid(row["number"]) for row in rows], dtype=claims().schema["cuid"])
    return records.with_columns(cuid=ids)


def change(elected, known=None, *, rulebook_version="r1"):
    before = GOLDEN_RECORDS.empty() if known is None else known.records
    found = change_golden_records(elected, before, rulebook_version=rulebook_version, run_id="run-1", now=LATER)
    GOLDEN_RECORDS.assert_holds(found.records)
    GOLDEN_LINEAGE.assert_holds(found.lineage)
    return found


def both(earlier, later):
    return later._replace(records=pl.concat([earlier.records, later.records]))


def versions(found):
    return found.records.select("cuid", "version", "is_active").rows()


EMAIL = {"attribute": "email", "token": 7}


def test_a_new_customer_has_a_first_version_with_pointers_to_what_won():
    found = change(election({**EMAIL, "slot": 1, "record_version": 4, "trust_score": 0.8}, {**EMAIL, "token": 8}))

    assert versions(found) == [(cuid(1), 1, True)]
    row = found.records.row(0, named=True)
    assert row["email"] == {
        "record_id": 1, "record_version": 4, "slot": 1, "trust_score": 0.8, "source_count": 1, "is_contested": False,
        "kept_count": 1,
    }  # fmt: skip
    assert row["phone"] is None
    assert (row["run_id"], row["valid_from_at"], row["rulebook_version"]) == ("run-1", LATER, "r1")


def test_an_open_attribute_carries_its_value():
    found = change(election({"attribute": "country", "open_value": "CN"}))

    assert found.records["country"].struct.field("value").to_list() == ["CN"]


def test_no_column_of_a_sealed_attribute_has_room_for_a_value():
    for name, attribute in GOLDEN_ATTRIBUTES.items():
        fields = {field.name for field in GOLDEN_RECORDS.types[name].fields}
        assert ("value" in fields) is attribute.is_open


def test_lineage_holds_every_candidate_and_why():
    found = change(election({**EMAIL, "trust_score": 0.8}, {**EMAIL, "token": 8}))

    assert found.lineage.select("version", "attribute", "record_id", "source_system", "rank", "is_kept", "reason").rows() == [
        (1, "email", 1, "crm", 1, True, "most_trusted"),
        (1, "email", 2, "crm", 2, False, "less_trusted"),
    ]
    assert not found.lineage.select(GOLDEN_LINEAGE.key).is_duplicated().any()


def test_what_did_not_change_gets_no_new_version():
    elected = election(EMAIL, {**EMAIL, "cuid": cuid(2)}, customers=(1, 2))
    known = change(elected)
    again = change(elected, known)

    assert again.records.is_empty()
    assert again.lineage.is_empty()


def test_only_changed_customers_get_a_new_version():
    two = {"customers": (1, 2)}
    known = change(election(EMAIL, {**EMAIL, "cuid": cuid(2)}, **two))
    found = change(election(EMAIL, {**EMAIL, "cuid": cuid(2), "record_version": 2}, **two), known)

    assert versions(found) == [(cuid(2), 2, True)]
    assert found.lineage["cuid"].unique().to_list() == [cuid(2)]


@pytest.mark.parametrize(
    "claim",
    [{"record_version": 2}, {"slot": 1}, {"trust_score": 0.9}, {"source_count": 2}, {"attribute": "phone"}],
    ids=["version of the record", "slot", "trust", "sources that agree", "another attribute"],
)
def test_whatever_a_golden_record_shows_makes_a_new_version(claim):
    known = change(election(EMAIL))

    assert versions(change(election({**EMAIL, **claim}), known)) == [(cuid(1), 2, True)]


@pytest.mark.parametrize(
    "loser",
    [{"record_id": 2, "record_version": 2}, {"record_id": 2, "trust_score": 0.3}, {"record_id": 2, "slot": 3}],
    ids=["version of the record", "trust", "slot"],
)
def test_a_loser_that_changes_makes_a_new_version_so_that_lineage_is_never_older_than_the_records(loser):
    winner, rival = {**EMAIL, "trust_score": 0.8}, {**EMAIL, "record_id": 2, "token": 8, "trust_score": 0.4}
    known = change(election(winner, rival))
    found = change(election(winner, {**rival, **loser}), known)

    assert versions(found) == [(cuid(1), 2, True)]
    assert found.lineage["rank"].to_list() == [1, 2]


def test_other_rules_with_the_same_outcome_make_no_new_version():
    known = change(election(EMAIL))

    assert change(election(EMAIL), known, rulebook_version="r2").records.is_empty()


def test_a_customer_without_records_ends_with_an_empty_version():
    known = change(election(EMAIL, customers=(1, 2)))
    found = change(election(customers=(2,)), known)

    assert versions(found) == [(cuid(1), 2, False)]
    row = found.records.row(0, named=True)
    assert (row["record_count"], row["source_count"], row["updated_at"]) == (0, 0, None)
    assert all(row[name] is None for name in GOLDEN_ATTRIBUTES)
    assert found.lineage.is_empty()


def test_a_customer_that_ended_does_not_end_again_and_may_come_back():
    active = change(election(EMAIL))
    ended = both(active, change(election(customers=()), active))

    assert change(election(customers=()), ended).records.is_empty()
    assert versions(change(election(EMAIL), ended)) == [(cuid(1), 3, True)]


def test_the_order_of_known_versions_does_not_matter():
    first = change(election(EMAIL))
    known = both(change(election({**EMAIL, "slot": 1}), first), first)

    assert versions(change(election(EMAIL), known)) == [(cuid(1), 3, True)]


def test_nothing_elected_and_nothing_known_is_no_change():
    assert change(election(customers=())).records.is_empty()


def test_a_golden_record_says_how_many_values_are_kept():
    found = change(election(EMAIL, {**EMAIL, "token": 8}, email=rule(keeps_all=True)))

    assert found.records["email"].struct.field("kept_count").to_list() == [2]
    assert found.lineage["is_kept"].to_list() == [True, True]


def test_a_golden_record_shows_a_sum():
    balance = {"attribute": "loyalty_points", "source_system": "crm"}
    rows = ({**balance, "open_value": "3"}, {**balance, "open_value": "4.5", "source_system": "web"})
    found = change(election(*rows, loyalty_points=rule(aggregate="sum")))

    assert found.records["loyalty_points"][0] == {
        "value": "7.5", "record_id": 1, "record_version": 1, "slot": 0, "trust_score": 0.5, "source_count": 2,
        "is_contested": False, "kept_count": 2,
    }  # fmt: skip


def test_each_customer_has_its_own_values_whoever_else_has_none():
    rows = ({**EMAIL, "cuid": cuid(2), "record_id": 5}, {"attribute": "phone", "cuid": cuid(4), "record_id": 6})
    found = change(election(*rows, customers=(1, 2, 3, 4)))
    pointing = found.records.select("cuid", *(pl.col(name).struct.field("record_id").alias(name) for name in ("email", "phone")))

    assert pointing.rows() == [(cuid(1), None, None), (cuid(2), 5, None), (cuid(3), None, None), (cuid(4), None, 6)]


def test_customers_are_described_by_their_records():
    described = describe_customers(
        owners(
            {"number": 1, "updated_at": NOW},
            {"number": 1, "updated_at": LATER, "source_system": "web"},
            {"number": 1, "updated_at": None},
            {"number": 2, "updated_at": None, "entity_type": "enterprise"},
        )
    )

    assert described.rows() == [(cuid(1), "person", 3, 2, LATER), (cuid(2), "enterprise", 1, 1, None)]


def test_a_golden_record_keeps_its_columns_when_built_by_hand():
    GOLDEN_RECORDS.assert_holds(golden_records({"cuid": cuid(1)}))
