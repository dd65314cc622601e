"""The shape of a receipt as JSON, version 1: the whole chain of one value, and digests of the stored rows that it cites.

It is a promise to whoever keeps receipts: a field is never renamed or left out under the same ``receipt_version``.
"""

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

RECEIPT_VERSION: Final = 1

Shown = Literal["open", "masked", "full", "no_key"]
"""How a value is shown: as it is stored readable, masked, revealed in full, or not at all for the key of its record is gone."""

Outcome = Literal["kept", "broken", "of_delivery", "not_executed"]
"""What came of a check: the record keeps or breaks it, it judged the delivery as a whole, or the pipeline does not execute it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)  # JSON has no such numbers, nor digests


class CitedValue(_Part):
    """The value; null where the key of its record is gone. ``is_valid``: whether it keeps its field standard."""

    value: str | None
    shown: Shown
    is_valid: bool | None


class CitedRecord(_Part):
    """The version of the source record that says it; ``slot`` tells two values of one attribute apart."""

    record_id: int
    version: int
    newest_version: int
    slot: int
    source_system: str
    source_key: str
    updated_at: AwareDatetime | None
    valid_from_at: AwareDatetime


class CitedDelivery(_Part):
    """The delivery that brought this version of the record."""

    delivery_id: str
    origin: str
    fingerprint: str
    contract_version: str
    rule_set_version: str
    run_id: str
    delivered_at: AwareDatetime


class CitedCheck(_Part):
    """A rule of the contract about the attribute, or a part of it, and what came of it."""

    attribute: str
    rule: str
    dimension: str
    severity: str
    description: str
    outcome: Outcome


class CitedScore(_Part):
    """How the delivery did in one dimension of the attribute."""

    attribute: str
    dimension: str
    judged_count: int
    failed_count: int
    target: float


class Handling(_Part):
    """On what ground the value is held.

    Purpose, legal basis and owner are those of the contract in use, whose version may be another than the delivery's; consent is
    that of the customer's golden record.
    """

    contract_version: str | None
    purpose: str | None
    legal_basis: str | None
    owner: str | None
    consent: str | None
    consent_source: str | None


class Election(_Part):
    """Why the value won; ``rule`` is null where the rulebook has changed since."""

    golden_version: int
    valid_from_at: AwareDatetime
    run_id: str
    rulebook_version: str
    rule: tuple[str, ...] | None
    reason: str
    trust_score: float
    source_count: int
    is_contested: bool


class Rival(_Part):
    """Another candidate and why it lost, or that it is kept beside the winner; never its value."""

    rank: int
    record_id: int
    record_version: int
    slot: int
    source_system: str | None
    source_key: str | None
    trust_score: float
    reason: str
    is_kept: bool


class CitedMatch(_Part):
    """Evidence that makes two records one customer, in bits; records by source and key."""

    left: str
    right: str
    weight: float
    probability: float
    rule: str
    model_version: str


class CitedDecision(_Part):
    """What a steward decided about the value or the customer."""

    decision_id: str
    decision: str
    attribute: str | None
    reason_code: str | None
    decided_by: str
    decided_at: AwareDatetime


class StoredRow(_Part):
    """A stored row: its key, the digest of the columns that its group names, and the source records that it is about."""

    key: dict[str, str | int | None]
    sha256: str
    record_ids: tuple[int, ...]


class Evidence(_Part):
    """Rows of one table that the receipt cites."""

    what: str
    table: str
    columns: tuple[str, ...]
    rows: tuple[StoredRow, ...]


class Receipt(_Part):
    """The whole chain of one value.

    ``matches`` lead from the record of the value to the one that founded the customer, by the strongest links.
    ``sha256`` is the digest of everything else but ``seal``; ``seal`` is a keyed digest of it, by which the lake that issued the
    receipt knows it again.
    """

    receipt_version: Literal[1] = RECEIPT_VERSION
    issued_at: AwareDatetime
    cuid: str
    entity_type: str
    attribute: str
    value: CitedValue
    record: CitedRecord
    delivery: CitedDelivery | None
    checks: tuple[CitedCheck, ...]
    delivery_scores: tuple[CitedScore, ...]
    handling: Handling
    election: Election
    rivals: tuple[Rival, ...]
    matches: tuple[CitedMatch, ...]
    decisions: tuple[CitedDecision, ...]
    evidence: tuple[Evidence, ...]
    sha256: str = ""
    seal: str = ""

    def digest(self) -> str:
        """Return the SHA-256 of all that the receipt says, but for ``sha256`` and ``seal``; 64 hex digits."""
        return canonical_digest(self.model_dump(mode="json", exclude={"sha256", "seal"}))


def canonical_digest(content: Any) -> str:
    """Return the SHA-256 of JSON content, keys sorted and without spaces; 64 hex digits."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
