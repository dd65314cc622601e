"""Opens the values that golden records point to; whoever calls it masks them, or has logged the reveal before."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.flows.airlock import RECORD_PLACE
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.vault import Rows, Sealed

_VALUE: Final = pl.Struct(
    {"attribute": pl.String, "slot": pl.Int16, "value": pl.String, "parts": pl.String, "is_valid": pl.Boolean}
)
_PAYLOAD: Final = pl.Struct({"values": pl.List(_VALUE)})


def golden_values(golden: pl.DataFrame) -> pl.DataFrame:
    """Return the pointers of golden records, one row a value.

    Returns:
        cuid, attribute, record_id, record_version, slot, trust_score, source_count, is_contested and open_value (what is stored
        readable; null where the value is sealed), in the order of cuid and of the dictionary.
    """
    order = {name: place for place, name in enumerate(GOLDEN_ATTRIBUTES)}
    pointers = [
        golden.filter(pl.col(name).is_not_null()).select(
            "cuid",
            attribute=pl.lit(name),
            open_value=pl.col(name).struct.field("value") if attribute.is_open else pl.lit(None, pl.String),
            **{
                field: pl.col(name).struct.field(field)
                for field in ("record_id", "record_version", "slot", "trust_score", "source_count", "is_contested")
            },
        )
        for name, attribute in GOLDEN_ATTRIBUTES.items()
    ]
    return pl.concat(pointers).sort("cuid", pl.col("attribute").replace_strict(order, return_dtype=pl.Int32))


def open_values(snapshot: Snapshot, keyring: Keyring, pointers: pl.DataFrame) -> pl.DataFrame:
    """Add the readable ``value`` to each pointer and whether it ``is_valid``; null where its record was shredded.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        pointers: record_id, record_version, attribute, slot, open_value and any other columns. An open value is told as it stands
            there: a sum is the value of none of its records.

    Raises:
        UnsealFailed: A sealed record was altered or moved.
    """
    with silenced("opening sealed values"):
        wanted = pointers.select("record_id", version="record_version").unique()
        sealed = snapshot.read(PROTECTED_RECORDS.name, ["record_id", "version", "payload_sealed"]).join(
            wanted, on=["record_id", "version"], how="semi"
        )
        rows = Rows(sealed["record_id"], sealed["version"])
        materials = snapshot.materials(*rows)
        payloads = keyring.vault().unseal(RECORD_PLACE, rows, Sealed(sealed["payload_sealed"], materials))
        values = (
            sealed.select("record_id", record_version="version")
            .with_columns(payload=payloads.cast(pl.String).str.json_decode(_PAYLOAD))
            .select("record_id", "record_version", values=pl.col("payload").struct.field("values"))
            .explode("values")
            .unnest("values")
            .select("record_id", "record_version", "attribute", "slot", "value", "is_valid")
        )
        opened = pointers.join(values, on=["record_id", "record_version", "attribute", "slot"], how="left", maintain_order="left")
        stated = pl.coalesce("open_value", "value")
        return opened.with_columns(value=pl.when(pl.col("value").is_not_null()).then(stated))
