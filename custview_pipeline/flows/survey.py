"""The first pass over a delivery: what every row is known by, and what only the whole delivery can tell."""

from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.suppress import Suppression
from custview_pipeline.ingestion.changes import SURVEY, Returning
from custview_pipeline.kernel.ports import Progress, Source
from custview_pipeline.protection.record_identity import content_digests, record_ids, source_keys
from custview_pipeline.validation.entries import DeliveryCount

BATCH_ROWS: Final = 25_000
_IDENTIFIED: Final = pl.Schema({**SURVEY, "is_returning": pl.Boolean(), "is_judged": pl.Boolean()})


class Survey(NamedTuple):
    """What the first pass found.

    Attributes:
        rows: ``SURVEY``, one row a delivered row, in order.
        repeated: position, rule: delivered rows whose value must be unique, and that a row of another key has too.
        counted: Rows or values that break a rule, by the rule's name, for what is counted over the whole delivery.
        returning: Records that were erased before; where their rows are suppressed nothing above is counted of them.
    """

    rows: pl.DataFrame
    repeated: pl.DataFrame
    counted: dict[str, int]
    returning: Returning


def headers_of(contract: SourceContract) -> list[str]:
    """Return the headers of the columns that are read, each once."""
    return list(dict.fromkeys(column.name for column in contract.columns))


def identify(contract: SourceContract, id_key: bytes, raw: pl.DataFrame) -> pl.DataFrame:
    """Return what each row is known by, ``SURVEY``: its record, and its content without the moment of its last change.

    Args:
        contract: The contract of the source.
        id_key: The purpose key ``id``.
        raw: The contract's columns, all String.
    """
    when = {column.name for column in contract.carrying("updated_at")}
    content = [header for header in headers_of(contract) if header not in when]
    keys = source_keys(raw[contract.key_column.name])
    columns = {
        "record_id": record_ids(id_key, contract.source_system, keys),
        "content_digest": content_digests(id_key, raw.select(content)),
    }
    return pl.DataFrame(columns, schema=SURVEY)


def survey(contract: SourceContract, source: Source, suppression: Suppression, progress: Progress) -> Survey:
    """Read the delivery once.

    Raises:
        SourceUnreadable: The source is not as its contract says.
    """
    headers = headers_of(contract)
    frames, read, count = [_IDENTIFIED.to_frame()], 0, DeliveryCount(contract)
    for batch in source.batches(headers, rows=BATCH_ROWS):
        known_by = identify(contract, suppression.id_key, batch.frame)
        is_returning = suppression.returning(known_by["record_id"])
        is_judged = ~is_returning if suppression.is_refusing else pl.repeat(value=True, n=len(is_returning), eager=True)
        count.add(batch.frame if is_judged.all() else batch.frame.filter(is_judged))
        frames.append(known_by.with_columns(is_returning=is_returning, is_judged=is_judged))
        read += batch.frame.height
        progress.step(f"{contract.source_system} delivery", "rows read", read)
    rows = pl.concat(frames)
    repeated = _repeated(count, rows)
    returning = Returning(rows.filter("is_returning")["record_id"].unique(), suppression.is_refusing)
    counted = {**count.broken(), **dict(repeated.group_by("rule").len().iter_rows())}
    return Survey(rows.select(SURVEY.names()), repeated, counted, returning)


def _repeated(count: DeliveryCount, rows: pl.DataFrame) -> pl.DataFrame:
    """Return position in the delivery and rule of the rows whose value another one has; among those judged."""
    judged = rows.with_row_index("position").filter("is_judged")
    found = count.repeated(judged["record_id"])
    return found.with_columns(position=judged["position"].gather(found["position"]))
