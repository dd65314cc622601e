"""A digest of the candidates of a customer and how they were judged: it differs where their golden record needs a new version."""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.survivorship.claims import ATTRIBUTES
from custview_pipeline.survivorship.reasons import REASONS

# The steps of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): the digest is stored, so
# it must be the same under every version of every library.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXES: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST: Final = np.uint64(31)


def digest_candidates(ranked: pl.DataFrame) -> pl.DataFrame:
    """Return cuid, candidates_digest (Int64) of each customer; that time has passed makes no other digest.

    Args:
        ranked: Outcome of ``elect``; the rows of a customer lie together.
    """
    if ranked.is_empty():
        return ranked.select("cuid", candidates_digest=pl.lit(0, pl.Int64))
    digest = np.zeros(ranked.height, np.uint64)
    names = [_named(ranked["attribute"], ATTRIBUTES), _named(ranked["reason"], REASONS), _texts(ranked["open_value"])]
    for column in (*names, *_numbers(ranked)):
        digest = _mix(digest ^ column)
    starts = (ranked["cuid"] != ranked["cuid"].shift()).fill_null(value=True).arg_true()
    sums = np.add.reduceat(digest, starts.to_numpy())  # the order of candidates does not matter: their rank is in the digest
    return ranked.select(pl.col("cuid").gather(starts)).with_columns(candidates_digest=pl.Series(sums.view(np.int64)))


def _numbers(ranked: pl.DataFrame) -> list[npt.NDArray[np.uint64]]:
    names = ("record_id", "record_version", "slot", "rank", "source_count", "is_contested", "is_kept")
    whole = [ranked[name].cast(pl.Int64).to_numpy() for name in names]
    return [each.view(np.uint64) for each in (*whole, ranked["steady_trust"].to_numpy())]


def _named(names: pl.Series, known: pl.Enum) -> npt.NDArray[np.uint64]:
    """Return a number for each name that does not depend on which other names there are."""
    codes: npt.NDArray[np.uint64] = _codes(known.categories)[names.cast(known).to_physical().to_numpy()]
    return codes


def _texts(values: pl.Series) -> npt.NDArray[np.uint64]:
    """Return a number for each value, 0 where there is none."""
    known = values.drop_nulls().unique()
    codes = pl.DataFrame({"value": known, "code": pl.Series(_codes(known), dtype=pl.UInt64)})
    found = values.alias("value").to_frame().join(codes, on="value", how="left", maintain_order="left")
    return np.asarray(found["code"].fill_null(0), np.uint64)


def _codes(texts: pl.Series) -> npt.NDArray[np.uint64]:
    return np.array([int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) for text in texts], np.uint64)


def _mix(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = numbers + _STEP
    for shift, factor in _MIXES:
        mixed = (mixed ^ (mixed >> shift)) * factor
    return mixed ^ (mixed >> _LAST)
