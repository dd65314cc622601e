"""Makes steward packs: pairs that wait for a decision, weighed, masked, sealed, and noted so that the answers can be checked."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.decision_file import PackedItem, PackName
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import MATCH_EDGES, REVIEW_TASKS
from custview_pipeline.contracts.steward_packs import STEWARD_PACKS
from custview_pipeline.flows.current import current_edges, current_records
from custview_pipeline.flows.named_records import Member, members
from custview_pipeline.flows.side_by_side import fields_of, shown_values
from custview_pipeline.flows.weighing import Link, Scales, weigh_pairs
from custview_pipeline.kernel.errors import LakeError
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.pack import (
    EVIDENCE,
    FieldPair,
    evidence_digests,
    new_pack_id,
    seal_of,
)

_LABEL: Final = "steward-pack"
_SHOWN_TABLES: Final = (PROTECTED_RECORDS.name, MATCH_EDGES.name, REVIEW_TASKS.name)
_SIDES: Final = ("left", "right")


class Maker(NamedTuple):
    """Who makes a pack, when (UTC), and whether it hides what matching thinks."""

    name: str
    at: datetime
    is_blind: bool


class PackedPair(NamedTuple):
    """A pair of a pack.

    Attributes:
        item_id: Id of the item in the review queue.
        reason: Why it is asked, as review_tasks has it.
        link: The evidence between both records.
        fields: What they say, masked, attribute by attribute.
    """

    item_id: str
    reason: str
    link: Link
    fields: tuple[FieldPair, ...]


@dataclass(frozen=True, slots=True)
class StewardPack:
    """A pack.

    Attributes:
        name: What its seal is made over.
        seal: The seal.
        maker: Who made it.
        pairs: Its pairs, in the order of the queue.
        match_weight, review_weight: Bits above which a pair is a MATCH, and from which it is a POSSIBLE_MATCH.
        rows: Rows of steward_packs.
    """

    name: PackName
    seal: str
    maker: Maker
    pairs: tuple[PackedPair, ...]
    match_weight: float
    review_weight: float
    rows: pl.DataFrame


def make_pack(scales: Scales, keyring: Keyring, items: pl.DataFrame, maker: Maker) -> StewardPack:
    """Return a pack of some items; nothing is stored, and no value is in it but masked.

    Args:
        scales: The lake, and what pairs are weighed with.
        keyring: Its keys.
        items: item_id, reason, left_id, right_id of the review queue, in the order in which they are to be shown; of those whose
            records their source has deleted nothing can be shown.
        maker: Who makes it.

    Raises:
        LakeError: Nothing is left to be shown.
        IndexOutdated: The match index was made by other rules than today's.
    """
    with silenced("making a steward pack"):
        snapshot, (key_version, log_key) = scales.snapshot, keyring.current(Purpose.LOG)
        known = evidence_of(snapshot, pack_key(log_key), items).drop_nulls("evidence")
        if known.is_empty():
            raise LakeError("there is no pair to decide: the review queue has none of this kind")
        name = PackName(
            pack_id=new_pack_id(),
            lake=keyring.check_value(),
            state=" ".join(f"{table}={snapshot.table_version(table)}" for table in _SHOWN_TABLES),
            exported_at=maker.at.isoformat(timespec="seconds"),
            key_version=key_version,
            items=tuple(PackedItem(item_id=item, evidence=said) for item, said in known.select("item_id", "evidence").rows()),
        )
        rows = known.with_columns(
            pack_id=pl.lit(name.pack_id),
            exported_by=pl.lit(maker.name),
            exported_at=pl.lit(maker.at, STEWARD_PACKS.types["exported_at"]),
        )
        return StewardPack(
            name=name,
            seal=seal_of(pack_key(log_key), name),
            maker=maker,
            pairs=_packed(scales, keyring, known),
            match_weight=scales.settings.match_weight,
            review_weight=scales.settings.review_weight,
            rows=rows.select(STEWARD_PACKS.types.names()),
        )


def store_pack(lake: LakeWriter, pack: StewardPack, run_id: str) -> None:
    """Note what a pack shows, so that its answers can be checked."""
    with silenced("storing a steward pack"), lake.commit(run_id) as commit:
        commit.append(STEWARD_PACKS.name, pack.rows)


def pack_key(log_key: bytes) -> bytes:
    """Return the key of packs that belongs to a version of the purpose key ``log``."""
    return derive_key(log_key, _LABEL)


def evidence_of(snapshot: Snapshot, key: bytes, pairs: pl.DataFrame) -> pl.DataFrame:
    """Add what is known of each pair now as a keyed digest, ``evidence``; null where one of its records is gone.

    Args:
        snapshot: The lake.
        key: The key of the pack.
        pairs: left_id, right_id and any other columns.
    """
    ids = pl.concat([pairs["left_id"], pairs["right_id"]]).unique().implode()
    held = current_records(snapshot).select("record_id", "version")
    edges = current_edges(snapshot, where=pl.col("left_id").is_in(ids) & pl.col("right_id").is_in(ids))
    known = pairs.select("left_id", "right_id").join(
        edges.select("left_id", "right_id", "pattern", "decision", "rule"),
        on=["left_id", "right_id"],
        how="left",
        maintain_order="left",
    )
    for side in _SIDES:
        versions = held.rename({"record_id": f"{side}_id", "version": f"{side}_version"})
        known = known.join(versions, on=f"{side}_id", how="left", maintain_order="left")
    is_held = pl.col("left_version").is_not_null() & pl.col("right_version").is_not_null()
    return pairs.with_columns(known.select(pl.when(is_held).then(evidence_digests(key, known.select(EVIDENCE)))).to_series())


def _packed(scales: Scales, keyring: Keyring, items: pl.DataFrame) -> tuple[PackedPair, ...]:
    """Return the pairs with evidence and masked values; all of an entity type are weighed at once."""
    snapshot = scales.snapshot
    ids = pl.concat([items["left_id"], items["right_id"]]).unique()
    known = members(snapshot, current_records(snapshot).filter(pl.col("record_id").is_in(ids.implode())))
    values = shown_values(snapshot, keyring, known)
    links = _links(scales, known, items)
    return tuple(
        PackedPair(item_id, reason, links[left, right], fields_of(links[left, right], values))
        for item_id, reason, left, right in items.select("item_id", "reason", "left_id", "right_id").iter_rows()
    )


def _links(scales: Scales, known: Sequence[Member], items: pl.DataFrame) -> dict[tuple[int, int], Link]:
    """Return the evidence of each pair."""
    links: dict[tuple[int, int], Link] = {}
    by_type: dict[str, list[Member]] = defaultdict(list)
    for member in known:
        by_type[member.entity_type].append(member)
    for own in by_type.values():
        pairs = items.select("left_id", "right_id").filter(pl.col("left_id").is_in([member.record_id for member in own]))
        weighing = weigh_pairs(scales, own, pairs)
        links |= {(left, right): weighing.link(left, right) for left, right in pairs.iter_rows()}
    return links
