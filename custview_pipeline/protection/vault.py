"""The vault: each record version sealed under a key of its own, to be read only with its key material and in its place.

Layout of a blob, version 1::

    byte 0       0x01, the version of the layout
    byte 1       0x01, the algorithm: XAES-256-GCM
    bytes 2-3    version of the vault key, big endian
    bytes 4-15   second half of the nonce
    bytes 16-    ciphertext, then its 16-byte tag

The first half of the nonce, of which the record's key is made, is the record's *material*; it goes to the key table and nowhere
else, so that forgetting it shreds the record. Header, table, schema version, record id and record version are authenticated:
a blob moved elsewhere does not open there.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custview_pipeline.kernel.errors import UnsealFailed
from custview_pipeline.protection.byte_columns import ByteColumn, rows_to_series, spread
from custview_pipeline.protection.derivation import length_prefixed
from custview_pipeline.protection.key_holder import KeyHolder
from custview_pipeline.protection.xaes import MATERIAL_BYTES, XaesKey

VERSION: Final = 1
XAES_256_GCM: Final = 1
MAX_KEY_VERSION: Final = 0xFFFF
_HEADER_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_PREFIX_BYTES: Final = _HEADER_BYTES + _NONCE_BYTES
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_ROWS_AT_ONCE: Final = 16_384  # whose edges are Python numbers at a time
_FAILED: Final = "cannot unseal: wrong key, wrong place, or altered ciphertext"

_RECORD: Final = np.dtype([("id", ">i8"), ("version", ">i4")])

Bytes = npt.NDArray[np.uint8]
"""Bytes of many records: one row a record."""


class Place(NamedTuple):
    """Which table and schema records belong to."""

    table: str
    schema_version: int


class Rows(NamedTuple):
    """Which record versions: Int64 ids and Int32 versions of the same length, without nulls."""

    record_ids: pl.Series
    versions: pl.Series


class Sealed(NamedTuple):
    """Sealed rows, both Binary: blobs for the lake, and 12 bytes of material each for the key table. Its repr shows neither."""

    blobs: pl.Series
    materials: pl.Series

    def __repr__(self) -> str:
        return f"Sealed({len(self.blobs)} rows)"


_Columns = TypeVar("_Columns", Rows, Sealed)


class Vault(KeyHolder):
    """Seals under the current vault key and unseals under all it knows. Its repr shows no key.

    Args:
        keys: Vault keys by version, 32 bytes each.
        current: The version to seal under.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys or not all(0 < version <= MAX_KEY_VERSION for version in keys):
            raise ValueError("the current vault key must be among the keys, and versions fit in 16 bits")
        self._keys = {version: XaesKey(key) for version, key in keys.items()}
        self._current = current

    def __repr__(self) -> str:
        return f"Vault(current={self._current})"

    def seal(self, place: Place, rows: Rows, plaintexts: pl.Series) -> Sealed:
        """Seal each plaintext for its record version.

        Args:
            place: Where the blobs will be stored.
            rows: The record version of each plaintext.
            plaintexts: Binary or String, without nulls.
        """
        count = _same_length(rows, plaintexts)
        random = np.frombuffer(os.urandom(count * 2 * _NONCE_BYTES), np.uint8).reshape(count, 2 * _NONCE_BYTES)
        materials = np.ascontiguousarray(random[:, :MATERIAL_BYTES])
        prefixes = np.empty((count, _PREFIX_BYTES), np.uint8)
        prefixes[:, :_HEADER_BYTES] = (VERSION, XAES_256_GCM, *self._current.to_bytes(2, "big"))
        prefixes[:, _HEADER_BYTES:] = random[:, MATERIAL_BYTES:]
        keys = self._keys[self._current].subkeys(materials)
        blobs = _encrypt_all(ByteColumn.of(plaintexts), prefixes, keys, _associated_data(place, rows, prefixes))
        return Sealed(blobs.to_series("sealed"), rows_to_series("material", materials))

    def unseal(self, place: Place, rows: Rows, sealed: Sealed) -> pl.Series:
        """Return the plaintexts, Binary; null where the material is null, that is where the record was shredded.

        Raises:
            UnsealFailed: A blob was not made by these keys, with this material, for this place, or was altered. The reasons
                are deliberately not told apart.
        """
        count = _same_length(rows, sealed.blobs)
        if len(sealed.materials) != count:
            raise ValueError("blobs and materials must be of one length")
        is_present = sealed.materials.is_not_null()
        rows, sealed = _filtered(rows, is_present), _filtered(sealed, is_present)
        return spread(self._unseal_present(place, rows, sealed), is_present).rename("plaintext")

    def _unseal_present(self, place: Place, rows: Rows, sealed: Sealed) -> pl.Series:
        blobs = ByteColumn.of(sealed.blobs)
        if (blobs.lengths < _PREFIX_BYTES + _TAG_BYTES).any() or (sealed.materials.bin.size() != MATERIAL_BYTES).any():
            raise UnsealFailed(_FAILED)
        prefixes = blobs.first_bytes(_PREFIX_BYTES)
        keys = self._subkeys(prefixes, ByteColumn.of(sealed.materials).first_bytes(MATERIAL_BYTES))
        return _decrypt_all(blobs, keys, _associated_data(place, rows, prefixes)).to_series("plaintext")

    def _subkeys(self, prefixes: Bytes, materials: Bytes) -> bytes:
        """Return the key of each record under the vault key that its header names."""
        if (prefixes[:, :2] != (VERSION, XAES_256_GCM)).any():
            raise UnsealFailed(_FAILED)
        versions = prefixes[:, 2].astype(np.int64) << 8 | prefixes[:, 3]
        keys = np.empty((len(prefixes), _KEY_BYTES), np.uint8)
        for version in np.unique(versions).tolist():
            if version not in self._keys:
                raise UnsealFailed(_FAILED)
            under = versions == version
            keys[under] = np.frombuffer(self._keys[version].subkeys(materials[under]), np.uint8).reshape(-1, _KEY_BYTES)
        return keys.tobytes()


def _same_length(rows: Rows, values: pl.Series) -> int:
    if not len(rows.record_ids) == len(rows.versions) == len(values):
        raise ValueError("record ids, versions and values must be of one length")
    if rows.record_ids.null_count() or rows.versions.null_count() or values.null_count():
        raise ValueError("record ids, versions and values must not be null")
    return len(values)


def _filtered(columns: _Columns, is_kept: pl.Series) -> _Columns:
    return columns if is_kept.all() else type(columns)(*(column.filter(is_kept) for column in columns))


def _associated_data(place: Place, rows: Rows, prefixes: Bytes) -> ByteColumn:
    """Return what is authenticated with each record: header, table and schema, record id, record version."""
    fixed = length_prefixed(place.table, place.schema_version)
    width = _HEADER_BYTES + len(fixed) + _RECORD.itemsize
    rows_of_bytes = np.empty((len(prefixes), width), np.uint8)
    rows_of_bytes[:, :_HEADER_BYTES] = prefixes[:, :_HEADER_BYTES]
    rows_of_bytes[:, _HEADER_BYTES : -_RECORD.itemsize] = np.frombuffer(fixed, np.uint8)
    records = np.empty(len(prefixes), _RECORD)
    records["id"] = rows.record_ids.cast(pl.Int64).to_numpy()
    records["version"] = rows.versions.cast(pl.Int32).to_numpy()
    rows_of_bytes[:, -_RECORD.itemsize :] = records.view(np.uint8).reshape(-1, _RECORD.itemsize)
    return ByteColumn(np.arange(len(prefixes) + 1, dtype=np.int64) * width, rows_of_bytes.reshape(-1))


def _encrypt_all(plaintexts: ByteColumn, prefixes: Bytes, keys: bytes, associated: ByteColumn) -> ByteColumn:
    """Return the blobs; the keys are 32 bytes each, one behind the other."""
    blobs = ByteColumn.of_lengths(plaintexts.lengths + _PREFIX_BYTES + _TAG_BYTES)
    blobs.set_first_bytes(prefixes)
    sealed, plain, told = blobs.data.data, plaintexts.data.data, associated.data.data
    key = 0
    for blob, blob_end, start, end, about, about_end in _edges(blobs, plaintexts, associated):
        body = blob + _PREFIX_BYTES
        AESGCM(keys[key : key + _KEY_BYTES]).encrypt_into(
            sealed[blob + _HEADER_BYTES : body], plain[start:end], told[about:about_end], sealed[body:blob_end]
        )
        key += _KEY_BYTES
    return blobs


def _decrypt_all(blobs: ByteColumn, keys: bytes, associated: ByteColumn) -> ByteColumn:
    """Return the plaintexts.

    Raises:
        UnsealFailed: At least one tag does not fit.
    """
    plaintexts = ByteColumn.of_lengths(blobs.lengths - _PREFIX_BYTES - _TAG_BYTES)
    sealed, plain, told = blobs.data.data, plaintexts.data.data, associated.data.data
    key = 0
    try:
        for blob, blob_end, start, end, about, about_end in _edges(blobs, plaintexts, associated):
            body = blob + _PREFIX_BYTES
            AESGCM(keys[key : key + _KEY_BYTES]).decrypt_into(
                sealed[blob + _HEADER_BYTES : body], sealed[body:blob_end], told[about:about_end], plain[start:end]
            )
            key += _KEY_BYTES
    except InvalidTag:
        raise UnsealFailed(_FAILED) from None
    return plaintexts


def _edges(*columns: ByteColumn) -> Iterator[tuple[int, ...]]:
    """Yield where each row's value starts and ends in each column."""
    for first in range(0, len(columns[0].offsets) - 1, _ROWS_AT_ONCE):
        parts = [column.offsets[first : first + _ROWS_AT_ONCE + 1].tolist() for column in columns]
        yield from zip(*(side for part in parts for side in (part[:-1], part[1:])), strict=True)
