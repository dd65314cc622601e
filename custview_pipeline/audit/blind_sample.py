"""Draws a blind sample of pairs of records for people to judge, stratified by what matching did with a pair and by its evidence.

Half of the sample is of pairs that are joined and half of pairs that are apart, for each rate rests on one of them. Half of each
is spread evenly over the strata, so that none rests on a handful of answers. The other half goes where it narrows the interval
most: by size of the stratum times the standard deviation expected in it (Neyman, 1934, "On the two different aspects of the
representative method", JRSS 97). That expectation is a guess for planning; where it is wrong the interval is wider, not wrong.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.kernel.errors import ProjectInvalid

HIGH_BITS: Final = 8.0  # above the threshold, from which on evidence is high: odds of 256 to 1 more than it takes
NEAR_MISS_BITS: Final = 8.0  # below the review weight, down to which a pair is a near miss
_WITHOUT_EVIDENCE: Final = "joined, no evidence of its own"


@dataclass(frozen=True, slots=True)
class Stratum:
    """A kind of pair.

    Attributes:
        meaning: In words.
        is_joined: Whether its pairs are in one customer.
        expected_errors: Share that matching is expected to have wrong.
    """

    meaning: str
    is_joined: bool
    expected_errors: float


STRATA: Final[Mapping[str, Stratum]] = {
    "joined, high": Stratum("joined, evidence far above the threshold", is_joined=True, expected_errors=0.005),
    "joined, just above": Stratum("joined, evidence just above the threshold", is_joined=True, expected_errors=0.05),
    "joined, below": Stratum("joined through others, evidence below the threshold", is_joined=True, expected_errors=0.2),
    _WITHOUT_EVIDENCE: Stratum("joined through others, evidence not stored", is_joined=True, expected_errors=0.2),
    "apart, above": Stratum(
        "apart, though the evidence of the pair is above the threshold", is_joined=False, expected_errors=0.3
    ),
    "apart, review": Stratum("apart, evidence in the review band", is_joined=False, expected_errors=0.2),
    "apart, near miss": Stratum("apart, evidence below the review band", is_joined=False, expected_errors=0.01),
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What bands of evidence are told by, in bits: the weights from which on a pair is a MATCH, and a POSSIBLE_MATCH."""

    match_weight: float
    review_weight: float


def draw(pairs: pl.DataFrame, owners: pl.DataFrame, thresholds: Thresholds, count: int, seed: int) -> pl.DataFrame:
    """Draw a sample.

    Args:
        pairs: left_id < right_id, weight (bits): every pair whose evidence is known, each once, in any order.
        owners: record_id, cuid of the records now.
        thresholds: Tell the strata.
        count: Pairs to draw; all where there are fewer.
        seed: The same seed draws the same pairs from the same lake.

    Returns:
        pair_number (1, 2, ... in random order), left_id, right_id, stratum, weight (null where there is no evidence), pair_count
        and sample_count of the stratum.

    Raises:
        ProjectInvalid: There are more strata than pairs to draw.
    """
    generator = np.random.default_rng(seed)
    known = _with_strata(pairs, owners, thresholds).sort("stratum", "left_id", "right_id")
    sizes = dict(known.group_by("stratum").len().iter_rows())
    joined_count = known.filter(pl.col("is_joined")).height
    sizes[_WITHOUT_EVIDENCE] = _inside_count(owners) - joined_count
    ordered = {name: sizes[name] for name in STRATA if sizes.get(name)}
    if count < len(ordered):
        raise ProjectInvalid(f"a sample should have at least {len(ordered)} pairs here, one of each kind")
    wanted = allocate(ordered, count)
    drawn = [_sampled(known.filter(pl.col("stratum") == name), share, generator) for name, share in wanted.items() if share]
    drawn.append(_inside_pairs(known, owners, wanted.get(_WITHOUT_EVIDENCE, 0), generator))
    sample = pl.concat(drawn).with_columns(
        pair_count=pl.col("stratum").replace_strict(ordered, return_dtype=pl.Int64),
        sample_count=pl.len().over("stratum").cast(pl.Int64),
    )
    shuffled = sample[generator.permutation(sample.height)]
    return shuffled.with_row_index("pair_number", offset=1).cast({"pair_number": pl.Int32})


def allocate(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """Return how many pairs to draw from each stratum: at least one of each, and no more than it has.

    Args:
        sizes: Pairs of each stratum, at least one.
        count: Pairs to draw, at least one a stratum.
    """
    sides = [[name for name in sizes if STRATA[name].is_joined is side] for side in (True, False)]
    factors: dict[str, float] = {}
    for side in filter(None, sides):
        spread = {name: sizes[name] * _deviation(name) for name in side}
        total = sum(spread.values())
        factors |= {name: (0.5 / len(side) + 0.5 * spread[name] / total) for name in side}
    return _by_factors(sizes, factors, count)


def _deviation(stratum: str) -> float:
    errors = STRATA[stratum].expected_errors
    return float(np.sqrt(errors * (1 - errors)))


def _by_factors(sizes: Mapping[str, int], factors: Mapping[str, float], count: int) -> dict[str, int]:
    """Share out by factors, one to the neediest at a time (the method of Adams); what is full gets no more."""
    shares = dict.fromkeys(sizes, 1)
    for _ in range(min(count, sum(sizes.values())) - len(shares)):
        open_ones = [name for name in sizes if shares[name] < sizes[name]]
        shares[max(open_ones, key=lambda name: factors[name] / shares[name])] += 1
    return shares


def _with_strata(pairs: pl.DataFrame, owners: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Add stratum and is_joined; pairs with a record that is no customer's, and those too far apart, are left out."""
    own = owners.select("record_id", "cuid")
    joined = (
        pairs.select("left_id", "right_id", "weight")
        .join(own.rename({"record_id": "left_id", "cuid": "left_cuid"}), on="left_id", how="inner")
        .join(own.rename({"record_id": "right_id", "cuid": "right_cuid"}), on="right_id", how="inner")
        .with_columns(is_joined=pl.col("left_cuid") == pl.col("right_cuid"))
    )
    weight, match, review = pl.col("weight"), thresholds.match_weight, thresholds.review_weight
    together = (
        pl.when(weight > match + HIGH_BITS).then(pl.lit("joined, high"))
        .when(weight > match).then(pl.lit("joined, just above"))
        .otherwise(pl.lit("joined, below"))
    )  # fmt: skip
    apart = (
        pl.when(weight > match).then(pl.lit("apart, above"))
        .when(weight >= review).then(pl.lit("apart, review"))
        .when(weight >= review - NEAR_MISS_BITS).then(pl.lit("apart, near miss"))
    )  # fmt: skip
    found = joined.with_columns(stratum=pl.when("is_joined").then(together).otherwise(apart))
    return found.select("left_id", "right_id", "stratum", "weight", "is_joined").drop_nulls("stratum")


def _inside_count(owners: pl.DataFrame) -> int:
    sizes = owners.group_by("cuid").len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _sampled(known: pl.DataFrame, share: int, generator: np.random.Generator) -> pl.DataFrame:
    """Return ``share`` rows, drawn evenly; none of what has none."""
    places = np.sort(generator.choice(known.height, size=min(share, known.height), replace=False))
    return known[places].drop("is_joined")


def _inside_pairs(known: pl.DataFrame, owners: pl.DataFrame, share: int, generator: np.random.Generator) -> pl.DataFrame:
    """Draw pairs inside customers that have no evidence, evenly, without ever listing the pairs of a large customer."""
    evident = known.filter(pl.col("is_joined")).select("left_id", "right_id")
    customers = _customers_with_gaps(evident, owners)
    members, gaps = customers["members"], customers["gap_count"].to_numpy().copy()
    taken = set(evident.iter_rows())
    for _ in range(share):
        place = int(np.searchsorted(np.cumsum(gaps), generator.integers(gaps.sum()), side="right"))
        gaps[place] -= 1
        taken.add(_pair_outside(taken, members[place].to_list(), generator))
    found = sorted(taken.difference(evident.iter_rows()))
    return pl.DataFrame(found, schema={"left_id": pl.Int64, "right_id": pl.Int64}, orient="row").with_columns(
        stratum=pl.lit(_WITHOUT_EVIDENCE), weight=pl.lit(None, pl.Float64)
    )


def _customers_with_gaps(evident: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return of each customer with pairs that have no evidence its members, in order, and how many such pairs there are."""
    own = owners.select("record_id", "cuid").sort("cuid", "record_id")
    edges = evident.join(own, left_on="left_id", right_on="record_id").group_by("cuid").agg(edge_count=pl.len().cast(pl.Int64))
    size = pl.col("members").list.len().cast(pl.Int64)
    customers = own.group_by("cuid", maintain_order=True).agg(members=pl.col("record_id"))
    return (
        customers.filter(size > 1)
        .join(edges, on="cuid", how="left", maintain_order="left")
        .with_columns(gap_count=size * (size - 1) // 2 - pl.col("edge_count").fill_null(0))
        .filter(pl.col("gap_count") > 0)
    )


def _pair_outside(taken: Set[tuple[int, int]], members: Sequence[int], generator: np.random.Generator) -> tuple[int, int]:
    """Draw a pair of members that is not taken; there is one."""
    while True:
        one, other = (int(place) for place in generator.choice(len(members), size=2, replace=False))
        pair = (members[min(one, other)], members[max(one, other)])
        if pair not in taken:
            return pair
