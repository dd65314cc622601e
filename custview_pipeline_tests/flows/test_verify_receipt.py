"""Tests of ``custview_pipeline.flows.verify_receipt``: what was altered is found; what changed in order is no damage."""

from datetime import UTC, datetime

import polars as pl
import pytest

from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.survivorship_rules import AttributeRule, Survivorship
from custview_pipeline.flows import upkeep
from custview_pipeline.flows.decisions import as_decisions
from custview_pipeline.flows.receipt import Archive, issue_receipt, seal_of
from custview_pipeline.flows.rotation import rotate
from custview_pipeline.flows.verify_receipt import State, Witness, verify_receipt
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.suppression import suppression_marks
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.flows.conftest import ADA, FIRST_DELIVERY
from custview_pipeline_tests.flows.erasing import Estate
from custview_pipeline_tests.flows.sealed_lake import Record, take_in
from custview_pipeline_tests.flows.test_receipt import owner

NOBODY = pl.Series("mark", [], pl.Int64)
SUMS = Rulebook(survivorship=Survivorship(attributes={"loyalty_points": AttributeRule(aggregate="sum")}))
ADA_MOVED = {**ADA, "phones": ["2025550199"]}


def issue(house, attribute="name"):
    archive = Archive(house.lake.snapshot(), house.keyring, house.contracts, Rulebook())
    return issue_receipt(archive, owner(house, 1), attribute)


def verify(house, receipt, erased=NOBODY):
    return verify_receipt(Witness(house.lake.snapshot(), house.keyring, erased), receipt)


def states(found):
    """Return what does not hold: the state by what it is."""
    return {row.what: row.state for row in found.rows if row.state is not State.HOLDS}


def rewrite(house, table, change):
    """Write a table anew behind the back of the package."""
    with house.lake.writer() as writer, writer.commit("somebody") as commit:
        commit.replace(table, change(writer.snapshot().read(table)))


def flipped(rows):
    """Flip a bit of every sealed payload."""
    altered = [None if blob is None else blob[:-1] + bytes([blob[-1] ^ 1]) for blob in rows["payload_sealed"]]
    return rows.with_columns(payload_sealed=pl.Series(altered, dtype=pl.Binary))


def sealed(house, receipt, **changes):
    """Return a receipt that says something else and that the lake has sealed all the same, as one of another version may be."""
    changed = receipt.model_copy(update=changes)
    digest = changed.digest()
    return changed.model_copy(update={"sha256": digest, "seal": seal_of(house.keyring, digest)})


def test_a_fresh_receipt_is_sound(finished):
    found = verify(finished[0], issue(finished[0]))
    assert found.is_sound
    assert {row.what for row in found.rows} >= {"golden record", "candidates", "source records", "delivery", "membership"}
    assert states(found) == {}


@pytest.mark.parametrize(
    ("table", "change", "what"),
    [
        ("golden_records", lambda rows: rows.with_columns(run_id=pl.lit("another")), "golden record"),
        ("golden_lineage", lambda rows: rows.with_columns(trust_score=pl.lit(1.0)), "candidates"),
        ("deliveries", lambda rows: rows.with_columns(fingerprint=pl.lit("forged")), "delivery"),
        ("crosswalk", lambda rows: rows.with_columns(source_key=pl.lit("forged")), "membership"),
        ("protected_records", lambda rows: rows.with_columns(delivery_id=pl.lit("d1"), country=pl.lit("FR")), "source records"),
        ("protected_records", flipped, "source records"),
    ],
)
def test_an_altered_row_is_found_and_named(once_run, table, change, what):
    receipt = issue(once_run)
    rewrite(once_run, table, change)
    found = verify(once_run, receipt)

    assert states(found) == {what: State.ALTERED}
    assert found.is_unchanged
    assert not found.is_sound


def test_an_altered_edge_is_found_while_no_run_has_matched_everything_since(once_run):
    receipt = issue(once_run, "email")
    rewrite(once_run, "match_edges", lambda rows: rows.with_columns(weight=pl.lit(99.0)))
    assert states(verify(once_run, receipt)) == {"matches": State.ALTERED}
    once_run.run("run-2", is_whole=True)
    assert verify(once_run, receipt).is_sound


@pytest.mark.parametrize("table", ["golden_lineage", "deliveries", "crosswalk", "protected_records"])
def test_a_row_that_is_gone_without_a_reason_is_missing(once_run, table):
    receipt = issue(once_run)
    rewrite(once_run, table, lambda rows: rows.clear())
    assert set(states(verify(once_run, receipt)).values()) == {State.MISSING}


def test_what_has_a_newer_version_is_replaced_and_no_damage(once_run):
    receipt = issue(once_run)
    now = datetime.now(UTC)
    moved = Record(1, ADA_MOVED, {"name": "Ada Winterbourne-Lee"}, version=2, cells={"valid_from_at": now, "delivery_id": "d2"})
    take_in(once_run.lake, once_run.keyring, moved, is_delivered=False)
    once_run.run("run-2")
    found = verify(once_run, receipt)

    assert found.is_sound
    assert states(found) == dict.fromkeys(("golden record", "candidates", "source records"), State.REPLACED)
    assert {row.version for row in found.rows if row.state is State.REPLACED} == {2}


def test_compaction_and_vacuum_leave_receipts_sound(once_run):
    receipts = [issue(once_run, attribute) for attribute in ("name", "email")]
    with once_run.lake.writer() as writer:
        upkeep.compact(writer, run_id="compaction")
        upkeep.vacuum(writer, keep_days=0)
    assert [states(verify(once_run, receipt)) for receipt in receipts] == [{}, {}]


@pytest.mark.slow
def test_receipts_outlive_a_rotation_of_keys(tmp_path):
    house = Estate.settled(tmp_path).house
    receipt = issue(house, "email")
    rotate(house.lake, house.keyring, house.contracts, "US", Purpose.VAULT, run_id="rotation", progress=Unwatched())
    assert (verify(house, receipt).is_sound, states(verify(house, receipt))) == (True, {})


def test_a_receipt_that_somebody_changed_is_found_even_where_they_digested_it_anew(finished):
    house, _ = finished
    receipt = issue(house)
    other = receipt.model_copy(update={"attribute": "email"})
    for changed in (other, other.model_copy(update={"sha256": other.digest()})):
        found = verify(house, changed)
        assert (found.is_unchanged, found.is_sound) == (False, False)


def test_a_receipt_of_another_lake_is_not_taken_for_one_of_this(finished, tmp_path):
    house, _ = finished
    others = Keyring.open(FileKeyProvider(tmp_path), KeyDirectory(tmp_path))
    assert not verify_receipt(Witness(house.lake.snapshot(), others, NOBODY), issue(house)).is_unchanged


@pytest.mark.parametrize("change", [{"table": "nowhere"}, {"columns": ("cuid", "unheard_of")}])
def test_what_this_version_does_not_have_cannot_be_verified(finished, change):
    house, _ = finished
    receipt = issue(house)
    first, *others = receipt.evidence
    with pytest.raises(ProjectInvalid, match="columns of the golden record"):
        verify(house, sealed(house, receipt, evidence=(first.model_copy(update=change), *others)))


def test_every_cited_table_is_one_that_is_stored(finished):
    assert {group.table for group in issue(finished[0]).evidence} <= CONTRACTS.keys()


def with_keys(receipt, change):
    """Return the evidence of a receipt, the keys of all rows written otherwise."""
    return tuple(
        group.model_copy(update={"rows": tuple(row.model_copy(update={"key": change(row.key)}) for row in group.rows)})
        for group in receipt.evidence
    )


def test_a_receipt_is_verified_in_whatever_order_its_keys_are_written(finished):
    house, _ = finished
    receipt = issue(house)
    turned = receipt.model_copy(update={"evidence": with_keys(receipt, lambda key: dict(reversed(key.items())))})
    assert (verify(house, turned).is_sound, states(verify(house, turned))) == (True, {})


BROKEN_KEYS = {
    "lacks one": lambda key: dict(list(key.items())[1:]),
    "has one more": lambda key: {**key, "reason": "none"},
    "has others": lambda key: {f"{name}_id": part for name, part in key.items()},
}


@pytest.mark.parametrize("change", BROKEN_KEYS.values(), ids=BROKEN_KEYS)
def test_a_receipt_that_was_changed_is_not_looked_into_any_further(finished, change):
    house, _ = finished
    receipt = issue(house)
    found = verify(house, receipt.model_copy(update={"evidence": with_keys(receipt, change)}))
    assert (found.is_unchanged, found.rows) == (False, ())


@pytest.mark.parametrize("change", BROKEN_KEYS.values(), ids=BROKEN_KEYS)
def test_keys_that_are_none_of_their_table_are_refused(finished, change):
    house, _ = finished
    receipt = issue(house)
    with pytest.raises(ProjectInvalid, match="names rows of the golden record as lakes of this version do not"):
        verify(house, sealed(house, receipt, evidence=with_keys(receipt, change)))


def marks_of(house, *record_ids):
    return suppression_marks(house.keyring.current(Purpose.ID)[1], pl.Series(record_ids, dtype=pl.Int64))


def lock(house):
    stated = pl.DataFrame({"decision": ["lock"], "member_ids": [[1, 2]]}).with_columns(
        decided_by=pl.lit("ada"), decided_at=pl.lit(datetime.now(UTC)), origin=pl.lit("steward")
    )
    with house.lake.writer() as writer, writer.commit("review") as commit:
        commit.append("review_decisions", as_decisions(stated))


def members(*record_ids):
    return lambda rows: rows.with_columns(member_ids=pl.lit(list(record_ids), pl.List(pl.Int64)))


@pytest.mark.parametrize(
    ("change", "erased", "state"),
    [
        (members(1, 60), (), State.ALTERED),
        (members(1), (), State.ALTERED),
        (members(1), (60,), State.ALTERED),
        (members(1), (2,), State.ERASED),
        (members(60), (2,), State.ALTERED),
        (lambda rows: members(1)(rows).with_columns(decided_by=pl.lit("eve")), (2,), State.ALTERED),
    ],
    ids=["one was exchanged", "one is gone", "another was erased", "it was erased", "and one exchanged", "and who decided"],
)
def test_whom_a_decision_names_is_proven_but_for_those_that_were_erased(once_run, change, erased, state):
    lock(once_run)
    receipt = issue(once_run)
    assert states(verify(once_run, receipt)) == {}
    rewrite(once_run, "review_decisions", change)
    assert states(verify(once_run, receipt, marks_of(once_run, *erased)))["decisions"] is state


def test_after_the_erasure_of_a_part_the_receipt_of_a_sum_says_so(tmp_path):
    estate = Estate.open(tmp_path)
    whose = [(1, ADA, "3", "crm"), (2, ADA, "4", "web")]
    parts = [Record(record, facts, {"name": "Ada", "loyalty_points": value}, source) for record, facts, value, source in whose]
    take_in(estate.lake, estate.keyring, *parts, *FIRST_DELIVERY[2:])
    estate.house.run(rulebook=SUMS)
    archive = Archive(estate.lake.snapshot(), estate.keyring, estate.house.contracts, SUMS)
    receipt = issue_receipt(archive, owner(estate.house, 1), "loyalty_points")
    assert receipt.value.value == "7"
    (other,) = {1, 2} - {receipt.record.record_id}
    estate.ask_records(other)
    estate.carry_out()
    found = verify(estate.house, receipt, estate.ledger.record_marks())

    assert found.is_sound
    assert states(found)["golden record"] is State.ERASED


def test_what_else_was_erased_of_the_customer_does_not_touch_the_receipt_of_another_value(tmp_path):
    estate = Estate.settled(tmp_path)
    receipt = issue(estate.house, "phone")
    estate.ask_records(2)
    estate.carry_out()
    rewrite(estate.house, "golden_records", lambda rows: rows.with_columns(candidates_digest=pl.lit(0, pl.Int64)))
    assert states(verify(estate.house, receipt, estate.ledger.record_marks())) == {}
