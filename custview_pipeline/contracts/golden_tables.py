"""Tables of survivorship and views: golden records, their lineage, what changed about customers, the core view."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, Sensitivity, TableContract, column, open_column, table
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES, GoldenAttribute

_SHARE: Final = pa.Check.in_range(0.0, 1.0)
_CUID: Final = pa.Check.str_matches(r"^CU[0-9A-Z]{17}$")

_POINTER_FIELDS: Final = {
    "record_id": pl.Int64,  # the record whose value survives
    "record_version": pl.Int32,
    "slot": pl.Int16,  # which of its values
    "trust_score": pl.Float64,  # 0 to 1
    "source_count": pl.Int32,  # source systems that say the same
    "is_contested": pl.Boolean,  # another value is trusted no less
    "kept_count": pl.Int32,  # different values that are kept, this one among them
}
POINTER: Final = pl.Struct(_POINTER_FIELDS)
OPEN_VALUE: Final = pl.Struct({"value": pl.String, **_POINTER_FIELDS})


def _golden_column(attribute: GoldenAttribute) -> pa.Column:
    if attribute.is_open:
        return open_column(OPEN_VALUE, f"{attribute.meaning}: value and where it comes from", nullable=True)
    meaning = f"{attribute.meaning}: pointer to the sealed record that holds it"
    return column(POINTER, Sensitivity.OPEN, meaning, nullable=True)


GOLDEN_RECORDS: Final[TableContract] = table(
    "golden_records",
    "The best known version of one customer: open values, and pointers to sealed ones.",
    key=("cuid", "version"),
    rooms=("survivorship", "views, audit"),
    cuid=open_column(pl.String, "Customer id", _CUID),
    version=open_column(pl.Int32, "1, 2, ... as the customer changes", pa.Check.ge(1)),
    entity_type=open_column(pl.String, "person or enterprise"),
    is_active=open_column(pl.Boolean, "Whether the customer still has records"),
    record_count=open_column(pl.Int32, "Source records of the customer", pa.Check.ge(0)),
    source_count=open_column(pl.Int32, "Source systems that know the customer", pa.Check.ge(0)),
    updated_at=open_column(UTC_TIME, "When a source last changed the customer", nullable=True),
    candidates_digest=open_column(pl.Int64, "Digest of the candidates for its values, their order and the reasons for it"),
    **{name: _golden_column(attribute) for name, attribute in GOLDEN_ATTRIBUTES.items()},
    rulebook_version=open_column(pl.String, "Rules it was elected by"),
    run_id=open_column(pl.String, "Run"),
    valid_from_at=open_column(UTC_TIME, "From when on it holds"),
)

GOLDEN_LINEAGE: Final[TableContract] = table(
    "golden_lineage",
    "One candidate for one value of a golden record, and why it won or lost.",
    key=("cuid", "version", "attribute", "record_id", "slot"),
    rooms=("survivorship", "views, audit"),
    cuid=open_column(pl.String, "Customer id"),
    version=open_column(pl.Int32, "Version of the golden record"),
    attribute=open_column(pl.String, "Attribute"),
    record_id=open_column(pl.Int64, "Record of the candidate"),
    record_version=open_column(pl.Int32, "Version of that record"),
    slot=open_column(pl.Int16, "Which of its values"),
    source_system=open_column(pl.String, "Source system of that record"),
    rank=open_column(pl.Int32, "1 is the winner", pa.Check.ge(1)),
    is_kept=open_column(pl.Boolean, "Whether its value is kept: the winner's, and each further one where all are to be kept"),
    reason=open_column(pl.String, "Why it won, or why it lost against the winner"),
    trust_score=open_column(pl.Float64, "Trust in the candidate, when it was judged", _SHARE),
    rulebook_version=open_column(pl.String, "Rules it was judged by"),
)

EVENTS: Final = ("created", "updated", "merged", "split", "retired", "erased", "reactivated")

CHANGE_FEED: Final[TableContract] = table(
    "change_feed",
    "One change of a customer, for consumers that follow them; never changed, only added to.",
    key=("change_id",),
    rooms=("survivorship", "consumers"),
    change_id=open_column(pl.String, "Customer, version and event: a change that is read twice has the same id twice"),
    sequence=open_column(pl.Int64, "1, 2, ... in the order in which changes became known: the cursor", pa.Check.ge(1)),
    cuid=open_column(pl.String, "Customer id", _CUID),
    golden_version=open_column(
        pl.Int32, "Version of the golden record that the change made; empty where the customer was erased", nullable=True
    ),
    event=open_column(pl.String, "What happened to the customer", pa.Check.isin(EVENTS)),
    other_cuid=open_column(
        pl.String, "Where merged, the customer it went into; where split, the one it came from", nullable=True
    ),
    changed_attributes=open_column(
        pl.List(pl.String), "Attributes whose value is, or may be, another than before; of a new customer those it has"
    ),
    run_id=open_column(pl.String, "Run"),
    happened_at=open_column(UTC_TIME, "When"),
)

CUSTOMER_CORE: Final[TableContract] = table(
    "customer_core",
    "Who the customers are, open columns only; the newest version of a customer holds.",
    key=("cuid", "version"),
    rooms=("views", "consumers"),
    cuid=open_column(pl.String, "Customer id", _CUID),
    version=open_column(pl.Int32, "1, 2, ... as the row changes", pa.Check.ge(1)),
    is_active=open_column(pl.Boolean, "Whether the customer still has records"),
    entity_type=open_column(pl.String, "person or enterprise"),
    country=open_column(pl.String, "Country, ISO 3166 alpha-2", nullable=True),
    record_count=open_column(pl.Int32, "Source records of the customer"),
    source_count=open_column(pl.Int32, "Source systems that know the customer"),
    source_systems=open_column(pl.List(pl.String), "Their names"),
    known_attributes=open_column(pl.List(pl.String), "Attributes that have a value"),
    contested_attributes=open_column(pl.List(pl.String), "Attributes on which equally trusted sources disagree"),
    trust_score=open_column(pl.Float64, "Mean trust of its values", _SHARE, nullable=True),
    consent=open_column(pl.String, "Consent to be contacted", nullable=True),
    updated_at=open_column(UTC_TIME, "When a source last changed the customer", nullable=True),
    valid_from_at=open_column(UTC_TIME, "From when on it holds"),
)
