"""Identities made under the key that never rotates: record ids, tokens of keys, content digests, first form of a CUID."""

from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.kernel.identifiers import (
    CHECK_ALPHABET,
    CROCKFORD_ALPHABET,
    CUID_CHARACTERS,
    CUID_PAYLOAD_CHARACTERS,
    CUID_PREFIX,
)
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.tokens import text_tokens

# White space, control and format characters, and what else Unicode says a display leaves out.
_NOTHING_SEEN: Final = r"^[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]*$"
_CROCKFORD: Final = np.frombuffer(CROCKFORD_ALPHABET.encode(), np.uint8)
_CHECKS: Final = np.frombuffer(CHECK_ALPHABET.encode(), np.uint8)
_CHECK_VALUES: Final = np.array([CHECK_ALPHABET.index(character) for character in CROCKFORD_ALPHABET], np.int64)
_BITS: Final = 5
_PAYLOAD_BYTES: Final = 10


def source_keys(cells: pl.Series) -> pl.Series:
    """Return the key of each row as it is stored and as its record id is made of: the cell, trimmed; null where nothing is seen.

    Nothing else is changed: a key is the source's own, and two that differ in it are two records.

    Args:
        cells: Raw cells of the key column, String.
    """
    trimmed = cells.str.strip_chars()
    return trimmed.set(trimmed.str.contains(_NOTHING_SEEN), None)


def keyed_fingerprint(id_key: bytes, fingerprint: str) -> str:
    """Return the 32 hex digits by which a delivery is recognised outside of memory.

    The plain digest of a small file would tell everyone who guesses its content that the guess is right.

    Args:
        id_key: The purpose key ``id``.
        fingerprint: The plain digest of the files.
    """
    return Cmac(derive_key(id_key, "fingerprint")).of_bytes(fingerprint.encode()).hex()


def record_ids(id_key: bytes, source_system: str, keys: pl.Series) -> pl.Series:
    """Return the record id of each source key: Int64, null where the key is null.

    Args:
        id_key: The purpose key ``id``.
        source_system: Two sources may use the same key for different customers.
        keys: Source keys (``source_keys``), String.
    """
    return text_tokens(Cmac(derive_key(id_key, "record_id", source_system)), keys).rename("record_id")


def key_tokens(id_key: bytes, source_system: str, keys: pl.Series) -> pl.Series:
    """Return what stands for each source key where keys are personal: digits as String, null where the key is null.

    They tell nothing about record ids, and never change: the crosswalk would otherwise lose its keys with every new token key.

    Args:
        id_key: The purpose key ``id``.
        source_system: Two sources may use the same key for different customers.
        keys: Source keys, String.
    """
    return text_tokens(Cmac(derive_key(id_key, "source_key", source_system)), keys).cast(pl.String)


def content_digests(id_key: bytes, contents: pl.DataFrame) -> pl.Series:
    """Return a digest of each row: Int64, never null, equal where all its values are equal.

    Args:
        id_key: The purpose key ``id``.
        contents: Raw String columns, in any order; null differs from empty. Frames of other columns give other digests.
    """
    names = sorted(contents.columns)
    if not names:
        raise ValueError("a digest needs at least one column")
    # Each value behind its length, as netstrings have it: no value can pretend to be the end of another.
    parts = [
        pl.when(pl.col(name).is_null())
        .then(pl.lit("-"))
        .otherwise(pl.concat_str(pl.col(name).str.len_bytes().cast(pl.String), pl.lit(":"), pl.col(name)))
        for name in names
    ]
    rows = contents.select(row=pl.concat_str(parts)).to_series()
    return text_tokens(Cmac(derive_key(id_key, "content_digest", *names)), rows).rename("content_digest")


def cuids(id_key: bytes, founders: pl.Series, *, generations: pl.Series | None = None) -> pl.Series:
    """Return the CUID that each record founds.

    Args:
        id_key: The purpose key ``id``.
        founders: Record ids, Int64, without nulls.
        generations: How many CUIDs each record has founded before, Int64; none by default. A record that left its customer may
            found another one, which must not get the first one's id.
    """
    if founders.null_count():
        raise ValueError("a CUID needs a record id")
    before = pl.zeros(len(founders), pl.Int64, eager=True) if generations is None else generations
    columns = np.column_stack([founders.to_numpy(), before.to_numpy()])
    words = np.ascontiguousarray(columns, dtype="<i8").view(np.uint8).reshape(-1, 16)
    macs = Cmac(derive_key(id_key, "cuid")).of_rows(words).view(np.uint8).reshape(-1, 16)
    digits = _base32_digits(macs[:, :_PAYLOAD_BYTES])
    text = np.empty((len(founders), CUID_CHARACTERS), np.uint8)
    text[:, : len(CUID_PREFIX)] = np.frombuffer(CUID_PREFIX.encode(), np.uint8)
    text[:, len(CUID_PREFIX) : -1] = _CROCKFORD[digits]
    text[:, -1] = _CHECKS[_check_values(digits)]
    return pl.Series("cuid", text.view(f"S{CUID_CHARACTERS}").reshape(-1)).cast(pl.String)


def _base32_digits(
    payloads: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    bits = np.unpackbits(payloads, axis=1).reshape(-1, CUID_PAYLOAD_CHARACTERS, _BITS)
    digits: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = bits @ (1 << np.arange(_BITS)[::-1])
    return digits


def _check_values(
    digits: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the value of each check character; the rule is that of ``kernel.identifiers.check_character``."""
    check = np.full(len(digits), 36, np.int64)
    for value in _CHECK_VALUES[digits].T:
        total = (check + value) % 36
        check = np.where(total == 0, 36, total) * 2 % 37
    return (1 - check) % 36
