"""A value that a steward enters: sealed as a record of the built-in source system ``steward``, through the airlock."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS
from custview_pipeline.contracts.steward_source import (
    KEY_COLUMN,
    STEWARD_SYSTEM,
    TIME_COLUMN,
    TYPE_COLUMN,
    can_be_entered,
    steward_contract,
    value_column_of,
)
from custview_pipeline.contracts.stewardship_tables import OVERRIDE, REVIEW_DECISIONS
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.flows.admitted import store_admitted
from custview_pipeline.flows.airlock import Admission, Airlock, admit
from custview_pipeline.flows.current import RECORD_COLUMNS
from custview_pipeline.flows.decision_rows import Stated, customer_records
from custview_pipeline.flows.deliver import Delivery, delivery_row
from custview_pipeline.flows.examine import Pending
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.survey import identify
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.record_identity import keyed_fingerprint

_WHAT: Final = "entering a value"


@dataclass(frozen=True, slots=True)
class Desk:
    """What entering a value needs: the keys, the default country of the project, and the run that commits it."""

    keyring: Keyring
    region: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a steward enters.

    Attributes:
        cuid: The customer.
        attribute: The golden attribute.
        value: The new value, as a source would write it; never shown.
        scheme: Of an identifier or a code: which one it is of.
    """

    cuid: Cuid
    attribute: str
    value: str = field(repr=False)
    scheme: str | None = None


def override(lake: LakeWriter, desk: Desk, entry: Entry, stated: Stated) -> str:
    """Store a value that a steward entered, and the decision that it holds; return the id of the decision.

    It is standardised and judged as values of deliveries are, sealed, and tied to the records of the customer from the next
    matching on. It is shown, erased and encrypted anew with them, and goes when the decision is withdrawn.

    Args:
        lake: The lake, held for writing.
        desk: Keys, default country, run.
        entry: What is entered.
        stated: Who, when and why.

    Raises:
        ProjectInvalid: There is no such customer or attribute, or the value breaks its standard: the message names the rules, and
            never the value. Nothing was stored.
    """
    snapshot = lake.snapshot()
    members = customer_records(snapshot, entry.cuid)
    with silenced(_WHAT):
        entity_type, country = _kind_of(snapshot, members)
        _assert_enterable(entry.attribute, entity_type)
        decided = stated.row(OVERRIDE, member_ids=members, attribute=entry.attribute)
        decision_id = decided["decision_id"][0]
        airlock = _airlock(snapshot, desk, entry, stated, country, decision_id)
        admission = admit(airlock, _pending(airlock, entry, stated, (decision_id, entity_type)))
        _refuse_invalid(admission, entry.attribute)
        record_id = admission.protected["record_id"][0]
        with lake.commit(desk.run_id) as commit:
            store_admitted(commit, snapshot, [admission])
            delivery = Delivery(STEWARD_SYSTEM, airlock.delivery_id, row_count=1, new_count=1)
            keyed = keyed_fingerprint(airlock.keys.id_key, f"{OVERRIDE} {decision_id}")
            commit.append(DELIVERIES.name, delivery_row(delivery, airlock, keyed, run_id=desk.run_id))
            commit.append(REVIEW_DECISIONS.name, decided.with_columns(record_id=pl.lit(record_id, pl.Int64)))
    return str(decision_id)


def _kind_of(snapshot: Snapshot, members: list[int]) -> tuple[str, str | None]:
    """Return entity type and country of a customer, as its records say it; the smallest record id goes first."""
    stored = snapshot.read(PROTECTED_RECORDS.name, RECORD_COLUMNS, where=pl.col("record_id").is_in(members))
    rows = newest(stored, ["record_id"]).sort("record_id")
    countries = rows["country"].drop_nulls()
    return rows["entity_type"][0], None if countries.is_empty() else countries[0]


def _assert_enterable(attribute: str, entity_type: str) -> None:
    known = [name for name, golden in GOLDEN_ATTRIBUTES.items() if entity_type in golden.entity_types and can_be_entered(name)]
    if attribute not in known:
        raise ProjectInvalid(f"no attribute {attribute!r} of a customer that is {entity_type}{suggest(attribute, known)}")


def _airlock(snapshot: Snapshot, desk: Desk, entry: Entry, stated: Stated, country: str | None, decision_id: str) -> Airlock:
    """Return the airlock of the one record; a number or an address without a country is read as of the customer's."""
    keys = desk.keyring.airlock_keys()
    return Airlock(
        contract=steward_contract(entry.attribute, scheme=entry.scheme),
        region=country or desk.region,
        keys=keys,
        delivery_id=hashlib.sha256(f"{OVERRIDE}/{decision_id}".encode()).hexdigest()[:16],
        now=stated.decided_at,
        generations=generations_to_write(snapshot, keys),
    )


def _pending(airlock: Airlock, entry: Entry, stated: Stated, own: tuple[str, str]) -> Pending:
    """Return the row; what is refused of it is not put in quarantine: who entered it is told at once."""
    decision_id, entity_type = own
    cells = {
        KEY_COLUMN: decision_id,
        TYPE_COLUMN: entity_type,
        TIME_COLUMN: stated.decided_at.isoformat(),
        value_column_of(entry.attribute): entry.value,
    }
    raw = pl.DataFrame([cells], schema=dict.fromkeys(cells, pl.String))
    marks = identify(airlock.contract, airlock.region, airlock.keys.id_key, raw).select(
        "record_id",
        "content_digest",
        version=pl.lit(1, pl.Int32),
        broken=pl.lit(None, pl.List(pl.String)),
        is_quarantined=pl.lit(value=True),
    )
    return Pending(raw, marks)


def _refuse_invalid(admission: Admission, attribute: str) -> None:
    """Refuse a value that breaks a rule, or of which nothing is left.

    Raises:
        ProjectInvalid: It does.
    """
    if not admission.refused.is_empty():
        rules = ", ".join(admission.refused["reasons"].explode().drop_nulls())
        raise ProjectInvalid(f"the value is refused: it breaks {rules}; nothing was stored")
    claims = pl.concat(rows.claims for rows in admission.indexed.values())
    if claims.filter(pl.col("attribute") == attribute, pl.col("is_valid")).is_empty():
        raise ProjectInvalid(f"the value is refused: it is not understood as {attribute}; nothing was stored")
