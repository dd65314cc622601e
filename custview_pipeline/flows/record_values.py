"""Opens what single records say, for those who look at them side by side; masked but for what a logged reveal allows."""

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.flows.airlock import RECORD_PLACE, VALUE
from custview_pipeline.flows.named_records import Member
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask
from custview_pipeline.protection.vault import Rows, Sealed

_PAYLOAD: Final = pl.Struct({"values": pl.List(VALUE)})


def record_values(
    snapshot: Snapshot, keyring: Keyring, records: Sequence[Member], *, in_full: Collection[str] = ()
) -> pl.DataFrame:
    """Return the golden attributes of some records as their sources give them.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        records: The records; no other is opened.
        in_full: Attributes that are not masked; the caller has logged their reveal.

    Returns:
        record_id, attribute, slot, value; one row a value, in the order of the dictionary. A record whose key is gone has none.

    Raises:
        UnsealFailed: A sealed record was altered or moved.
    """
    with silenced("opening records"):
        ids = [record.record_id for record in records]
        wanted = pl.DataFrame({"record_id": ids, "version": [record.version for record in records]})
        columns = ["record_id", "version", "payload_sealed"]
        stored = snapshot.read(PROTECTED_RECORDS.name, columns, where=pl.col("record_id").is_in(ids))
        sealed = stored.join(wanted.cast({"version": pl.Int32}), on=["record_id", "version"], how="semi")
        rows = Rows(sealed["record_id"], sealed["version"])
        payloads = keyring.vault().unseal(RECORD_PLACE, rows, Sealed(sealed["payload_sealed"], snapshot.materials(*rows)))
        said = (
            sealed.select("record_id", payload=payloads.cast(pl.String).str.json_decode(_PAYLOAD))
            .select("record_id", said=pl.col("payload").struct.field("values"))
            .explode("said")
            .unnest("said")
            .filter(pl.col("value").is_not_null(), pl.col("attribute").is_in(list(GOLDEN_ATTRIBUTES)))
        )
        shown = [
            value if attribute in in_full else mask(attribute, value)
            for attribute, value in said.select("attribute", "value").iter_rows()
        ]
        order = {name: place for place, name in enumerate(GOLDEN_ATTRIBUTES)}
        place = pl.col("attribute").replace_strict(order, return_dtype=pl.Int32)
        return (
            said.with_columns(value=pl.Series(shown, dtype=pl.String))
            .sort("record_id", place, "slot")
            .select("record_id", "attribute", "slot", "value")
        )
