"""Tables of the airlock: deliveries, protected records, quarantined records."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, Sensitivity, TableContract, column, open_column, table

_COUNT: Final = pa.Check.ge(0)

DELIVERIES: Final[TableContract] = table(
    "deliveries",
    "One delivery of one source system, or one release of its quarantined rows: what came and what became of it.",
    key=("delivery_id",),
    rooms=("ingestion", "audit"),
    delivery_id=open_column(pl.String, "Identifier of the delivery"),
    source_system=open_column(pl.String, "Source system"),
    origin=open_column(
        pl.String, "source, or quarantine where refused rows were released", pa.Check.isin(["source", "quarantine"])
    ),
    fingerprint=open_column(pl.String, "Keyed digest of the delivered files, or of the released rows"),
    contract_version=open_column(pl.String, "Version of the source contract"),
    rule_set_version=open_column(pl.String, "Versions of the standardisation rules"),
    read_as=open_column(pl.String, "How its rows were read: JSON of the default country and of what each column means"),
    row_count=open_column(pl.Int64, "Rows read", _COUNT),
    new_count=open_column(pl.Int64, "Records seen for the first time", _COUNT),
    changed_count=open_column(pl.Int64, "Records with other content than before", _COUNT),
    unchanged_count=open_column(pl.Int64, "Records as they were", _COUNT),
    deleted_count=open_column(pl.Int64, "Records that a snapshot no longer holds, or that the source calls deleted", _COUNT),
    warned_count=open_column(pl.Int64, "Rows accepted with a warning, of those new or changed", _COUNT),
    refused_count=open_column(pl.Int64, "Rows refused; each is in quarantine once, however often it is delivered", _COUNT),
    suppressed_count=open_column(
        pl.Int64, "Rows of records erased before: left out, or taken in where the contract says on_erased: report", _COUNT
    ),
    late_count=open_column(pl.Int64, "Rows older, by updated_at, than what is known of their record: left out", _COUNT),
    superseded_count=open_column(pl.Int64, "Rows of which the same delivery holds a newer one: left out", _COUNT),
    run_id=open_column(pl.String, "Run that took it in"),
    delivered_at=open_column(UTC_TIME, "When it was taken in"),
)

HELD_DELIVERIES: Final[TableContract] = table(
    "held_deliveries",
    "A delivery that would delete a large share of its source's records and is not believed until a person decides.",
    key=("held_id", "version"),
    rooms=("ingestion", "stewardship, audit"),
    held_id=open_column(pl.String, "Identifier: the same files of the same source have it again"),
    version=open_column(pl.Int32, "1, 2, ... as it is decided", pa.Check.ge(1)),
    source_system=open_column(pl.String, "Source system"),
    fingerprint=open_column(pl.String, "Keyed digest of the delivered files"),
    row_count=open_column(pl.Int64, "Rows read", _COUNT),
    known_count=open_column(pl.Int64, "Records of the source that are held and not deleted", _COUNT),
    deleted_count=open_column(pl.Int64, "Records that it would delete", _COUNT),
    status=open_column(
        pl.String,
        "held: waits for a person; approved: taken in by the next run; rejected: left out until the files change; taken_in: "
        "stored, for it was approved or the contract lets it pass; superseded: other files were delivered since",
        pa.Check.isin(["held", "approved", "rejected", "taken_in", "superseded"]),
    ),
    held_at=open_column(UTC_TIME, "When it was held"),
    decided_by=open_column(pl.String, "Who approved or rejected it", nullable=True),
    decided_at=open_column(UTC_TIME, "When it got this status; empty while it is held", nullable=True),
    reason=open_column(pl.String, "Why it was approved or rejected", nullable=True),
    run_id=open_column(pl.String, "Run or command that wrote this"),
)

PROTECTED_RECORDS: Final[TableContract] = table(
    "protected_records",
    "One version of one source record, its personal data sealed.",
    key=("record_id", "version"),
    rooms=("protection", "matching, survivorship, audit"),
    record_id=open_column(pl.Int64, "Keyed id of the record, from source system and key"),
    version=open_column(pl.Int32, "1, 2, ... as the record changes", pa.Check.ge(1)),
    source_system=open_column(pl.String, "Source system"),
    source_key=column(pl.String, Sensitivity.OPEN, "Key in the source; a token where the contract calls it personal"),
    entity_type=open_column(pl.String, "person or enterprise", pa.Check.isin(["person", "enterprise"])),
    country=open_column(pl.String, "Country, ISO 3166 alpha-2", nullable=True),
    updated_at=open_column(
        UTC_TIME, "When the record last changed in its source; where its row does not tell, what was told before", nullable=True
    ),
    delivery_id=open_column(pl.String, "Delivery it came with"),
    content_digest=column(pl.Int64, Sensitivity.TOKEN, "Keyed digest of its content, to recognise a change"),
    payload_sealed=column(pl.Binary, Sensitivity.CIPHERTEXT, "Raw and standardised values, sealed", nullable=True),
    is_deleted=open_column(pl.Boolean, "Whether the source no longer holds it"),
    valid_from_at=open_column(UTC_TIME, "From when on this version holds"),
)

RECORD_ISSUES: Final[TableContract] = table(
    "record_issues",
    "One field standard that one version of an accepted record breaks, or one contradiction in it: why it was warned of.",
    key=("record_id", "version", "attribute", "rule"),
    rooms=("validation", "stewardship, audit"),
    record_id=open_column(pl.Int64, "Keyed id of the record"),
    version=open_column(pl.Int32, "Version of the record", pa.Check.ge(1)),
    source_system=open_column(pl.String, "Source system"),
    attribute=open_column(pl.String, "Attribute of the contract"),
    rule=open_column(pl.String, "Rule that it breaks"),
    dimension=open_column(pl.String, "Dimension of the Open Data Contract Standard"),
    severity=open_column(pl.String, "warning: the value counts as invalid, or contradicts another", pa.Check.isin(["warning"])),
    delivery_id=open_column(pl.String, "Delivery it came with"),
)

QUARANTINED_RECORDS: Final[TableContract] = table(
    "quarantined_records",
    "One refused row, whole and sealed, and why it was refused.",
    key=("quarantine_id",),
    rooms=("protection", "stewardship, audit"),
    quarantine_id=open_column(pl.Int64, "Random id"),
    source_system=open_column(pl.String, "Source system"),
    record_id=open_column(pl.Int64, "Keyed id of the record, where its key is known", nullable=True),
    delivery_id=open_column(pl.String, "Delivery it came with first"),
    content_digest=column(pl.Int64, Sensitivity.TOKEN, "Keyed digest of its content, to recognise the same row again"),
    row_sealed=column(pl.Binary, Sensitivity.CIPHERTEXT, "The row as delivered, sealed"),
    reasons=open_column(pl.List(pl.String), "Rules it broke: dimension__attribute__rule"),
    quarantined_at=open_column(UTC_TIME, "When it was refused"),
)
