"""Writes receipts: where one value of a customer comes from, what it passed, why it won, and what proves all that."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
from pydantic import BaseModel

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.receipt import (
    CitedDecision,
    CitedDelivery,
    CitedMatch,
    CitedRecord,
    CitedScore,
    CitedValue,
    Election,
    Handling,
    Receipt,
    Rival,
    Shown,
)
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.as_of import golden_at
from custview_pipeline.flows.export import mask_values
from custview_pipeline.flows.portrait import told_values
from custview_pipeline.flows.receipt_checks import checks_of, feeding
from custview_pipeline.flows.receipt_rows import CONSENT, CitedRows, cited_rows, scores_of
from custview_pipeline.flows.rule_words import rule_in_words
from custview_pipeline.kernel.errors import UnknownRecord
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose


@dataclass(frozen=True, slots=True)
class Archive:
    """What receipts are written from.

    Attributes:
        snapshot: The lake.
        keyring: Its keys.
        contracts: The sources as they are described now.
        rulebook: The rules of now.
    """

    snapshot: Snapshot
    keyring: Keyring
    contracts: Sequence[SourceContract]
    rulebook: Rulebook

    def contract_of(self, source_system: str) -> SourceContract | None:
        """Return the contract of a source; None where none describes it any more."""
        return next((contract for contract in self.contracts if contract.source_system == source_system), None)


def issue_receipt(
    archive: Archive, cuid: Cuid, attribute: str, *, in_full: Collection[str] = (), now: datetime | None = None
) -> Receipt:
    """Return the receipt of one value of a customer, as it stands now.

    Args:
        archive: What it is written from.
        cuid: The customer.
        attribute: A golden attribute.
        in_full: Golden attributes that are not masked; the caller has logged their reveal.
        now: When it is issued, UTC; by default the moment of the call.

    Raises:
        UnknownCustomer: There is none with this id; the message names the heir of a merged one.
        UnknownRecord: No record of the customer gives a value.
        UnsealFailed: A sealed record was altered or moved.
    """
    with silenced("writing a receipt"):
        golden = golden_at(archive.snapshot, cuid)
        if golden[attribute][0] is None:
            raise UnknownRecord(f"no record of this customer gives a value for {attribute}, so there is nothing to account for")
        rows = cited_rows(archive.snapshot, golden, attribute)
        receipt = _written(archive, rows, in_full, now or datetime.now(UTC))
        digest = receipt.digest()
        return receipt.model_copy(update={"sha256": digest, "seal": seal_of(archive.keyring, digest)})


def seal_of(keyring: Keyring, digest: str) -> str:
    """Return the keyed digest by which a lake knows a receipt again that it issued; it outlives every rotation of keys."""
    key = derive_key(keyring.current(Purpose.ID)[1], "receipt")
    return hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()


def _written(archive: Archive, rows: CitedRows, in_full: Collection[str], now: datetime) -> Receipt:
    golden, attribute = rows.golden, rows.attribute
    values = _values(archive, golden, attribute, in_full)
    record = _record(rows, golden[attribute][0])
    contract = archive.contract_of(record.source_system)
    parts = feeding(contract, attribute)
    delivery = next(rows.delivery.iter_rows(named=True), None)
    issues = rows.issues.filter(pl.col("attribute").is_in(parts))
    return Receipt(
        issued_at=now,
        cuid=golden["cuid"][0],
        entity_type=golden["entity_type"][0],
        attribute=attribute,
        value=values[attribute],
        record=record,
        delivery=None if delivery is None else CitedDelivery(**_fields(delivery, CitedDelivery)),
        checks=checks_of(contract, parts, issues),
        delivery_scores=_scores(archive.snapshot, delivery, parts),
        handling=_handling(archive, contract, golden, values.get(CONSENT)),
        election=_election(archive.rulebook, rows),
        rivals=_rivals(rows),
        matches=_matches(rows),
        decisions=tuple(CitedDecision(**_fields(row, CitedDecision)) for row in rows.decisions.iter_rows(named=True)),
        evidence=rows.evidence(),
    )


def _values(archive: Archive, golden: pl.DataFrame, attribute: str, in_full: Collection[str]) -> dict[str, CitedValue]:
    """Return the value, and the consent of the customer, as they may be shown."""
    opened = told_values(archive.snapshot, archive.keyring, golden, (attribute, CONSENT))
    shown = mask_values(opened, in_full=in_full)
    return {row["attribute"]: _cited(row, in_full) for row in shown.iter_rows(named=True)}


def _cited(row: dict[str, Any], in_full: Collection[str]) -> CitedValue:
    shown: Shown = "full" if row["attribute"] in in_full else "masked"
    if row["value"] is None:
        shown = "no_key"
    elif row["open_value"] is not None:
        shown = "open"
    return CitedValue(value=row["value"], shown=shown, is_valid=row["is_valid"])


def _record(rows: CitedRows, pointer: dict[str, Any]) -> CitedRecord:
    is_winner = (pl.col("record_id") == pointer["record_id"]) & (pl.col("version") == pointer["record_version"])
    row = rows.records.row(by_predicate=is_winner, named=True)
    return CitedRecord(**_fields({**row, "slot": pointer["slot"]}, CitedRecord))


def _scores(snapshot: Snapshot, delivery: dict[str, Any] | None, attributes: tuple[str, ...]) -> tuple[CitedScore, ...]:
    if delivery is None:
        return ()
    stored = scores_of(snapshot, delivery["delivery_id"], attributes)
    return tuple(CitedScore(**_fields(row, CitedScore)) for row in stored.iter_rows(named=True))


def _handling(archive: Archive, contract: SourceContract | None, golden: pl.DataFrame, consent: CitedValue | None) -> Handling:
    pointer = golden[CONSENT][0]
    return Handling(
        contract_version=contract and contract.version,
        purpose=contract and contract.purpose,
        legal_basis=contract and contract.legal_basis,
        owner=contract and contract.owner,
        consent=consent and consent.value,
        consent_source=None if pointer is None else _source_of(archive.snapshot, pointer["record_id"]),
    )


def _source_of(snapshot: Snapshot, record_id: int) -> str | None:
    stored = snapshot.read(PROTECTED_RECORDS.name, ["source_system"], where=pl.col("record_id") == record_id)
    return next(iter(stored["source_system"]), None)


def _election(rulebook: Rulebook, rows: CitedRows) -> Election:
    golden = rows.golden.row(0, named=True)
    pointer, winner = golden[rows.attribute], rows.lineage.row(0, named=True)
    is_of_now = golden["rulebook_version"] == rulebook.version
    said = {**golden, **pointer, "golden_version": golden["version"], "reason": winner["reason"]}
    rule = rulebook.survivorship.of(rows.attribute, EntityType(golden["entity_type"]))
    return Election(**_fields({**said, "rule": rule_in_words(rule) if is_of_now else None}, Election))


def _rivals(rows: CitedRows) -> tuple[Rival, ...]:
    keys = rows.records.select("record_id", "source_key", record_version="version")
    rivals = rows.lineage.filter(pl.col("rank") > 1).join(
        keys, on=["record_id", "record_version"], how="left", maintain_order="left"
    )
    return tuple(Rival(**_fields(row, Rival)) for row in rivals.iter_rows(named=True))


def _matches(rows: CitedRows) -> tuple[CitedMatch, ...]:
    """Return the links, each from where the one before it led."""
    names, here, matches = rows.names, rows.lineage["record_id"][0], []
    for row in rows.matches.iter_rows(named=True):
        there = row["right_id"] if row["left_id"] == here else row["left_id"]
        matches.append(CitedMatch(**_fields({**row, "left": names[here], "right": names[there]}, CitedMatch)))
        here = there
    return tuple(matches)


def _fields(row: dict[str, Any], part: type[BaseModel]) -> dict[str, Any]:
    """Return what a part of a receipt takes of a row."""
    return {name: row[name] for name in part.model_fields}
