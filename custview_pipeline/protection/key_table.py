"""The key table: the key material of every record version, in 256 shards that can be forgotten one record at a time.

Each commit writes one segment, the content of its shards sealed under the current generation of their keys. Erasing a record
writes its shard anew without it, under a new generation, and destroys the old one: then no copy of the lake opens it again.

Layout of a segment, numbers big endian::

    magic "CVKT", version u8 = 1, length u16 and UTF-8 of the segment id, count of blocks u16
    blocks: shard u8, generation u32, entries u32, nonce 12, then entries of 24 bytes and a tag, sealed with AES-256-GCM
    HMAC-SHA256 of all before it, 32 bytes, under a key that never rotates

An entry is record id i64, version i32 and 12 bytes of material. The HMAC tells a block whose key was destroyed from one that
was altered.
"""

import hmac
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.byte_columns import ByteColumn, rows_to_series, spread
from custview_pipeline.protection.derivation import length_prefixed
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT
from custview_pipeline.protection.xaes import MATERIAL_BYTES

ENTRIES: Final = pl.Schema({"record_id": pl.Int64, "version": pl.Int32, "material": pl.Binary})  # versions are not negative

_ENTRY: Final = np.dtype([("record_id", ">i8"), ("version", ">i4"), ("material", f"V{MATERIAL_BYTES}")])
_MAGIC: Final = b"CVKT\x01"
_SHORT: Final = struct.Struct(">H")
_BLOCK: Final = struct.Struct(">BII12s")
_TAG_BYTES: Final = 16
_HMAC_BYTES: Final = 32

_Entries = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """The keys of the shards. Its repr shows none.

    Attributes:
        seal_key: Authenticates segments as a whole.
        generations: For each shard its keys by generation; the newest seals. One that is missing was destroyed.
    """

    seal_key: bytes = field(repr=False)
    generations: tuple[Mapping[int, bytes], ...] = field(repr=False)

    def newest(self, shard: int) -> tuple[int, bytes]:
        """Return generation and key that a shard is sealed under."""
        generation = max(self.generations[shard])
        return generation, self.generations[shard][generation]


class _Block(NamedTuple):
    shard: int
    generation: int
    entries: int
    nonce: bytes
    sealed: bytes

    def associated_data(self, segment_id: str) -> bytes:
        return length_prefixed("key_table", segment_id, self.shard, self.generation, self.entries)


class KeyTable:
    """Looks up key material. Its repr shows none.

    Attributes:
        shredded_block_count: Blocks whose key was destroyed; their records count as absent.
    """

    def __init__(self, entries: _Entries, shredded_block_count: int = 0) -> None:
        self.shredded_block_count = shredded_block_count
        self._ids, ranks = np.unique(entries["record_id"].astype(np.int64), return_inverse=True)
        keys = _pair(ranks, entries["version"].astype(np.int64))
        order = np.argsort(keys, kind="stable")  # of two entries for one record version the later is found
        self._keys = keys[order]
        self._entries = entries[order]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"KeyTable({len(self)} entries, {self.shredded_block_count} shredded blocks)"

    @classmethod
    def empty(cls) -> Self:
        """Return a table without entries."""
        return cls(np.empty(0, _ENTRY))

    def materials(self, record_ids: pl.Series, versions: pl.Series) -> pl.Series:
        """Return the material of each record version: Binary, null where it was shredded or never stored."""
        if len(self) == 0:
            return pl.Series("material", [None] * len(record_ids), dtype=pl.Binary)
        ids = record_ids.cast(pl.Int64).to_numpy()
        ranks = np.searchsorted(self._ids, ids).clip(max=len(self._ids) - 1)
        keys = _pair(ranks, versions.cast(pl.Int64).to_numpy())
        places = np.searchsorted(self._keys, keys, side="right") - 1
        is_found = (self._ids[ranks] == ids) & (self._keys[places] == keys)
        return spread(_materials(self._entries[places[is_found]]), pl.Series(is_found)).rename("material")

    def frame(self) -> pl.DataFrame:
        """Return all entries, columns ``ENTRIES``, in the order of record id and version."""
        columns = {
            "record_id": self._entries["record_id"].astype(np.int64),
            "version": self._entries["version"].astype(np.int32),
            "material": _materials(self._entries),
        }
        return pl.DataFrame(columns, schema=ENTRIES)


def seal_segment(entries: pl.DataFrame, shard_keys: ShardKeys, segment_id: str) -> bytes:
    """Return the segment that holds ``entries``.

    Args:
        entries: Columns ``ENTRIES``, without nulls.
        shard_keys: The keys to seal under.
        segment_id: Its name in the lake; it opens under no other.
    """
    rows = _packed(entries)
    shards = rows["record_id"].astype(np.int64) & (SHARD_COUNT - 1)
    order = np.argsort(shards, kind="stable")
    bounds = np.searchsorted(shards[order], np.arange(SHARD_COUNT + 1))
    blocks = [
        _seal_block(rows[order[start:end]], shard, shard_keys, segment_id)
        for shard, (start, end) in enumerate(pairwise(bounds))
        if end > start
    ]
    name = segment_id.encode()
    body = b"".join([_MAGIC, _SHORT.pack(len(name)), name, _SHORT.pack(len(blocks)), *blocks])
    return body + hmac.digest(shard_keys.seal_key, body, "sha256")


def open_segments(segments: Mapping[str, bytes], shard_keys: ShardKeys) -> KeyTable:
    """Return the key table that the segments make together.

    Args:
        segments: Each segment under its id; a later one prevails over an earlier.
        shard_keys: The keys to open them with. Blocks under a generation that is not there any more are shredded.

    Raises:
        UnsealFailed: A segment is not what was sealed under its id by these keys.
    """
    opened, shredded = [np.empty(0, _ENTRY)], 0
    for segment_id, blob in segments.items():
        for block in _blocks(blob, shard_keys.seal_key, segment_id):
            key = shard_keys.generations[block.shard].get(block.generation)
            if key is None:
                shredded += 1
            else:
                opened.append(_open_block(block, key, segment_id))
    return KeyTable(np.concatenate(opened), shredded)


def _packed(entries: pl.DataFrame) -> _Entries:
    if any(entries[name].null_count() for name in ENTRIES) or (entries["material"].bin.size() != MATERIAL_BYTES).any():
        raise ValueError(f"each entry needs a record id, a version and {MATERIAL_BYTES} bytes of material")
    rows = np.empty(len(entries), _ENTRY)
    rows["record_id"] = entries["record_id"].to_numpy()
    rows["version"] = entries["version"].to_numpy()
    rows["material"] = ByteColumn.of(entries["material"]).first_bytes(MATERIAL_BYTES).view(f"V{MATERIAL_BYTES}").reshape(-1)
    return rows


def _seal_block(rows: _Entries, shard: int, shard_keys: ShardKeys, segment_id: str) -> bytes:
    generation, key = shard_keys.newest(shard)
    block = _Block(shard, generation, len(rows), os.urandom(12), b"")
    sealed = AESGCM(key).encrypt(block.nonce, rows.tobytes(), block.associated_data(segment_id))
    return _BLOCK.pack(*block[:-1]) + sealed


def _blocks(blob: bytes, seal_key: bytes, segment_id: str) -> Iterator[_Block]:
    """Yield the blocks of an authentic segment."""
    body, name = blob[:-_HMAC_BYTES], segment_id.encode()
    head = _MAGIC + _SHORT.pack(len(name)) + name
    is_authentic = hmac.compare_digest(hmac.digest(seal_key, body, "sha256"), blob[-_HMAC_BYTES:])
    if not is_authentic or not body.startswith(head):
        raise UnsealFailed("cannot open a segment of the key table: wrong key, wrong place, or altered")
    (count,) = _SHORT.unpack_from(body, len(head))
    at = len(head) + _SHORT.size
    for _ in range(count):
        shard, generation, entries, nonce = _BLOCK.unpack_from(body, at)
        start, at = at + _BLOCK.size, at + _BLOCK.size + entries * _ENTRY.itemsize + _TAG_BYTES
        yield _Block(shard, generation, entries, nonce, body[start:at])


def _open_block(block: _Block, key: bytes, segment_id: str) -> _Entries:
    try:
        opened = AESGCM(key).decrypt(block.nonce, block.sealed, block.associated_data(segment_id))
    except InvalidTag:
        raise UnsealFailed("cannot open a shard of the key table: wrong key, wrong place, or altered") from None
    return np.frombuffer(opened, _ENTRY)


def _materials(entries: _Entries) -> pl.Series:
    rows = np.ascontiguousarray(entries["material"]).view(np.uint8).reshape(-1, MATERIAL_BYTES)
    return rows_to_series("material", rows)


def _pair(ranks: npt.NDArray[np.int64], versions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number for a rank and a version of 32 bits, in their order."""
    return ranks << 32 | versions & 0xFFFF_FFFF
