"""What holds now: the newest, living rows of the append-only tables and of the match index."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import Generation, IndexPart
from custview_pipeline.contracts.matching_tables import CROSSWALK, MATCH_EDGES, MATCH_GROUPS, REVIEW_TASKS, WITHDRAWN
from custview_pipeline.kernel.errors import IndexOutdated
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest
from custview_pipeline.standardisation.standardise import rule_set_version

_SAME: Final = ["record_id", "version"]
_VERSIONS: Final = re.compile(r"(?:[a-z_]+=(?:\d+|None)(?: |$))*")
RECORD_COLUMNS: Final = (
    "record_id", "version", "source_system", "source_key", "entity_type", "country", "updated_at", "is_deleted",
)  # fmt: skip


def current_records(snapshot: Snapshot) -> pl.DataFrame:
    """Return ``RECORD_COLUMNS`` of every record that its source still holds, by record id."""
    stored = snapshot.read(PROTECTED_RECORDS.name, RECORD_COLUMNS)
    return newest(stored, ["record_id"]).filter(~pl.col("is_deleted"))


def current_crosswalk(snapshot: Snapshot) -> pl.DataFrame:
    """Return the crosswalk as it holds now: record_id, source_system, source_key, cuid, by record id."""
    stored = snapshot.read(CROSSWALK.name)
    holding = newest(stored, ["record_id"]).drop_nulls("cuid")
    return holding.select("record_id", "source_system", "source_key", "cuid")


def current_edges(snapshot: Snapshot, *, where: pl.Expr | None = None) -> pl.DataFrame:
    """Return the edges that hold, by pair; of some pairs where ``where`` says of which."""
    return newest_edges(snapshot, where=where).filter(pl.col("decision") != WITHDRAWN)


def newest_edges(snapshot: Snapshot, *, where: pl.Expr | None = None) -> pl.DataFrame:
    """Return the newest row of each edge, those among them that were withdrawn."""
    return newest(snapshot.read(MATCH_EDGES.name, where=where), ["left_id", "right_id"])


def current_tasks(snapshot: Snapshot) -> pl.DataFrame:
    """Return the review tasks that are open, by pair."""
    return newest_tasks(snapshot).filter("is_open")


def newest_tasks(snapshot: Snapshot, *, where: pl.Expr | None = None) -> pl.DataFrame:
    """Return the newest row of each review task, those among them that were closed."""
    return newest(snapshot.read(REVIEW_TASKS.name, where=where), ["left_id", "right_id"])


def current_groups(snapshot: Snapshot) -> pl.DataFrame:
    """Return record_id, version, group_id of the records that were ever linked to others, by record id."""
    return newest(snapshot.read(MATCH_GROUPS.name), ["record_id"])


def current_segments(snapshot: Snapshot, part: IndexPart) -> Iterator[pl.DataFrame]:
    """Yield the rows of current records in a part of the match index that is of records, segment by segment, the newest first.

    Raises:
        IndexOutdated: See ``current_index``.
    """
    refuse_outdated(snapshot)
    outdated = _outdated(snapshot)
    for segment in snapshot.index_segments(part):
        suspects = (
            segment.select(_SAME).with_row_index("place").filter(pl.col("record_id").is_in(outdated["record_id"].implode()))
        )
        places = suspects.join(outdated, on=_SAME, how="semi")["place"]
        yield segment if places.is_empty() else segment.filter(~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(places.implode()))


def _outdated(snapshot: Snapshot) -> pl.DataFrame:
    """Return record_id, version of the record versions that hold no more: few, so that finding them costs no sort of all."""
    stored = snapshot.read(PROTECTED_RECORDS.name, [*_SAME, "is_deleted"])
    several = stored.filter((pl.col("version") > 1) | pl.col("is_deleted"))["record_id"].unique()
    theirs = stored.filter(pl.col("record_id").is_in(several.implode()))
    is_newest = pl.col("version") == pl.col("version").max().over("record_id")
    return theirs.filter(~is_newest | pl.col("is_deleted")).select(_SAME)


def current_index(snapshot: Snapshot, part: IndexPart, records: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a part of the match index that belong to the current version of a current record.

    Raises:
        IndexOutdated: It was made by other rules than today's; what was delivered since is not in it.
    """
    refuse_outdated(snapshot)
    stored = snapshot.read_index(part)
    return stored.filter(_is_current(stored, records))


def _is_current(stored: pl.DataFrame, records: pl.DataFrame) -> pl.Series:
    """Return of each row whether it is of the version that a record has; a filter by it costs a tenth of a join of wide rows."""
    current = records.select(*_SAME, is_current=pl.lit(value=True))
    return stored.select(_SAME).join(current, on=_SAME, how="left", maintain_order="left")["is_current"].fill_null(value=False)


def refuse_outdated(snapshot: Snapshot) -> None:
    """Refuse to read a match index that was made by other rules than today's.

    Raises:
        IndexOutdated: It was; what was delivered since is not in it.
    """
    if rules_of_index(snapshot) not in {None, rule_set_version()}:
        raise IndexOutdated("the match index was made by other rules than these: run the main job, which brings it up to date")


def versions_in(mark: str) -> dict[str, int | None]:
    """Return the version of each table that a mark of ``mark_of`` names; None where nothing was stored."""
    named = dict(part.split("=", 1) for part in _tables_in(mark).split())
    return {table: None if version == "None" else int(version) for table, version in named.items()}


def settings_in(mark: str) -> str:
    """Return what a mark of ``mark_of`` says beside the versions of tables."""
    return mark[len(_tables_in(mark)) :].strip()


def _tables_in(mark: str) -> str:
    found = _VERSIONS.match(mark)
    return found[0] if found else ""


def rules_of_index(snapshot: Snapshot) -> str | None:
    """Return the versions of the rules that the match index in use was made by; None where there is none."""
    name, _ = snapshot.index_generations()
    return None if name is None else Generation.named(name).rules


def mark_of(snapshot: Snapshot, *tables: str, settings: str, versions: Mapping[str, int | None] | None = None) -> str:
    """Return a mark of what a stage works on: versions of its tables, rules of the match index, and what it is set to.

    The token key is not part of it: under another one the same values are equal.

    Args:
        snapshot: The lake.
        tables: The tables.
        settings: What the stage is set to.
        versions: Versions of some tables, where they are not those of the snapshot.
    """
    known = {table: snapshot.table_version(table) for table in tables} | dict(versions or {})
    named = " ".join(f"{table}={version}" for table, version in known.items())
    return f"{named} {rules_of_index(snapshot)} {settings}"
