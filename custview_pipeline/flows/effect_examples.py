"""Some of what another rulebook would do, for people to look at: by customer id and by the names of records, never a value."""

from typing import NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.flows.rulebook_effect import RulebookEffect
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest


class Examples(NamedTuple):
    """Some of each kind; records are named ``source_system:source_key``.

    Attributes:
        events: cuid, event, other_cuid, record_count; of each event those with the most records.
        moves: record, before, after (CUID).
        tasks: change, kind, left, right.
        values: attribute, change, cuid, before, after (records that the value comes from; null where there is none).
    """

    events: pl.DataFrame
    moves: pl.DataFrame
    tasks: pl.DataFrame
    values: pl.DataFrame


def examples_of(lake: Snapshot, effect: RulebookEffect, limit: int) -> Examples:
    """Return some of each kind of effect, always the same ones.

    Args:
        lake: The lake.
        effect: What would happen.
        limit: How many of each kind.
    """
    with silenced("naming examples"):
        events = effect.events.sort("event", "record_count", "cuid", descending=[False, True, False])
        moves, tasks = effect.moves.head(limit), _some(effect.tasks, ["change"], limit)
        values = _some(effect.values, ["attribute", "change"], limit)
        shown = [moves["record_id"], tasks["left_id"], tasks["right_id"], values["before_id"], values["after_id"]]
        names = _names(lake, pl.concat([ids.alias("record_id") for ids in shown]).drop_nulls().unique())
        return Examples(
            events=_some(events, ["event"], limit),
            moves=moves.select(_named("record_id", "record", names), "before", "after"),
            tasks=tasks.select("change", "kind", _named("left_id", "left", names), _named("right_id", "right", names)),
            values=values.select(
                "attribute", "change", "cuid", _named("before_id", "before", names), _named("after_id", "after", names)
            ),
        )


def _some(rows: pl.DataFrame, kind: list[str], limit: int) -> pl.DataFrame:
    return rows.filter(pl.int_range(pl.len()).over(kind) < limit)


def _names(lake: Snapshot, record_ids: pl.Series) -> dict[int, str]:
    columns = ["record_id", "version", "source_system", "source_key"]
    stored = lake.read(PROTECTED_RECORDS.name, columns, where=pl.col("record_id").is_in(record_ids.implode()))
    named = newest(stored, ["record_id"]).select("record_id", pl.format("{}:{}", "source_system", "source_key"))
    return dict(named.iter_rows())


def _named(column: str, name: str, names: dict[int, str]) -> pl.Expr:
    return pl.col(column).replace_strict(names, default=None, return_dtype=pl.String).alias(name)
