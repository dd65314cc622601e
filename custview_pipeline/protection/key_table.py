"""The key table: the key material of every record version, in 256 shards that can be forgotten one record at a time.

Each commit writes one segment, the content of its shards sealed under the newest generation of their keys. Forgetting a record
writes its shard anew without it, under a new generation, and destroys the former ones: then no copy of the lake opens it again.
An entry is record id i64, version i32 (little endian) and 12 bytes of material; ``key_blocks`` says how they are sealed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.protection.byte_columns import ByteColumn, rows_to_series, spread
from custview_pipeline.protection.key_blocks import ENTRY_BYTES, OpenBlock, read_blocks, seal_blocks
from custview_pipeline.protection.key_holder import KeyHolder
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT
from custview_pipeline.protection.xaes import MATERIAL_BYTES

if TYPE_CHECKING:
    from typing_extensions import Buffer

ENTRIES: Final = pl.Schema({"record_id": pl.Int64, "version": pl.Int32, "material": pl.Binary})  # versions are not negative

_ENTRY: Final = np.dtype([("record_id", "<i8"), ("version", "<i4"), ("material", f"V{MATERIAL_BYTES}")])
_SHARD_BITS: Final = 8
_RENEWED: Final = (
    "the key table is sealed under newer keys than were read: the keys were renewed meanwhile, run it again; "
    "or an older key backup was restored"
)
_NO_FLOORS: Final[Mapping[int, int]] = MappingProxyType({})

_Entries = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class ShardKeys(KeyHolder):
    """The keys of the shards. Its repr shows none.

    Attributes:
        seal_key: Authenticates the heads of segments.
        generations: For each shard its keys by generation; the newest seals. One that is missing was destroyed.
    """

    seal_key: bytes = field(repr=False)
    generations: tuple[Mapping[int, bytes], ...] = field(repr=False)

    def newest(self, shard: int) -> tuple[int, bytes]:
        """Return generation and key that a shard is sealed under."""
        generation = max(self.generations[shard])
        return generation, self.generations[shard][generation]

    def opening(self, shard: int, generation: int) -> bytes | None:
        """Return the key that a block is opened with; None where it was destroyed.

        Raises:
            KeyUnavailable: The generation is newer than these keys.
        """
        known = self.generations[shard]
        if generation > max(known):
            raise KeyUnavailable(_RENEWED)
        return known.get(generation)


class KeyTable(KeyHolder):
    """The key material of record versions, each once. Its repr shows none.

    Use ``open_segments``.

    Attributes:
        entries: Packed, by shard, record id as unsigned number, and version.
    """

    def __init__(self, entries: _Entries) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"KeyTable({len(self)} entries)"

    def materials(self, record_ids: pl.Series, versions: pl.Series) -> pl.Series:
        """Return the material of each record version: Binary, null where it was shredded or never stored."""
        if len(self) == 0:
            return pl.Series("material", [None] * len(record_ids), dtype=pl.Binary)
        ids, keys = self._index
        wanted = _turned(record_ids.cast(pl.Int64).to_numpy())
        order = np.argsort(wanted)
        ranks = _places(ids, wanted, order)
        pairs = _pair(ranks, versions.cast(pl.Int64).to_numpy())
        places = _places(keys, pairs, order)
        is_found = (ids[ranks] == wanted) & (keys[places] == pairs)
        return spread(_materials(self.entries.take(places[is_found])), pl.Series(is_found)).rename("material")

    def frame(self) -> pl.DataFrame:
        """Return all entries, columns ``ENTRIES``, in the order of shard, record id as unsigned number, and version."""
        columns = {
            "record_id": self.entries["record_id"].astype(np.int64),
            "version": self.entries["version"].astype(np.int32),
            "material": _materials(self.entries),
        }
        return pl.DataFrame(columns, schema=ENTRIES)

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """The distinct record ids, turned and ascending, and for each entry its record's rank among them with its version."""
        ids = _turned(self.entries["record_id"])
        is_first = np.ones(len(ids), bool)
        is_first[1:] = ids[1:] != ids[:-1]
        return ids[is_first], _pair(np.cumsum(is_first) - 1, self.entries["version"].astype(np.int64))


def shard_of(record_ids: pl.Series) -> pl.Series:
    """Return the shard of each record id: UInt8, null where the id is null."""
    return (record_ids.cast(pl.Int64) & (SHARD_COUNT - 1)).cast(pl.UInt8).rename("shard")


def seal_segment(entries: pl.DataFrame | KeyTable, shard_keys: ShardKeys, segment_id: str) -> bytes:
    """Return the segment that holds ``entries``.

    Args:
        entries: Columns ``ENTRIES``, without nulls; of two for one record version the later is kept. Or a table, for sealing it
            anew in half the time.
        shard_keys: The keys to seal under.
        segment_id: Its name in the lake; it opens under no other.
    """
    rows = entries.entries if isinstance(entries, KeyTable) else _ordered(_packed(entries))
    counts = np.bincount(rows["record_id"] & (SHARD_COUNT - 1), minlength=SHARD_COUNT)
    bounds = np.append(0, np.cumsum(counts)).tolist()
    content = rows.view(np.uint8).data
    blocks = (
        OpenBlock(shard, *shard_keys.newest(shard), content[start * ENTRY_BYTES : end * ENTRY_BYTES])
        for shard, (start, end) in enumerate(pairwise(bounds))
        if end > start
    )
    return seal_blocks(blocks, shard_keys.seal_key, segment_id)


def open_segments(
    segments: Mapping[str, "Buffer"],
    shard_keys: ShardKeys,
    *,
    floors: Mapping[int, int] = _NO_FLOORS,
    shards: Collection[int] | None = None,
) -> KeyTable:
    """Return the key table that the segments make together.

    Args:
        segments: Each segment under its id; a later one prevails over an earlier.
        shard_keys: The keys to open them with. Blocks under a generation that is not there any more are shredded.
        floors: By shard, the generation below which blocks do not count, whether or not their key is still there.
        shards: Only these are read; None for all.

    Raises:
        UnsealFailed: A segment is not what was sealed under its id by these keys.
        KeyUnavailable: A block was sealed under a generation newer than these keys.
    """
    opened: dict[int, list[bytes]] = defaultdict(list)
    for segment_id, segment in segments.items():
        for block in read_blocks(segment, shard_keys.seal_key, segment_id, shards=shards):
            if block.generation < floors.get(block.shard, 0):
                continue
            key = shard_keys.opening(block.shard, block.generation)
            if key is not None:
                opened[block.shard].append(block.opened(key))
    ordered = (_ordered(np.frombuffer(b"".join(opened[shard]), _ENTRY)) for shard in sorted(opened))
    return KeyTable(np.frombuffer(b"".join(rows.view(np.uint8).data for rows in ordered), _ENTRY))


def _packed(entries: pl.DataFrame) -> _Entries:
    has_null = any(entries[name].null_count() for name in ENTRIES)
    if has_null or (entries["version"] < 0).any() or (entries["material"].bin.size() != MATERIAL_BYTES).any():
        raise ValueError(f"each entry needs a record id, a version from 0 on and {MATERIAL_BYTES} bytes of material")
    rows = np.empty(len(entries), _ENTRY)
    rows["record_id"] = entries["record_id"].to_numpy()
    rows["version"] = entries["version"].to_numpy()
    rows["material"] = ByteColumn.of(entries["material"]).first_bytes(MATERIAL_BYTES).view(f"V{MATERIAL_BYTES}").reshape(-1)
    return rows


def _ordered(entries: _Entries) -> _Entries:
    """Return the entries by shard, record id and version; of two for one record version only the later."""
    ids, versions = _turned(entries["record_id"]), entries["version"]
    if ((ids[1:] > ids[:-1]) | ((ids[1:] == ids[:-1]) & (versions[1:] > versions[:-1]))).all():
        return entries  # as every sealed block is
    order = np.argsort(ids)
    ids = ids[order]
    is_same = ids[1:] == ids[:-1]
    shared = np.flatnonzero(np.append(is_same, False) | np.append(False, is_same))  # places of records with several entries
    among = order[shared]
    order[shared] = among[np.lexsort((among, versions[among], ids[shared]))]
    is_outdated = is_same & (versions[order[1:]] == versions[order[:-1]])
    latest: _Entries = entries.take(order[np.append(~is_outdated, True)])  # several times as fast as an index
    return latest


def _turned(record_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return record ids with their shard, the last bits, turned to the front: their order is that of a segment."""
    bits = record_ids.astype(np.int64).view(np.uint64)
    turned: npt.NDArray[np.uint64] = bits << np.uint64(64 - _SHARD_BITS) | bits >> np.uint64(_SHARD_BITS)
    return turned


def _materials(entries: _Entries) -> pl.Series:
    rows = np.ascontiguousarray(entries["material"]).view(np.uint8).reshape(-1, MATERIAL_BYTES)
    return rows_to_series("material", rows)


def _places(
    ascending: npt.NDArray[np.uint64] | npt.NDArray[np.int64], wanted: npt.NDArray[Any], order: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the place of each wanted number, or one near it; in their ``order`` many are found several times as fast."""
    places = np.empty(len(wanted), np.int64)
    places[order] = np.searchsorted(ascending, wanted[order])
    return places.clip(max=len(ascending) - 1)


def _pair(ranks: npt.NDArray[np.int64], versions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number for a rank and a version of 32 bits, in their order."""
    return ranks << 32 | versions & 0xFFFF_FFFF
