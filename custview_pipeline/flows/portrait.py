"""One customer, as ``custview show`` and ``reveal`` print it: each value, where it comes from and why it won."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.flows.current import current_crosswalk, current_records
from custview_pipeline.flows.customer_history import what_became
from custview_pipeline.flows.export import mask_values
from custview_pipeline.flows.reveal import golden_values, open_values
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring


class Portrait(NamedTuple):
    """A customer.

    Attributes:
        cuid: The customer id.
        entity_type: person or enterprise.
        values: attribute, value, source_system, trust_score, source_count, is_contested, reason.
        records: source_system, source_key, updated_at of each source record.
    """

    cuid: Cuid
    entity_type: str
    values: pl.DataFrame
    records: pl.DataFrame


class Shown(StrEnum):
    """How a value of a customer is shown."""

    FULL = "full"
    MASKED = "masked"
    NO_KEY = "no_key"  # the key of its record is gone
    UNKNOWN = "unknown"  # no source gives one


def portray(snapshot: Snapshot, keyring: Keyring, cuid: Cuid, *, in_full: Collection[str] = ()) -> Portrait:
    """Return one customer, values masked but for the attributes ``in_full``; the caller has logged their reveal.

    Raises:
        UnknownCustomer: There is none with this id; the message names the heir of a merged one.
    """
    with silenced("reading a customer"):
        golden = _golden(snapshot, cuid)
        values = open_values(snapshot, keyring, golden_values(golden))
        records = current_records(snapshot).select("record_id", "source_system", "source_key", "updated_at")
        own = current_crosswalk(snapshot).filter(pl.col("cuid") == cuid).select("record_id")
        shown = mask_values(values, in_full=in_full)
        return Portrait(
            cuid=cuid,
            entity_type=golden["entity_type"][0],
            values=_with_reasons(snapshot, shown, golden["version"][0]).join(
                records.select("record_id", "source_system"), on="record_id", how="left", maintain_order="left"
            ),
            records=records.join(own, on="record_id", how="semi").sort("source_system", "source_key").drop("record_id"),
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
        pointers = golden_values(_golden(snapshot, cuid)).filter(pl.col("attribute").is_in(list(fields)))
        values = mask_values(open_values(snapshot, keyring, pointers), in_full=in_full)
        known = {attribute: (value, is_open) for attribute, value, is_open in _told(values).iter_rows()}
        rows = [(field, *_as_shown(known.get(field), is_full=field in in_full)) for field in fields]
        return pl.DataFrame(rows, schema={"attribute": pl.String, "value": pl.String, "shown": pl.String}, orient="row")


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


def _golden(snapshot: Snapshot, cuid: Cuid) -> pl.DataFrame:
    golden = newest(snapshot.read(GOLDEN_RECORDS.name).filter(pl.col("cuid") == cuid), ["cuid"]).filter("is_active")
    if golden.is_empty():
        raise UnknownCustomer(what_became(snapshot, cuid))
    return golden


def _with_reasons(snapshot: Snapshot, values: pl.DataFrame, version: int) -> pl.DataFrame:
    """Add why each value won."""
    lineage = snapshot.read(GOLDEN_LINEAGE.name, ["cuid", "version", "attribute", "rank", "reason"])
    won = lineage.filter((pl.col("version") == version) & (pl.col("rank") == 1))
    return values.join(won.select("cuid", "attribute", "reason"), on=["cuid", "attribute"], how="left", maintain_order="left")
