"""The claims of the match index, read so that few of them are in memory at once."""

from collections.abc import Iterator
from typing import Final

import polars as pl

from custview_pipeline.contracts.match_index import CLAIMS, IndexPart
from custview_pipeline.flows.current import refuse_outdated
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.survivorship.claims import ATTRIBUTES

_ROWS_AT_ONCE: Final = 1_000_000


def stored_claims(snapshot: Snapshot, record_ids: pl.Series | None = None) -> Iterator[pl.DataFrame]:
    """Yield the stored claims of some records, or by default of all, in any version; attributes are of ``ATTRIBUTES``.

    Raises:
        IndexOutdated: The match index was made by other rules than today's; what was delivered since is not in it.
    """
    refuse_outdated(snapshot)
    held = [pl.DataFrame(schema={**CLAIMS, "attribute": ATTRIBUTES})]
    for segment in snapshot.index_segments(IndexPart.CLAIMS):
        wanted = segment if record_ids is None else segment.filter(pl.col("record_id").is_in(record_ids.implode()))
        held.append(wanted.with_columns(pl.col("attribute").cast(ATTRIBUTES)))
        # A refresh adds a small segment: to work on each by itself would cost more than all of them together.
        if sum(rows.height for rows in held) > _ROWS_AT_ONCE:
            yield pl.concat(held)
            held = held[:1]
    yield pl.concat(held)
