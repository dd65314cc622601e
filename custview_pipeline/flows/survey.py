"""The first pass over a delivery: what every row is known by, and what only the whole delivery can tell."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.row_times import updated_at
from custview_pipeline.flows.suppress import Suppression
from custview_pipeline.ingestion.changes import SURVEY, Returning
from custview_pipeline.ingestion.deletion_flags import are_deleted
from custview_pipeline.kernel.ports import Progress, Source
from custview_pipeline.protection.record_identity import content_digests, key_tokens, record_ids, source_keys
from custview_pipeline.validation.entries import DeliveryCount

BATCH_ROWS: Final = 50_000
DELETED_KEYS: Final = pl.Schema({"record_id": pl.Int64, "source_key": pl.String})
_IDENTIFIED: Final = pl.Schema({**SURVEY, "is_returning": pl.Boolean(), "is_judged": pl.Boolean()})


class Delivered(NamedTuple):
    """What is delivered, and how it is read.

    Attributes:
        contract: The contract of the source.
        source: Its files or tables.
        region: Default country of the project.
    """

    contract: SourceContract
    source: Source
    region: str


class Survey(NamedTuple):
    """What the first pass found.

    Attributes:
        rows: ``SURVEY``, one row a delivered row, in order.
        repeated: position, rule: delivered rows whose value must be unique, and that a row of another key has too.
        counted: Rows or values that break a rule, by the rule's name, for what is counted over the whole delivery.
        returning: Records that were erased before; where their rows are suppressed nothing above is counted of them.
        deleted_keys: ``DELETED_KEYS``, the key as it is stored of each row that calls its record deleted; nor is anything above
            counted of these.
    """

    rows: pl.DataFrame
    repeated: pl.DataFrame
    counted: dict[str, int]
    returning: Returning
    deleted_keys: pl.DataFrame


def headers_of(contract: SourceContract) -> list[str]:
    """Return the headers of the columns that are read, each once."""
    return list(dict.fromkeys(column.name for column in contract.columns))


def identify(contract: SourceContract, region: str, id_key: bytes, raw: pl.DataFrame) -> pl.DataFrame:
    """Return what each row is known by, ``SURVEY``: its record, its content, when it changed last, whether it was deleted.

    The content is without the time of the last change and without the word of a deletion: neither says anything of a customer.

    Args:
        contract: The contract of the source.
        region: Default country of the project.
        id_key: The purpose key ``id``.
        raw: The contract's columns, all String.
    """
    flags = [column.name for column in contract.carrying("deletion_flag")]
    aside = {*flags, *(column.name for column in contract.carrying("updated_at"))}
    content = [header for header in headers_of(contract) if header not in aside]
    columns = {
        "record_id": record_ids(id_key, contract.source_system, source_keys(raw[contract.key_column.name])),
        "content_digest": content_digests(id_key, raw.select(content)),
        "updated_at": updated_at(raw, contract, region=region),
        "is_deleted": _are_deleted(raw, flags),
    }
    return pl.DataFrame(columns, schema=SURVEY).with_columns(pl.col("is_deleted") & pl.col("record_id").is_not_null())


def survey(delivered: Delivered, suppression: Suppression, progress: Progress) -> Survey:
    """Read the delivery once.

    Raises:
        SourceUnreadable: The source is not as its contract says.
    """
    contract, source, region = delivered
    headers, keys = headers_of(contract), [DELETED_KEYS.to_frame()]
    frames, read, count = [_IDENTIFIED.to_frame()], 0, DeliveryCount(contract)
    for batch in source.batches(headers, rows=BATCH_ROWS):
        known_by = identify(contract, region, suppression.id_key, batch.frame)
        is_deleted, is_returning = known_by["is_deleted"], suppression.returning(known_by["record_id"])
        is_judged = ~is_deleted & ~is_returning if suppression.is_refusing else ~is_deleted
        if is_deleted.any():
            keys.append(_keys_of(contract, suppression.id_key, known_by, batch.frame))
        count.add(batch.frame if is_judged.all() else batch.frame.filter(is_judged))
        frames.append(known_by.with_columns(is_returning=is_returning, is_judged=is_judged))
        read += batch.frame.height
        progress.step(f"{contract.source_system} delivery", "rows read", read)
    rows = pl.concat(frames)
    repeated = _repeated(count, rows)
    returning = Returning(rows.filter("is_returning")["record_id"].unique(), suppression.is_refusing)
    counted = {**count.broken(), **dict(repeated.group_by("rule").len().iter_rows())}
    return Survey(rows.select(SURVEY.names()), repeated, counted, returning, pl.concat(keys))


def _are_deleted(raw: pl.DataFrame, flags: Sequence[str]) -> pl.Series:
    nobody = pl.repeat(value=False, n=raw.height, eager=True)
    return reduce(or_, (are_deleted(raw[name]) for name in flags), nobody)


def _keys_of(contract: SourceContract, id_key: bytes, known_by: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """Return ``DELETED_KEYS`` of the rows that call their record deleted."""
    column, is_deleted = contract.key_column, known_by["is_deleted"]
    keys = source_keys(raw[column.name].filter(is_deleted))
    stored = key_tokens(id_key, contract.source_system, keys) if column.is_personal else keys
    return pl.DataFrame([known_by["record_id"].filter(is_deleted), stored.alias("source_key")])


def _repeated(count: DeliveryCount, rows: pl.DataFrame) -> pl.DataFrame:
    """Return position in the delivery and rule of the rows whose value another one has; among those judged."""
    judged = rows.with_row_index("position").filter("is_judged")
    found = count.repeated(judged["record_id"])
    return found.with_columns(position=judged["position"].gather(found["position"]))
