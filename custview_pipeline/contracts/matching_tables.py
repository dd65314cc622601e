"""Tables of matching: model, edges, review tasks, crosswalk, history of customer ids."""

from typing import Final

import pandera.polars as pa
import polars as pl

from custview_pipeline.contracts.base import UTC_TIME, Sensitivity, TableContract, column, open_column, table

_SHARE: Final = pa.Check.in_range(0.0, 1.0)
_COUNT: Final = pa.Check.ge(0)
WITHDRAWN: Final = "WITHDRAWN"  # decision of an edge that is none any more
_CUID: Final = pa.Check.str_matches(r"^CU[0-9A-Z]{17}$")

MATCH_MODEL: Final[TableContract] = table(
    "match_model",
    "How often each level of agreement occurs among pairs of one customer, one household and strangers; the model that was put "
    "to use last is the one in use.",
    key=("model_version", "entity_type", "activated_at", "comparison", "level"),
    rooms=("matching", "matching, audit"),
    model_version=open_column(pl.String, "Digest of the model"),
    entity_type=open_column(pl.String, "person or enterprise"),
    position=open_column(pl.Int32, "Place of the comparison in a packed pattern"),
    comparison=open_column(pl.String, "What is compared"),
    level=open_column(pl.Int32, "1 is full agreement", pa.Check.ge(1)),
    meaning=open_column(pl.String, "The level in words"),
    match_probability=open_column(pl.Float64, "Its probability among pairs of one customer", _SHARE),
    household_probability=open_column(pl.Float64, "Its probability among two people of one household", _SHARE),
    unrelated_probability=open_column(pl.Float64, "Its probability among strangers", _SHARE),
    match_share=open_column(pl.Float64, "Share of all pairs that are one customer", _SHARE),
    household_share=open_column(pl.Float64, "Share of all pairs that are one household", _SHARE),
    unrelated_share=open_column(pl.Float64, "Share of all pairs that are strangers", _SHARE),
    trained_on_count=open_column(pl.Int64, "Records it was learned from"),
    calibration=open_column(pl.Float64, "Bits added to every weight, as the answers of stewards ask for"),
    decision_count=open_column(pl.Int64, "Answers of stewards that it was learned from"),
    is_imported=open_column(pl.Boolean, "Came from another lake; is not learned anew as this one grows"),
    base=open_column(pl.String, "Model that was in use when it was made", nullable=True),
    trained_by_run=open_column(pl.String, "Run that learned it, of this lake or another"),
    trained_at=open_column(UTC_TIME, "When"),
    activated_at=open_column(UTC_TIME, "When it was put to use; empty where it was only kept", nullable=True),
)

MATCH_EDGES: Final[TableContract] = table(
    "match_edges",
    "The evidence between two records, for pairs that are or may be one customer; the newest version of a pair holds.",
    key=("left_id", "right_id", "version"),
    rooms=("matching", "stewardship, audit"),
    left_id=open_column(pl.Int64, "The smaller record id"),
    right_id=open_column(pl.Int64, "The larger record id"),
    version=open_column(pl.Int32, "1, 2, ... as the evidence changes", pa.Check.ge(1)),
    weight=open_column(pl.Float64, "Evidence in bits, rounded to half a bit"),
    probability=open_column(pl.Float64, "Probability that both are one customer", _SHARE),
    decision=open_column(
        pl.String,
        "Decision; WITHDRAWN where the pair is none any more",
        pa.Check.isin(["MATCH", "POSSIBLE_MATCH", "NO_MATCH", WITHDRAWN]),
    ),
    rule=open_column(pl.String, "What decided: the model, or a rule by name"),
    pattern=column(pl.Int64, Sensitivity.OPEN, "Level of each comparison, four bits each; never a token"),
    model_version=open_column(pl.String, "Model that scored it"),
)

MATCH_GROUPS: Final[TableContract] = table(
    "match_groups",
    "Records that are linked, directly or through others, by evidence that may make them one customer: clusters are decided "
    "within a group, so a change of one record can touch its group alone. The newest version of a record holds.",
    key=("record_id", "version"),
    rooms=("matching", "matching"),
    record_id=open_column(pl.Int64, "Keyed id of the record"),
    version=open_column(pl.Int32, "1, 2, ... as its group changes", pa.Check.ge(1)),
    group_id=open_column(pl.Int64, "Smallest record id of the group; its own where the record is linked to none"),
)

MATCH_RUNS: Final[TableContract] = table(
    "match_runs",
    "What one run of matching worked on, and how many records, customers, edges and tasks there are since.",
    key=("run_id",),
    rooms=("matching", "audit"),
    run_id=open_column(pl.String, "Run"),
    scope=open_column(pl.String, "whole, or change", pa.Check.isin(["whole", "change"])),
    record_count=open_column(pl.Int64, "Records there are", _COUNT),
    customer_count=open_column(pl.Int64, "Customers there are", _COUNT),
    largest_customer=open_column(
        pl.Int64, "Records of the largest customer; after a change, of the larger of what it touched and what was before", _COUNT
    ),
    match_count=open_column(pl.Int64, "Edges that are a match", _COUNT),
    possible_match_count=open_column(pl.Int64, "Edges that are a possible match", _COUNT),
    review_count=open_column(pl.Int64, "Open review tasks", _COUNT),
    touched_count=open_column(pl.Int64, "Records decided anew", _COUNT),
    moved_count=open_column(pl.Int64, "Records that are new, moved to another customer, or gone", _COUNT),
    continuity=open_column(
        pl.Float64,
        "Share of the customers there were that go on under their id; empty without any",
        _SHARE,
        nullable=True,
    ),
    happened_at=open_column(UTC_TIME, "When"),
)

MATCH_VOLUMES: Final[TableContract] = table(
    "match_volumes",
    "What a run of matching compared and found, by entity type: how far a change drifts from the model is told by this.",
    key=("run_id", "entity_type"),
    rooms=("matching", "audit"),
    run_id=open_column(pl.String, "Run"),
    entity_type=open_column(pl.String, "person or enterprise"),
    scope=open_column(pl.String, "whole, or change", pa.Check.isin(["whole", "change"])),
    model_version=open_column(pl.String, "Model that scored; empty where there was nothing to compare"),
    changed_count=open_column(pl.Int64, "Records worked on: all of them, or those that changed", _COUNT),
    compared_count=open_column(pl.Int64, "For each of them the pairs compared that it is in, added up", _COUNT),
    match_count=open_column(pl.Int64, "The same of the matches", _COUNT),
    level_shift=open_column(
        pl.Float64,
        "Of the levels of matches: largest distance of a comparison from the first whole run by this model, 0 to 1",
        _SHARE,
        nullable=True,
    ),
    levels=open_column(pl.List(pl.Float64), "Share of each level of each comparison among matches, sixteen a comparison"),
    happened_at=open_column(UTC_TIME, "When"),
)

REVIEW_TASKS: Final[TableContract] = table(
    "review_tasks",
    "A pair of records that a steward should look at; the newest version of a pair holds.",
    key=("left_id", "right_id", "version"),
    rooms=("stewardship", "stewardship"),
    left_id=open_column(pl.Int64, "The smaller record id"),
    right_id=open_column(pl.Int64, "The larger record id"),
    version=open_column(pl.Int32, "1, 2, ... as the task changes", pa.Check.ge(1)),
    is_open=open_column(pl.Boolean, "Whether there is still something to look at"),
    kind=open_column(
        pl.String,
        "Why it is shown: two customers that may be one, or one that may be two",
        pa.Check.isin(["possible_match", "contradicted_match", "rule_conflict", "contradicted_customer", "large_customer"]),
    ),
    left_cuid=open_column(pl.String, "Customer of the left record", _CUID),
    right_cuid=open_column(pl.String, "Customer of the right record", _CUID),
    weight=open_column(pl.Float64, "Evidence in bits"),
    run_id=open_column(pl.String, "Run that found it"),
)

CROSSWALK: Final[TableContract] = table(
    "crosswalk",
    "Which customer a source record belongs to, version by version.",
    key=("record_id", "version"),
    rooms=("matching", "survivorship, views, audit"),
    record_id=open_column(pl.Int64, "Keyed id of the record"),
    source_system=open_column(pl.String, "Source system"),
    source_key=open_column(pl.String, "Key in the source; a token where the contract calls it personal"),
    cuid=open_column(pl.String, "Customer id; empty where the record is gone", _CUID, nullable=True),
    version=open_column(pl.Int32, "1, 2, ... as the record moves", pa.Check.ge(1)),
    run_id=open_column(pl.String, "Run that decided it"),
    valid_from_at=open_column(UTC_TIME, "From when on it holds"),
)

CUID_HISTORY: Final[TableContract] = table(
    "cuid_history",
    "What happened to a customer id.",
    key=("cuid", "event", "run_id"),
    rooms=("matching", "views, audit"),
    cuid=open_column(pl.String, "Customer id", _CUID),
    event=open_column(
        pl.String, "Event", pa.Check.isin(["created", "merged_into", "split_from", "retired", "reactivated", "erased"])
    ),
    other_cuid=open_column(pl.String, "The customer merged into or split from", _CUID, nullable=True),
    founding_record_id=open_column(
        pl.Int64, "Record the id was minted from, at creation; empty where it was erased", nullable=True
    ),
    run_id=open_column(pl.String, "Run"),
    happened_at=open_column(UTC_TIME, "When"),
)
