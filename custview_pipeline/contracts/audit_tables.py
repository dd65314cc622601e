"""Tables of the audit: scores against targets, and findings."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, TableContract, open_column, table

OF_DELIVERY: Final = "delivery"
OF_RECORDS: Final = "records"

_SHARE: Final = pa.Check.in_range(0.0, 1.0)
_SCOPE: Final = pa.Check.isin([OF_DELIVERY, OF_RECORDS])
_ATTRIBUTE: Final = (
    "Of a delivery the contract's attribute; of records the golden one, or the contract's where the last delivery was asked; "
    "record for the record as a whole"
)

QUALITY_SCORES: Final[TableContract] = table(
    "quality_scores",
    "How good one attribute of one source is, in one dimension, at one time: over a delivery, or over all records held.",
    key=("run_id", "scope", "source_system", "delivery_id", "attribute", "dimension"),
    rooms=("audit", "audit"),
    source_system=open_column(pl.String, "Source system"),
    channel=open_column(pl.String, "Channel through which the source meets customers", nullable=True),
    owner=open_column(pl.String, "Owner of the source", nullable=True),
    scope=open_column(pl.String, "delivery: the rows it brought new or changed; records: all that are held", _SCOPE),
    delivery_id=open_column(pl.String, "The delivery, where one was scored", nullable=True),
    attribute=open_column(pl.String, _ATTRIBUTE),
    dimension=open_column(pl.String, "Dimension of the Open Data Contract Standard"),
    judged_count=open_column(pl.Int64, "Records or values judged", pa.Check.ge(0)),
    failed_count=open_column(pl.Int64, "Those that failed", pa.Check.ge(0)),
    score=open_column(pl.Float64, "Share that passed", _SHARE),
    target=open_column(pl.Float64, "Share aimed at", _SHARE),
    is_on_target=open_column(pl.Boolean, "Whether the score reaches the target"),
    run_id=open_column(pl.String, "Run that measured it"),
    measured_at=open_column(UTC_TIME, "When"),
)

AUDIT_FINDINGS: Final[TableContract] = table(
    "audit_findings",
    "Something below its target, and who should look at it.",
    key=("finding_id", "scope", "delivery_id", "run_id"),
    rooms=("audit", "audit"),
    finding_id=open_column(pl.String, "source_system.attribute.dimension"),
    source_system=open_column(pl.String, "Source system"),
    scope=open_column(pl.String, "delivery or records", _SCOPE),
    delivery_id=open_column(pl.String, "The delivery, where one was scored", nullable=True),
    attribute=open_column(pl.String, "Attribute"),
    dimension=open_column(pl.String, "Dimension"),
    severity=open_column(pl.String, "warning or error", pa.Check.isin(["warning", "error"])),
    target=open_column(pl.Float64, "Share aimed at"),
    actual=open_column(pl.Float64, "Share found"),
    owner=open_column(pl.String, "Owner of the source", nullable=True),
    run_id=open_column(pl.String, "Run that found it"),
    found_at=open_column(UTC_TIME, "When"),
)

REVIEW_SAMPLES: Final[TableContract] = table(
    "review_samples",
    "A pair of records that people were asked about in a blind sample, and what its answer stands for.",
    key=("sample_id", "pair_number"),
    rooms=("audit", "audit"),
    sample_id=open_column(pl.String, "Id of the sample"),
    pair_number=open_column(pl.Int32, "Number of the pair in the sample, in random order", pa.Check.ge(1)),
    left_id=open_column(pl.Int64, "The smaller record id"),
    right_id=open_column(pl.Int64, "The larger record id"),
    stratum=open_column(pl.String, "What matching had done with the pair, and how strong its evidence was"),
    weight=open_column(pl.Float64, "Evidence in bits; empty where none was stored", nullable=True),
    pair_count=open_column(pl.Int64, "Pairs in the stratum, all together", pa.Check.ge(1)),
    sample_count=open_column(pl.Int64, "Pairs of them in the sample; each stands for pair_count / sample_count", pa.Check.ge(1)),
    drawn_count=open_column(pl.Int64, "Pairs in the sample, all together", pa.Check.ge(1)),
    seed=open_column(pl.Int64, "What the draw began from"),
    run_id=open_column(pl.String, "Names the command that drew it"),
    drawn_at=open_column(UTC_TIME, "When"),
)
