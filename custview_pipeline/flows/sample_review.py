"""A blind sample of pairs of records: drawn, kept as ids and numbers, and laid out for people who judge it."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from custview_pipeline.audit.blind_sample import Thresholds, draw
from custview_pipeline.contracts.audit_tables import REVIEW_SAMPLES
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.flows.current import current_crosswalk, current_edges, current_records
from custview_pipeline.flows.named_records import Member, members
from custview_pipeline.flows.record_values import record_values
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask

COMPARED: Final = (
    "name", "legal_name", "trading_name", "birth_date", "gender", "email", "phone", "address", "national_id", "tax_id", "lei",
    "website", "birth_place", "occupation", "employer",
)  # fmt: skip
SAID: Final = ("sample_id", "pair_number", "left_record", "right_record", "answer", "reviewer")
_ID_BYTES: Final = 5
_BETWEEN: Final = "; "  # values of an attribute of which a record has several
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is a formula to a spreadsheet (OWASP, CSV Injection)
_AS_TEXT: Final = "'"


@dataclass(frozen=True, slots=True)
class Request:
    """What sample is wanted.

    Attributes:
        count: Pairs.
        seed: The same seed draws the same pairs from the same lake.
        thresholds: Of the rulebook; they tell the strata.
        near_misses: left_id, right_id, weight of pairs that were compared, most of them too weak to be stored; of those that
            are stored the stored weight counts.
    """

    count: int
    seed: int
    thresholds: Thresholds
    near_misses: pl.DataFrame


def draw_sample(snapshot: Snapshot, request: Request, *, run_id: str) -> pl.DataFrame:
    """Return a sample as rows of review_samples, in the order of its numbers.

    Raises:
        LakeError: No two records have anything in common.
        ProjectInvalid: There are more strata than pairs wanted.
    """
    with silenced("drawing a sample"):
        stored = current_edges(snapshot).select("left_id", "right_id", "weight")
        pair = ["left_id", "right_id"]
        further = request.near_misses.select(stored.columns).join(stored, on=pair, how="anti")
        # The crosswalk names a record that its source has deleted until the next matching; there is nothing to show of it.
        owners = current_crosswalk(snapshot).join(current_records(snapshot), on="record_id", how="semi")
        drawn = draw(pl.concat([stored, further]), owners, request.thresholds, request.count, request.seed)
        if drawn.is_empty():
            raise LakeError("there is no pair to judge: no two records here have anything in common")
        # An id that no spreadsheet takes for a number.
        sample_id = f"S{secrets.token_hex(_ID_BYTES)}"
        now = pl.lit(datetime.now(UTC), REVIEW_SAMPLES.types["drawn_at"])
        return drawn.with_columns(
            sample_id=pl.lit(sample_id),
            drawn_count=pl.lit(drawn.height, pl.Int64),
            seed=pl.lit(request.seed, pl.Int64),
            run_id=pl.lit(run_id),
            drawn_at=now,
        ).select(REVIEW_SAMPLES.types.names())


def store_sample(lake: LakeWriter, sample: pl.DataFrame, *, run_id: str) -> None:
    """Keep a sample, so that its answers can be told from others and say something of all pairs."""
    with silenced("storing a sample"), lake.commit(run_id) as commit:
        commit.append(REVIEW_SAMPLES.name, sample)


def lay_out(snapshot: Snapshot, keyring: Keyring, sample: pl.DataFrame, *, in_full: Collection[str] = ()) -> pl.DataFrame:
    """Return the sheet that people judge: a row a pair, values side by side; no weight, no stratum, no customer.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        sample: Rows of review_samples.
        in_full: Golden attributes that are not masked; the caller has logged their reveal.

    Returns:
        ``SAID``, and of each attribute that a record of the sample has ``left_...``, ``right_...`` and ``..._equal``: whether the
        records have a value in common, yes or no, for masks alone do not tell; empty where one of them has none.
    """
    with silenced("laying out a sample"):
        known = _members_of(snapshot, sample)
        values = record_values(snapshot, keyring, known, in_full=GOLDEN_ATTRIBUTES)
        sheet = sample.select(
            "sample_id",
            pl.col("pair_number"),
            *(_name_of(side, known).alias(f"{side}_record") for side in ("left", "right")),
            "left_id",
            "right_id",
        )
        for attribute in COMPARED:
            own = values.filter(pl.col("attribute") == attribute)
            if not own.is_empty():
                sheet = _with_attribute(sheet, own, attribute, is_masked=attribute not in in_full)
        unanswered = (pl.lit(None, pl.String).alias(name) for name in ("answer", "reviewer"))
        return sheet.drop("left_id", "right_id").with_columns(*unanswered)


def record_names(snapshot: Snapshot, record_ids: pl.Series) -> pl.DataFrame:
    """Return record_id and name (``source_system:source_key``) of current records."""
    own = current_records(snapshot).filter(pl.col("record_id").is_in(record_ids.implode()))
    return own.select("record_id", name=pl.format("{}:{}", "source_system", "source_key"))


def _members_of(snapshot: Snapshot, sample: pl.DataFrame) -> tuple[Member, ...]:
    ids = pl.concat([sample["left_id"], sample["right_id"].alias("left_id")]).unique()
    return members(snapshot, current_records(snapshot).filter(pl.col("record_id").is_in(ids.implode())))


def _name_of(side: str, known: Sequence[Member]) -> pl.Expr:
    names = {member.record_id: f"{member.source_system}:{member.source_key}" for member in known}
    return pl.col(f"{side}_id").replace_strict(names, return_dtype=pl.String)


def _with_attribute(sheet: pl.DataFrame, values: pl.DataFrame, attribute: str, *, is_masked: bool) -> pl.DataFrame:
    """Add both values of an attribute and whether they are equal."""
    own = values.group_by("record_id", maintain_order=True).agg(pl.col("value").unique(maintain_order=True))
    for side in ("left", "right"):
        sheet = sheet.join(
            own.rename({"record_id": f"{side}_id", "value": side}), on=f"{side}_id", how="left", maintain_order="left"
        )
    common = pl.col("left").list.set_intersection("right").list.len() > 0
    has_both = pl.col("left").is_not_null() & pl.col("right").is_not_null()
    equal = pl.when(has_both).then(pl.when(common).then(pl.lit("yes")).otherwise(pl.lit("no")))
    shown = {f"{side}_{attribute}": _shown(sheet[side], attribute, is_masked=is_masked) for side in ("left", "right")}
    return sheet.with_columns(**shown, **{f"{attribute}_equal": equal}).drop("left", "right")


def _shown(values: pl.Series, attribute: str, *, is_masked: bool) -> pl.Series:
    """Return the values of each record as one text, which a spreadsheet takes for a text; it is never read back."""
    said = [
        None if own is None else _unarmed(_BETWEEN.join(mask(attribute, value) if is_masked else value for value in own))
        for own in values.to_list()
    ]
    return pl.Series(said, dtype=pl.String)


def _unarmed(cell: str) -> str:
    return _AS_TEXT + cell if cell.startswith(_FORMULA) else cell
