"""One item of the review queue, opened: two records side by side, the rivals for a contested value, a held delivery."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.stewardship_tables import IS_MATCH, NOT_A_MATCH
from custview_pipeline.flows.answer_effect import AnswerEffect, Rules, foretell_answer
from custview_pipeline.flows.explain import ExplainedPair, explain_pair
from custview_pipeline.flows.holding import current_held
from custview_pipeline.flows.link_change import records_named
from custview_pipeline.flows.named_records import Member, members
from custview_pipeline.flows.record_values import record_values
from custview_pipeline.flows.side_by_side import fields_of, shown_values
from custview_pipeline.flows.weighing import Scales
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.identifiers import Cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.masking import mask
from custview_pipeline.stewardship.pack import FieldPair

_GONE: Final = "a record of this item is not held by its source any more; the next run closes it"
_CANDIDATE: Final = ("attribute", "record_id", "record_version", "slot", "rank", "trust_score", "reason")


class Item(NamedTuple):
    """An item of the queue: what ``stewardship.queue.ITEMS`` has of it."""

    item_id: str
    kind: str
    reason: str
    left_id: int | None
    right_id: int | None
    cuids: tuple[Cuid, ...]
    attribute: str | None
    source_system: str | None
    held_id: str | None
    effect: float
    found_at: datetime | None
    status: str
    assigned_to: str | None
    due_on: Any

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Item":
        """Return the item of a row of the queue."""
        return cls(**{name: row[name] for name in cls._fields if name != "cuids"}, cuids=tuple(row["cuids"] or ()))


@dataclass(frozen=True, slots=True)
class SeenPair:
    """Two records that may be one customer, or may be two.

    Attributes:
        explained: The evidence between them, and what came of it.
        fields: What they say, attribute by attribute.
        effects: What either answer would change; empty where it was not asked or cannot be told.
    """

    explained: ExplainedPair
    fields: tuple[FieldPair, ...]
    effects: tuple[AnswerEffect, ...]


class Rival(NamedTuple):
    """A candidate for a golden value.

    Attributes:
        rank: 1 is the value that holds.
        slot: Which of the values of its record.
        value: As it may be shown; None where the key of its record is gone.
        says: Number of what it says: equal values have one number, in the order of ranks; None where its key is gone.
        reason: Why it won or lost, as golden_lineage has it.
    """

    rank: int
    record: Member
    slot: int
    value: str | None
    says: int | None
    trust_score: float
    reason: str


def open_pair(scales: Scales, keyring: Keyring, item: Item, *, in_full: Collection[str] = (), rules: Rules | None) -> SeenPair:
    """Return the two records of an item about a pair or a customer.

    Args:
        scales: The lake, and what pairs are weighed with.
        keyring: Its keys.
        item: The item.
        in_full: Attributes that are not masked; the caller has logged their reveal.
        rules: What the next run would work with, to tell what either answer would change; None to leave it out.

    Raises:
        ProjectInvalid: A record is gone.
        IndexOutdated: The match index was made by other rules than today's.
        LakeError: No model of their entity type was learned yet.
    """
    if item.left_id is None or item.right_id is None:
        raise ProjectInvalid("this item is about no pair of records")
    snapshot, pair = scales.snapshot, (item.left_id, item.right_id)
    with silenced("opening an item of the review queue"):
        known = {member.record_id: member for member in members(snapshot, records_named(snapshot, pl.Series(pair)))}
        if len(known) < len(pair):
            raise ProjectInvalid(_GONE)
        both = (known[pair[0]], known[pair[1]])
        explained = explain_pair(scales, *both)
        fields = fields_of(explained.link, shown_values(snapshot, keyring, both, in_full=in_full))
        answers = () if rules is None else (foretell_answer(snapshot, rules, pair, each) for each in (IS_MATCH, NOT_A_MATCH))
        return SeenPair(explained, fields, tuple(effect for effect in answers if effect is not None))


def open_value(snapshot: Snapshot, keyring: Keyring, item: Item, *, in_full: Collection[str] = ()) -> tuple[Rival, ...]:
    """Return the candidates for the value that an item is about, the one that holds first.

    Args:
        snapshot: The lake.
        keyring: Its keys.
        item: The item.
        in_full: Attributes that are not masked; the caller has logged their reveal.
    """
    is_theirs = pl.col("cuid") == item.cuids[0]
    with silenced("opening an item of the review queue"):
        golden = newest(snapshot.read(GOLDEN_RECORDS.name, ["cuid", "version"], where=is_theirs), ["cuid"])
        is_its = is_theirs & (pl.col("attribute") == item.attribute) & pl.col("version").is_in(golden["version"].implode())
        ranked = snapshot.read(GOLDEN_LINEAGE.name, _CANDIDATE, where=is_its).sort("rank")
        records = _judged(snapshot, ranked)
        said = record_values(snapshot, keyring, tuple(records.values()), in_full=GOLDEN_ATTRIBUTES).cast({"slot": pl.Int16})
        valued = ranked.join(said, on=["record_id", "attribute", "slot"], how="left", maintain_order="left")
        return tuple(_rivals(valued, records, is_masked=item.attribute not in in_full))


def open_delivery(snapshot: Snapshot, item: Item) -> Mapping[str, Any]:
    """Return the row of held_deliveries that an item is about, as it holds now."""
    return current_held(snapshot).row(by_predicate=pl.col("held_id") == item.held_id, named=True)


def _judged(snapshot: Snapshot, ranked: pl.DataFrame) -> dict[int, Member]:
    """Return the candidates' records by their ids, in the version that was judged; those that are gone are left out."""
    versions = dict(ranked.select("record_id", "record_version").iter_rows())
    held = members(snapshot, records_named(snapshot, ranked["record_id"]))
    return {member.record_id: member._replace(version=versions[member.record_id]) for member in held}


def _rivals(ranked: pl.DataFrame, records: Mapping[int, Member], *, is_masked: bool) -> Iterator[Rival]:
    """Yield the candidates, equal values numbered alike."""
    numbers: dict[str, int] = {}
    for row in ranked.filter(pl.col("record_id").is_in(list(records))).iter_rows(named=True):
        value = row["value"]
        yield Rival(
            rank=row["rank"],
            record=records[row["record_id"]],
            slot=row["slot"],
            value=value if value is None or not is_masked else mask(row["attribute"], value),
            says=None if value is None else numbers.setdefault(value, len(numbers) + 1),
            trust_score=row["trust_score"],
            reason=row["reason"],
        )
