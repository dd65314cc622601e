"""What is to be linked: everything, or only what changed since records were linked last, and what stands of the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.match_index import PHONE_PARTS, IndexPart
from custview_pipeline.contracts.matching_tables import MATCH_GROUPS, MATCH_MODEL, MATCH_RUNS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.stewardship_tables import LINKING_DECISIONS, REVIEW_DECISIONS
from custview_pipeline.flows.current import (
    RECORD_COLUMNS,
    current_index,
    current_records,
    current_segments,
    mark_of,
    settings_in,
    versions_in,
)
from custview_pipeline.flows.decisions import answered_pairs, decided_pairs, entered_values, locked_records
from custview_pipeline.flows.match_state import neighbourhoods_of, records_of_unique_sources, settings_of
from custview_pipeline.flows.models import is_usable
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest
from custview_pipeline.matching.change import Change, Index, match_change
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.match import RULES_VERSION, comparisons_that_count, match
from custview_pipeline.matching.matcher import Progress
from custview_pipeline.matching.setup import Frozen

_LARGEST_CHANGE: Final = 0.3  # share of the records from which on a change is none any more
_LARGE_CHANGE, _LARGE_SHARE = 10_000, 0.05  # records, and their share, from which on matching all is quicker and takes less
_DECIDED: Final = ("decision", "left_id", "right_id", "record_id", "member_ids")


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since records were linked last.

    Attributes:
        changed: Records that are new or changed, or about which a steward decided; Int64.
        gone: Records that are no more.
        record_count: Records there are, by entity type.
        groups: Rows of match_groups, of which the newest of each record holds.
    """

    changed: pl.Series
    gone: pl.Series
    record_count: Mapping[EntityType, int]
    groups: pl.DataFrame

    def groups_of(self, record_ids: pl.Series) -> pl.DataFrame:
        """Return record_id, version, group_id of every record that was in a group with one of some records."""
        theirs = self.groups_as_stored(record_ids)["group_id"].unique()
        members = self.groups.filter(pl.col("group_id").is_in(theirs.implode()))["record_id"].unique()
        return self.groups_as_stored(members).filter(pl.col("group_id").is_in(theirs.implode()))

    def groups_as_stored(self, record_ids: pl.Series) -> pl.DataFrame:
        """Return record_id, version, group_id of some records."""
        return newest(self.groups.filter(pl.col("record_id").is_in(record_ids.implode())), ["record_id"])

    @property
    def all(self) -> pl.Series:
        """Return the changed records and those that are gone."""
        return pl.concat([self.changed, self.gone])


@dataclass(frozen=True)
class Linking:
    """What linking works with.

    Attributes:
        snapshot: The lake.
        rulebook: Thresholds, limits, rules.
        sources: The contracts, some of which may promise that they have each customer once.
        known: Models in use, and what they froze.
    """

    snapshot: Snapshot
    rulebook: Rulebook
    sources: tuple[SourceContract, ...]
    known: Mapping[EntityType, Frozen]

    def mark(self, versions: Mapping[str, int | None] | None = None) -> str:
        """Return a mark of all that decides the result; of some tables with other versions than now."""
        unique = sorted(contract.source_system for contract in self.sources if contract.has_unique_customers)
        settings = f"{RULES_VERSION} {self.rulebook.matching!r} {unique}"
        tables = (PROTECTED_RECORDS.name, REVIEW_DECISIONS.name, MATCH_MODEL.name)
        return mark_of(self.snapshot, *tables, settings=settings, versions=versions or {})

    def since(self, mark: str | None) -> Since | None:
        """Return what changed since a mark; None where everything is to be linked, because more than some records changed."""
        if mark is None or settings_in(mark) != settings_in(self.mark()) or self.snapshot.table_version(MATCH_RUNS.name) is None:
            return None
        delivered, decided, models = (
            self._appended(mark, table, columns)
            for table, columns in (
                (PROTECTED_RECORDS.name, ["record_id"]),
                (REVIEW_DECISIONS.name, list(_DECIDED)),
                (MATCH_MODEL.name, ["activated_at"]),
            )
        )
        if delivered is None or decided is None or models is None or not models["activated_at"].is_null().all():
            return None
        current = self._living()
        touched = pl.concat([delivered["record_id"], _decided_about(decided)]).unique().sort()
        living = pl.DataFrame(touched).join(current, on="record_id", how="semi")["record_id"]
        counts = dict(current.group_by("entity_type").len().iter_rows())
        found = Since(
            living.sort(),
            touched.filter(~touched.is_in(living.implode())),
            {kind: int(counts.get(str(kind), 0)) for kind in EntityType},
            self.snapshot.read(MATCH_GROUPS.name),
        )
        return found if self._is_small(found) and self._is_served(found) else None

    def _living(self) -> pl.DataFrame:
        """Return record_id, entity_type of the records that their sources still hold."""
        columns = ["record_id", "version", "entity_type", "is_deleted"]
        stored = self.snapshot.read(PROTECTED_RECORDS.name, columns)
        several = stored.filter((pl.col("version") > 1) | pl.col("is_deleted"))["record_id"].unique()
        has_several = pl.col("record_id").is_in(several.implode())
        living = newest(stored.filter(has_several), ["record_id"]).filter(~pl.col("is_deleted"))
        return pl.concat([stored.filter(~has_several), living]).select("record_id", "entity_type")

    def _appended(self, mark: str, table: str, columns: list[str]) -> pl.DataFrame | None:
        before = versions_in(mark).get(table)
        if before is None:
            return self.snapshot.read(table, columns)
        return self.snapshot.appended_since(table, before, columns)

    def _is_small(self, found: Since) -> bool:
        changed, records = len(found.all), max(1, sum(found.record_count.values()))
        return changed <= _LARGEST_CHANGE * records and (changed <= _LARGE_CHANGE or changed <= _LARGE_SHARE * records)

    def _is_served(self, found: Since) -> bool:
        """Return whether the models in use serve each entity type that there is anything to compare of."""
        settings = settings_of(self.rulebook)
        return all(
            frozen is not None
            and frozen.frequencies is not None
            and not frozen.has_grown(count)
            and is_usable(frozen.model, comparisons_that_count(kind, settings), count)
            for kind, count in found.record_count.items()
            if count > 1
            for frozen in [self.known.get(kind)]
        )


def link_all(linking: Linking, progress: Progress) -> tuple[MatchedType, ...]:
    """Match all records."""
    snapshot = linking.snapshot
    records = current_records(snapshot)
    tokens = current_index(snapshot, IndexPart.TOKENS, records)
    frames = [neighbourhoods_of(snapshot, tokens, linking.known), tokens]
    del tokens  # large: matching lets go of both as soon as it can, which helps where nobody else holds them
    told = _told(snapshot)._replace(
        exclusive=records_of_unique_sources(records, linking.sources), answered=answered_pairs(snapshot)
    )
    return match(
        frames.pop(),
        frames.pop(),
        settings_of(linking.rulebook),
        progress,
        known=linking.known,
        is_usable=is_usable,
        told=told,
    )


def link_change(linking: Linking, since: Since, progress: Progress) -> tuple[MatchedType, ...]:
    """Match what changed."""
    snapshot, settings = linking.snapshot, settings_of(linking.rulebook)
    # a type of which there is one record at most has nothing to compare, and may have a model without frequencies
    known = {kind: frozen for kind, frozen in linking.known.items() if since.record_count[kind] > 1}
    segments = list(current_segments(snapshot, IndexPart.TOKENS))
    asked = [kind for kind, frozen in known.items() if frozen.frequencies and "phone_tails" not in frozen.frequencies.dense]
    parts = [IndexPart.NEIGHBOURHOODS, *(PHONE_PARTS[kind] for kind in asked)]
    index = Index(
        lambda: segments,
        pl.concat(snapshot.read_index(part) for part in parts),
        _told(snapshot),
        _promised_by(linking),
    )
    change = Change(since.changed, since.gone, lambda ids: since.groups_of(ids).select("record_id", "group_id"))
    return match_change(index, change, settings, known, progress)


def _told(snapshot: Snapshot) -> Told:
    """Return what stewards decided; not what a model learns from, nor which sources have each customer once."""
    return Told(decided_pairs(snapshot), locked=locked_records(snapshot), entered=entered_values(snapshot))


def records_named(snapshot: Snapshot, record_ids: pl.Series) -> pl.DataFrame:
    """Return ``RECORD_COLUMNS`` of some records that their sources still hold, by record id."""
    wanted = pl.col("record_id").is_in(record_ids.implode())
    stored = snapshot.read(PROTECTED_RECORDS.name, RECORD_COLUMNS, where=wanted)
    return newest(stored, ["record_id"]).filter(~pl.col("is_deleted"))


def _decided_about(decided: pl.DataFrame) -> pl.Series:
    """Return the records that decisions are about which matching links by, some of them several times."""
    linking = decided.filter(pl.col("decision").is_in(LINKING_DECISIONS))
    named = [linking[name].alias("record_id") for name in ("left_id", "right_id", "record_id")]
    return pl.concat([*named, linking["member_ids"].explode().alias("record_id")]).drop_nulls()


def _promised_by(linking: Linking) -> Callable[[pl.Series], pl.DataFrame]:
    def promised(record_ids: pl.Series) -> pl.DataFrame:
        if not any(contract.has_unique_customers for contract in linking.sources):
            return pl.DataFrame(schema={"record_id": pl.Int64, "source_system": pl.String})
        return records_of_unique_sources(records_named(linking.snapshot, record_ids), linking.sources)

    return promised
