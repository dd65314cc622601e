"""A segment of the key table as bytes: blocks, one a shard, each sealed under a key of its own and read without the others.

Layout, version 2, numbers big endian::

    magic "CVKT", version u8 = 2, length u16 and UTF-8 of the segment id, count of blocks u16
    head of each block: shard u8, generation u32, entries u32, nonce 12, tag 16
    HMAC-SHA256 of all before it, 32 bytes, under a key that never rotates
    body of each block: its entries of 24 bytes, sealed with AES-256-GCM

The HMAC holds the heads together and, by their tags, the bodies: so a block whose key was destroyed is told from an altered one.
"""

import hmac
import os
import struct
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.derivation import length_prefixed

if TYPE_CHECKING:
    from typing_extensions import Buffer

ENTRY_BYTES: Final = 24

_MAGIC: Final = b"CVKT\x02"
_SHORT: Final = struct.Struct(">H")
_OWNER: Final = struct.Struct(">BII")
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HMAC_BYTES: Final = 32
_HEAD_BYTES: Final = _OWNER.size + _NONCE_BYTES + _TAG_BYTES
_HEAD: Final = np.dtype([("shard", "u1"), ("generation", ">u4"), ("entries", ">u4"), ("nonce and tag", "V28")])
_FAILED: Final = "cannot open a segment of the key table: wrong key, wrong place, or altered"


class OpenBlock(NamedTuple):
    """The entries of one shard, to be sealed under one generation of its key. Its repr shows no key."""

    shard: int
    generation: int
    key: bytes
    entries: memoryview

    def __repr__(self) -> str:
        return f"OpenBlock(shard={self.shard}, generation={self.generation})"


class SealedBlock(NamedTuple):
    """The entries of one shard, sealed.

    Attributes:
        about: What is authenticated with them.
    """

    shard: int
    generation: int
    nonce: bytes
    body: memoryview
    tag: bytes
    about: bytes

    def opened(self, key: bytes) -> bytes:
        """Return the entries.

        Raises:
            UnsealFailed: They were not sealed under this key, or were altered.
        """
        try:
            return AESGCM(key).decrypt(self.nonce, b"".join((self.body, self.tag)), self.about)
        except InvalidTag:
            raise UnsealFailed(_FAILED) from None


def seal_blocks(blocks: Iterable[OpenBlock], seal_key: bytes, segment_id: str) -> bytes:
    """Return a segment.

    Args:
        blocks: At most one a shard.
        seal_key: Authenticates the heads.
        segment_id: It opens under no other.
    """
    heads, bodies, place = [], [], _place(segment_id)
    for shard, generation, key, entries in blocks:
        owner = _OWNER.pack(shard, generation, entries.nbytes // ENTRY_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = memoryview(AESGCM(key).encrypt(nonce, entries, place + owner))
        heads.append(b"".join((owner, nonce, sealed[-_TAG_BYTES:])))
        bodies.append(sealed[:-_TAG_BYTES])
    head = b"".join((_opening(segment_id), _SHORT.pack(len(heads)), *heads))
    return b"".join((head, hmac.digest(seal_key, head, "sha256"), *bodies))


def read_blocks(
    segment: "Buffer", seal_key: bytes, segment_id: str, *, shards: Collection[int] | None = None
) -> Iterator[SealedBlock]:
    """Yield the blocks of a segment whose heads are authentic; of the bodies only what is asked for is touched.

    Args:
        segment: What ``seal_blocks`` made.
        seal_key: See ``seal_blocks``.
        segment_id: See ``seal_blocks``.
        shards: Which to yield; None for all.

    Raises:
        UnsealFailed: It was not made under this key and id, or was altered or cut.
    """
    heads, bodies = _authentic(memoryview(segment).cast("B"), seal_key, segment_id)
    table, place = np.frombuffer(heads, _HEAD), _place(segment_id)
    ends = np.cumsum(table["entries"], dtype=np.int64) * ENTRY_BYTES
    edges = np.append(0, ends).tolist()
    if len(bodies) != edges[-1]:
        raise UnsealFailed(_FAILED)
    wanted = range(len(table)) if shards is None else np.flatnonzero(np.isin(table["shard"], list(shards))).tolist()
    for number in wanted:
        head = bytes(heads[number * _HEAD_BYTES : (number + 1) * _HEAD_BYTES])
        owner, nonce, tag = head[: _OWNER.size], head[_OWNER.size : -_TAG_BYTES], head[-_TAG_BYTES:]
        shard, generation, _ = _OWNER.unpack(owner)
        yield SealedBlock(shard, generation, nonce, bodies[edges[number] : edges[number + 1]], tag, place + owner)


def _authentic(segment: memoryview, seal_key: bytes, segment_id: str) -> tuple[memoryview, memoryview]:
    """Return heads and bodies.

    Raises:
        UnsealFailed: See ``read_blocks``.
    """
    opening = _opening(segment_id)
    start = len(opening) + _SHORT.size
    if segment[: len(opening)] != opening or len(segment) < start:
        raise UnsealFailed(_FAILED)
    (count,) = _SHORT.unpack(segment[len(opening) : start])
    end = start + count * _HEAD_BYTES
    told = segment[end : end + _HMAC_BYTES]
    if not hmac.compare_digest(hmac.digest(seal_key, segment[:end], "sha256"), told):
        raise UnsealFailed(_FAILED)
    return segment[start:end], segment[end + _HMAC_BYTES :]


def _opening(segment_id: str) -> bytes:
    name = segment_id.encode()
    return _MAGIC + _SHORT.pack(len(name)) + name


def _place(segment_id: str) -> bytes:
    """Return what is authenticated with every block of a segment; the block's shard, generation and length follow."""
    return length_prefixed("key_table", segment_id)
