"""One customer, as ``custview show`` and ``reveal`` print it: each value, where it comes from and why it won."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE
from custview_pipeline.flows.as_of import crosswalk_at, erased_count, golden_at, records_at
from custview_pipeline.flows.export import mask_values
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.survivorship.reasons import SUMMED

KEPT: Final = "kept"
_OPEN: Final = [name for name, attribute in GOLDEN_ATTRIBUTES.items() if attribute.is_open]
_ORDER: Final = {name: place for place, name in enumerate(GOLDEN_ATTRIBUTES)}


class Portrait(NamedTuple):
    """A customer, now or as it was at a moment.

    Attributes:
        cuid: The customer id.
        entity_type: person or enterprise.
        values: attribute, value, source_system, trust_score, source_count, is_contested, reason and, of a sum, part_count; one
            row a value, the winner of an attribute first. Those that are kept beside it have the reason ``KEPT`` and no
            source_count.
        records: source_system, source_key, updated_at of each source record.
        as_of: The moment that was asked about, UTC; None where it is now.
        valid_from_at: From when on this version of the golden record holds, or held.
        erased_count: Source records of then that were erased since; what they said is not known any more.
    """

    cuid: Cuid
    entity_type: str
    values: pl.DataFrame
    records: pl.DataFrame
    as_of: datetime | None = None
    valid_from_at: datetime | None = None
    erased_count: int = 0


class Shown(StrEnum):
    """How a value of a customer is shown."""

    FULL = "full"
    MASKED = "masked"
    NO_KEY = "no_key"  # the key of its record is gone
    UNKNOWN = "unknown"  # no source gives one


def portray(
    snapshot: Snapshot, keyring: Keyring, cuid: Cuid, *, in_full: Collection[str] = (), as_of: datetime | None = None
) -> Portrait:
    """Return one customer, values masked but for the attributes ``in_full``; the caller has logged their reveal.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        cuid: The customer.
        in_full: Golden attributes that are not masked.
        as_of: The moment that is asked about, UTC; now by default. Values are as the records of then said them.

    Raises:
        UnknownCustomer: There is, or was, none with this id; the message names the heir of a merged one, or when it came to be.
    """
    with silenced("reading a customer"):
        golden = golden_at(snapshot, cuid, as_of)
        told = values_and_kept(snapshot, keyring, golden).with_columns(part_count=pl.col("parts").list.len()).drop("parts")
        shown = mask_values(told, in_full=in_full)
        own = crosswalk_at(snapshot, cuid, as_of)["record_id"]
        records = records_at(snapshot, own, as_of).filter(~pl.col("is_deleted"))
        sources = records_at(snapshot, shown["record_id"]).select("record_id", "source_system")
        return Portrait(
            cuid=cuid,
            entity_type=golden["entity_type"][0],
            values=shown.join(sources, on="record_id", how="left", maintain_order="left").sort(
                pl.col("attribute").replace_strict(_ORDER, return_dtype=pl.Int32), maintain_order=True
            ),
            records=records.select("source_system", "source_key", "updated_at").sort("source_system", "source_key"),
            as_of=as_of,
            valid_from_at=golden["valid_from_at"][0],
            erased_count=erased_count(snapshot, golden),
        )


def reveal(snapshot: Snapshot, keyring: Keyring, cuid: Cuid, fields: Sequence[str], *, in_full: Collection[str]) -> pl.DataFrame:
    """Return some values of one customer; no record but those that hold them is opened.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        cuid: The customer.
        fields: Golden attributes; the caller has logged their reveal.
        in_full: Those of them that are not masked.

    Returns:
        attribute, value (null where there is none), shown (a ``Shown``), in the order of ``fields``.

    Raises:
        UnknownCustomer: There is none with this id; the message names the heir of a merged one.
    """
    with silenced("revealing a customer"):
        values = mask_values(told_values(snapshot, keyring, golden_at(snapshot, cuid), fields), in_full=in_full)
        known = {attribute: (value, is_open) for attribute, value, is_open in _told(values).iter_rows()}
        rows = [(field, *_as_shown(known.get(field), is_full=field in in_full)) for field in fields]
        return pl.DataFrame(rows, schema={"attribute": pl.String, "value": pl.String, "shown": pl.String}, orient="row")


def told_values(
    snapshot: Snapshot, keyring: Keyring, golden: pl.DataFrame, attributes: Collection[str] = tuple(GOLDEN_ATTRIBUTES)
) -> pl.DataFrame:
    """Return the readable values of golden records, as ``flows.reveal.open_values`` does.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        golden: Rows of golden_records.
        attributes: Which; no record but those that hold them is opened.

    Raises:
        UnsealFailed: A sealed record was altered or moved.
    """
    return open_values(snapshot, keyring, golden_values(golden).filter(pl.col("attribute").is_in(list(attributes))))


def values_and_kept(snapshot: Snapshot, keyring: Keyring, golden: pl.DataFrame) -> pl.DataFrame:
    """Return the readable values of one golden record, as ``flows.reveal.open_values`` does, and those kept beside them.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        golden: One row of golden_records.

    Returns:
        The winners, then what is kept beside them, each with its ``reason`` (``KEPT`` of the latter) and ``parts``: record_id and
        record_version of the values that a sum is made of, null of any other value.

    Raises:
        UnsealFailed: A sealed record was altered or moved.
    """
    lineage = _lineage(snapshot, golden)
    winners = _with_reasons(golden, lineage)
    opened = open_values(snapshot, keyring, pl.concat([winners, _kept_beside(winners, lineage)]))
    # Only winners are stored readable; a valid value beside them is no more secret than they are.
    is_open = (pl.col("reason") == KEPT) & pl.col("attribute").is_in(_OPEN) & pl.col("is_valid")
    return opened.with_columns(open_value=pl.when(is_open).then("value").otherwise("open_value"))


def _told(values: pl.DataFrame) -> pl.DataFrame:
    return values.select("attribute", "value", is_open=pl.col("open_value").is_not_null())


def _as_shown(known: tuple[str | None, bool] | None, *, is_full: bool) -> tuple[str | None, Shown]:
    """Return a value and how it is shown.

    Args:
        known: The value as it is shown, null where its record has no key, and whether it is stored open; None where there is
            none.
        is_full: Whether it was to be shown in full.
    """
    if known is None:
        return None, Shown.UNKNOWN
    value, is_open = known
    if value is None:
        return None, Shown.NO_KEY
    return value, Shown.FULL if is_full or is_open else Shown.MASKED


def _with_reasons(golden: pl.DataFrame, lineage: pl.DataFrame) -> pl.DataFrame:
    """Return the pointers of a golden record, why each won and, of a sum, its parts."""
    won = lineage.filter(pl.col("rank") == 1).select("attribute", "reason")
    parts = lineage.filter(pl.col("reason") == SUMMED).group_by("attribute", maintain_order=True)
    sums = parts.agg(parts=pl.struct("record_id", "record_version"))
    told = golden_values(golden).join(won, on="attribute", how="left", maintain_order="left")
    return told.join(sums, on="attribute", how="left", maintain_order="left")


def _kept_beside(known: pl.DataFrame, lineage: pl.DataFrame) -> pl.DataFrame:
    """Return pointers to the values that a golden record keeps beside the winners, the best first; parts of a sum are none.

    Args:
        known: What ``_with_reasons`` returns; its columns are taken.
        lineage: What ``_lineage`` returns.
    """
    is_beside = pl.col("is_kept") & (pl.col("rank") > 1) & (pl.col("reason") != SUMMED)
    kept = lineage.filter(is_beside).sort("attribute", "rank")
    told = kept.with_columns(is_contested=pl.lit(value=False), reason=pl.lit(KEPT))
    return pl.concat([known.clear(), told.select(name for name in known.columns if name in told.columns)], how="diagonal")


def _lineage(snapshot: Snapshot, golden: pl.DataFrame) -> pl.DataFrame:
    """Return the candidates for the values of a golden record that are in it."""
    is_in_it = pl.col("is_kept") | (pl.col("rank") == 1)
    is_its = (pl.col("cuid") == golden["cuid"][0]) & (pl.col("version") == golden["version"][0])
    return snapshot.read(GOLDEN_LINEAGE.name, where=is_its & is_in_it).sort("attribute", "rank")
