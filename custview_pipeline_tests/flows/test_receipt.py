"""Tests of ``custview_pipeline.flows.receipt``: the whole chain of one value, without the value."""

import dataclasses
from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.contracts.intake_tables import RECORD_ISSUES
from custview_pipeline.contracts.receipt import Receipt
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.contracts.survivorship_rules import ElectionRule, Preference
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.flows.receipt import Archive, issue_receipt
from custview_pipeline.flows.receipt_checks import checks_of, feeding
from custview_pipeline.flows.rule_words import rule_in_words
from custview_pipeline.kernel.errors import UnknownCustomer, UnknownRecord
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline_tests.factories import NOW, cuid, source_contract
from custview_pipeline_tests.flows.sealed_lake import Record, take_in

NO_ISSUES = RECORD_ISSUES.empty()
EMAIL = "ada@example.org"


def archive_of(house, **changes):
    stated = {"snapshot": house.lake.snapshot(), "contracts": house.contracts, "rulebook": Rulebook(), **changes}
    return Archive(keyring=house.keyring, **stated)


def owner(house, record_id):
    held = current_crosswalk(house.lake.snapshot()).filter(pl.col("record_id") == record_id)
    return Cuid(held["cuid"][0])


def receipt_of(house, record_id=1, attribute="email", **how):
    return issue_receipt(archive_of(house), owner(house, record_id), attribute, now=NOW, **how)


def test_a_receipt_tells_the_whole_chain(finished):
    house, _ = finished
    receipt = receipt_of(house)

    assert (receipt.attribute, receipt.entity_type, receipt.issued_at) == ("email", "person", NOW)
    assert (receipt.record.record_id, receipt.record.source_system, receipt.record.source_key) == (2, "web", "k2")
    assert (receipt.record.version, receipt.record.newest_version, receipt.record.slot) == (1, 1, 0)
    assert receipt.delivery is not None
    assert (receipt.delivery.delivery_id, receipt.delivery.contract_version, receipt.delivery.fingerprint) == ("d1", "1", "f")
    assert [(check.rule, check.outcome) for check in receipt.checks] == [("conforms", "kept")]
    assert (receipt.election.reason, receipt.election.trust_score, receipt.election.run_id) == ("only_candidate", 0.4, "run-1")
    assert receipt.election.rule == ("most trusted", "most recent", "most frequent")
    assert (receipt.handling.owner, receipt.handling.contract_version) == ("data-office", "1.0.0")
    assert [(match.left, match.right, match.rule) for match in receipt.matches] == [("web:k2", "crm:k1", "model")]
    assert (receipt.rivals, receipt.decisions) == ((), ())
    assert len(receipt.sha256) == len(receipt.seal) == 64


def test_what_it_cites_is_named_by_table_and_digest(finished):
    receipt = receipt_of(finished[0])
    cited = {(group.what, group.table): [row.key for row in group.rows] for group in receipt.evidence}

    assert [what for what, _ in cited] == ["golden record", "candidates", "source records", "delivery", "membership", "matches"]
    assert cited["source records", "protected_records"] == [{"record_id": 2, "version": 1}]
    assert cited["matches", "match_edges"] == [{"left_id": 1, "right_id": 2, "version": 1}]
    assert [key["record_id"] for key in cited["membership", "crosswalk"]] == [1, 2]
    columns = {group.what: group.columns for group in receipt.evidence}
    assert "payload_sealed" not in columns["source records"]
    assert "email" in columns["golden record"]
    assert "phone" not in columns["golden record"]


def test_the_same_state_gives_the_same_receipt(finished):
    assert receipt_of(finished[0]) == receipt_of(finished[0])


def test_a_receipt_survives_as_json(finished):
    receipt = receipt_of(finished[0])
    again = Receipt.model_validate_json(receipt.model_dump_json(indent=1))

    assert again == receipt
    assert again.digest() == receipt.sha256


@pytest.mark.parametrize(
    ("attribute", "in_full", "value", "shown"),
    [
        ("email", (), "a***@e***.org", "masked"),
        ("email", ("email",), EMAIL, "full"),
        ("email", ("phone",), "a***@e***.org", "masked"),
        ("country", (), "US", "open"),
    ],
)
def test_the_value_is_shown_as_it_may_be(finished, attribute, in_full, value, shown):
    told = receipt_of(finished[0], attribute=attribute, in_full=in_full).value
    assert (told.value, told.shown, told.is_valid) == (value, shown, True)


def test_no_value_is_in_a_receipt_that_nobody_revealed(finished):
    for record_id, attribute in ((1, "name"), (1, "email"), (1, "phone"), (3, "name"), (3, "email")):
        text = receipt_of(finished[0], record_id, attribute).model_dump_json().lower()
        assert not [said for said in ("ada@", "winterbourne", "otto", "keating", "2025550143") if said in text]


def test_rivals_are_told_with_why_they_lost(finished):
    receipt = receipt_of(finished[0], attribute="name")

    assert (receipt.record.source_system, receipt.election.reason) == ("crm", "most_trusted")
    (rival,) = receipt.rivals
    assert (rival.source_system, rival.source_key, rival.reason, rival.trust_score) == ("web", "k2", "less_trusted", 0.4)
    assert (rival.rank, rival.is_kept) == (2, False)


def test_the_founder_of_a_customer_needs_no_match(finished):
    assert receipt_of(finished[0], 3, "name").matches == ()
    assert receipt_of(finished[0], 1, "name").matches == ()


def test_what_the_record_is_warned_of_is_a_check_that_broke(once_run):
    issue = {
        "record_id": 3, "version": 1, "source_system": "crm", "attribute": "email", "rule": "conforms",
        "dimension": "conformity", "severity": "warning", "delivery_id": "d1",
    }  # fmt: skip
    with once_run.lake.writer() as writer, writer.commit("test") as commit:
        commit.append(RECORD_ISSUES.name, pl.DataFrame([issue], schema=RECORD_ISSUES.types))
    receipt = receipt_of(once_run, 3)

    assert [(check.rule, check.outcome) for check in receipt.checks] == [("conforms", "broken")]
    assert receipt.value.is_valid is False
    assert "warnings" in [group.what for group in receipt.evidence]


def test_another_rulebook_than_that_of_the_election_is_not_taken_for_its_rule(finished):
    house, _ = finished
    other = Rulebook(continuity_target=0.5)
    assert issue_receipt(archive_of(house, rulebook=other), owner(house, 1), "email").election.rule is None


def test_a_source_that_no_contract_describes_any_more_is_accounted_for_all_the_same(finished):
    house, _ = finished
    receipt = issue_receipt(archive_of(house, contracts=()), owner(house, 1), "email")

    assert (receipt.checks, receipt.handling.contract_version, receipt.handling.owner) == ((), None, None)


def test_consent_and_its_source_are_told(once_run):
    consenting = Record(
        90, {"given": "nora", "family": "ellery", "birth_date": "1970-01-02"}, {"name": "Nora Ellery", "consent": "granted"}
    )
    take_in(once_run.lake, once_run.keyring, consenting, is_delivered=False)
    once_run.run("run-2")
    receipt = receipt_of(once_run, 90, "name")

    assert receipt.handling.consent_source == "crm"
    assert receipt.handling.consent is not None
    assert ("consent", "golden_records") in [(group.what, group.table) for group in receipt.evidence]


def test_decisions_about_the_customer_and_the_value_are_told_and_others_are_not(once_run):
    said = [
        {"decision": "match", "left_id": 1, "right_id": 2, "reason_code": "same_person"},
        {"decision": "pin", "record_id": 2, "member_ids": [1, 2], "attribute": "email"},
        {"decision": "pin", "record_id": 1, "member_ids": [1, 2], "attribute": "phone"},
        {"decision": "lock", "member_ids": [2, 1]},
        {"decision": "lock", "member_ids": [60, 61]},
        {"decision": "unsure", "left_id": 1, "right_id": 3},
    ]
    known = {name: dtype for name, dtype in REVIEW_DECISIONS.types.items() if any(name in each for each in said)}
    stated = pl.DataFrame(said, schema=known).with_columns(
        decided_by=pl.lit("ada"), decided_at=pl.lit(datetime.now(UTC)), origin=pl.lit("steward")
    )
    with once_run.lake.writer() as writer, writer.commit("test") as commit:
        commit.append(REVIEW_DECISIONS.name, as_decisions(stated))
    decisions = receipt_of(once_run).decisions

    assert sorted((each.decision, each.attribute, each.reason_code) for each in decisions) == [
        ("lock", None, None),
        ("match", None, "same_person"),
        ("pin", "email", None),
    ]


@pytest.mark.parametrize(
    ("named", "attribute", "error", "said"),
    [
        (cuid(7), "email", UnknownCustomer, "no customer has this id"),
        (None, "occupation", UnknownRecord, "no record of this customer gives a value for occupation"),
    ],
)
def test_where_there_is_nothing_to_account_for_that_is_said(finished, named, attribute, error, said):
    house, _ = finished
    with pytest.raises(error, match=said):
        issue_receipt(archive_of(house), Cuid(named or owner(house, 1)), attribute)


CONTRACT = source_contract("crm", "given_name", "family_name", "email", "phone")
LIMITED = dataclasses.replace(
    CONTRACT, columns=tuple(dataclasses.replace(column, max_length=80, is_required=True) for column in CONTRACT.columns)
)


@pytest.mark.parametrize(
    ("contract", "attribute", "parts"),
    [
        (CONTRACT, "name", ("given_name", "family_name")),
        (CONTRACT, "email", ("email",)),
        (CONTRACT, "lei", ("lei",)),
        (None, "email", ("email",)),
    ],
)
def test_a_value_is_made_of_the_attributes_of_its_contract(contract, attribute, parts):
    assert feeding(contract, attribute) == parts


def test_checks_are_the_rules_of_the_contract_in_its_order():
    checks = checks_of(LIMITED, ("email",), NO_ISSUES)
    assert [(check.rule, check.outcome) for check in checks] == [("required", "kept"), ("length", "kept"), ("conforms", "kept")]


def test_a_broken_rule_that_the_contract_does_not_state_any_more_is_told():
    issue = {"record_id": 1, "version": 1, "source_system": "crm", "attribute": "email", "rule": "former",
             "dimension": "conformity", "severity": "warning", "delivery_id": "d1"}  # fmt: skip
    checks = checks_of(CONTRACT, ("email",), pl.DataFrame([issue], schema=RECORD_ISSUES.types))
    assert [(check.rule, check.outcome) for check in checks] == [("conforms", "kept"), ("former", "broken")]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (ElectionRule(), ("most trusted", "most recent", "most frequent")),
        (
            ElectionRule(
                prefer=(Preference(strategy="longest", only_from=("crm", "web"), newer_than_days=30, if_valid=True),),
                half_life_days=90,
                keeps_all=True,
            ),
            (
                "longest (only from crm, web, only newer than 30 days, only if valid)",
                "trust halves every 90 days",
                "keep all",
            ),
        ),
        (ElectionRule(prefer=(Preference(strategy="any"),), aggregate="max"), ("any", "max of all")),
    ],
)
def test_a_rule_reads_as_words(rule, words):
    assert rule_in_words(rule) == words
