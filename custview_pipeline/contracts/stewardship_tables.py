"""Tables of stewardship: what people decided about records and customers, and whose task it is to decide."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, TableContract, open_column, table

IS_MATCH: Final = "match"
NOT_A_MATCH: Final = "not_a_match"
UNSURE: Final = "unsure"
SPLIT_OFF: Final = "split_off"
LOCK: Final = "lock"
PIN: Final = "pin"
OVERRIDE: Final = "override"
DECISIONS: Final = (IS_MATCH, NOT_A_MATCH, UNSURE, SPLIT_OFF, LOCK, PIN, OVERRIDE)
PAIR_DECISIONS: Final = (IS_MATCH, NOT_A_MATCH, UNSURE)
LINKING_DECISIONS: Final = (IS_MATCH, NOT_A_MATCH, SPLIT_OFF, LOCK, OVERRIDE)  # that matching links by
BY_STEWARD: Final = "steward"
IN_SAMPLE: Final = "sample"
REASON_CODES: Final = (
    "same_person", "different_person", "family_member", "shared_contact", "data_entry_error", "outdated_value",
    "confirmed_by_customer", "confirmed_by_document", "other",
)  # fmt: skip
ASSIGNMENT_STATUSES: Final = ("open", "assigned", "done", "unsure")

REVIEW_DECISIONS: Final[TableContract] = table(
    "review_decisions",
    "What a person decided about two records, a customer or a value; never changed, only withdrawn. Of the sure decisions about "
    "a pair the newest holds; those of stewards go before answers to samples.",
    key=("decision_id", "withdrawn_at"),
    rooms=("stewardship", "matching, survivorship, stewardship, audit"),
    decision_id=open_column(pl.String, "Id of the decision"),
    decision=open_column(
        pl.String,
        "match, not_a_match, unsure: whether two records are one customer; split_off: a record is another customer than those it "
        "was with; lock: a customer stays as it is; pin: the value of a record holds; override: a value that a steward entered",
        pa.Check.isin(DECISIONS),
    ),
    left_id=open_column(pl.Int64, "Of a pair: the smaller record id", nullable=True),
    right_id=open_column(pl.Int64, "Of a pair: the larger record id", nullable=True),
    record_id=open_column(
        pl.Int64, "The record split off, whose value is pinned, or that holds the value entered", nullable=True
    ),
    member_ids=open_column(
        pl.List(pl.Int64),
        "Records of the customer at that time: of split_off the others, of lock, pin and override all that were there",
        nullable=True,
    ),
    attribute=open_column(pl.String, "Of pin and override: the golden attribute", nullable=True),
    slot=open_column(pl.Int16, "Of pin: which of the record's values; empty for any", nullable=True),
    reason_code=open_column(pl.String, "Why, in one of a closed list of words", pa.Check.isin(REASON_CODES), nullable=True),
    reason=open_column(pl.String, "Why, where it was said", nullable=True),
    decided_by=open_column(pl.String, "Who decided"),
    decided_at=open_column(UTC_TIME, "When"),
    origin=open_column(pl.String, "Asked in a blind sample, or decided by a steward", pa.Check.isin([IN_SAMPLE, BY_STEWARD])),
    pack_id=open_column(pl.String, "Steward pack that it came back with", nullable=True),
    withdrawn_at=open_column(UTC_TIME, "When it was taken back; empty where it holds", nullable=True),
    withdrawn_by=open_column(pl.String, "Who took it back", nullable=True),
)

REVIEW_ASSIGNMENTS: Final[TableContract] = table(
    "review_assignments",
    "Whose task an item of the review queue is, and until when; never changed, the newest row of an item holds.",
    key=("item_id", "assigned_by", "assigned_at"),
    rooms=("stewardship", "stewardship"),
    item_id=open_column(pl.String, "Id of the item"),
    assigned_to=open_column(pl.String, "Who is to decide", nullable=True),
    due_on=open_column(pl.Date, "Until when", nullable=True),
    status=open_column(pl.String, "How the item stands", pa.Check.isin(ASSIGNMENT_STATUSES)),
    assigned_by=open_column(pl.String, "Who said so"),
    assigned_at=open_column(UTC_TIME, "When"),
)
