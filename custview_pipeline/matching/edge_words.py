"""Stored edges in words: what each comparison said and how many bits it is worth; no token is read, and no value known."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.contracts.matching_rules import MODEL
from custview_pipeline.matching.model import LEAST_PROBABILITY, MatchModel
from custview_pipeline.matching.patterns import unpack

_LEAST_SHOWN: Final = 0.05  # bits; less is shown as none


class LevelBits(NamedTuple):
    """What one comparison said.

    Attributes:
        comparison: What was compared.
        level: 1 is full agreement.
        meaning: The level in words.
        bits: Evidence for one customer, against what is likelier otherwise.
    """

    comparison: str
    level: int
    meaning: str
    bits: float


class PatternEvidence(NamedTuple):
    """What a model says about a pattern, the rarity of the values left aside.

    Attributes:
        alternative: What the pair is likelier if it is not one customer: household or unrelated.
        starting_bits: What was thought before anything was compared, and the calibration.
        levels: The comparisons that said something, in the order of the model.
    """

    alternative: str
    starting_bits: float
    levels: tuple[LevelBits, ...]

    @property
    def bits(self) -> float:
        """Return the evidence altogether."""
        return self.starting_bits + sum(level.bits for level in self.levels)


def say_bits(bits: float) -> str:
    """Return evidence as it is shown: with its sign, one place behind the point."""
    shown = f"{bits:+.1f}"
    return "+0.0" if shown == "-0.0" else shown


def pattern_evidence(model: MatchModel, pattern: int) -> PatternEvidence:
    """Return what a model says about a pattern of levels."""
    levels = unpack(np.array([pattern], np.int64), len(model.comparisons))[0].tolist()
    others = {"household": _logs(model.household, levels), "unrelated": _logs(model.unrelated, levels)}
    shares = dict(zip(("household", "unrelated"), map(_log2, model.shares[1:]), strict=True))
    alternative = max(others, key=lambda name: shares[name] + sum(others[name]))  # the former where both are as likely
    said = tuple(
        LevelBits(comparison.name, level, comparison.labels[level - 1], own - other)
        for comparison, level, own, other in zip(
            model.comparisons, levels, _logs(model.match, levels), others[alternative], strict=True
        )
        if level
    )
    return PatternEvidence(alternative, _log2(model.shares[0]) - shares[alternative] + model.calibration, said)


def describe_edges(edges: pl.DataFrame, models: Mapping[str, MatchModel]) -> pl.DataFrame:
    """Add to each edge, in words, what decided it beside the model and the weight of each comparison in bits: ``explanation``.

    What the stored weight has beyond the bits of the levels is the rarity of the values that agree: a common name says less.

    Args:
        edges: weight (bits), rule, pattern, model_version, any other columns.
        models: By version; an edge of a model that is not among them has only what decided it.
    """
    known = edges.select("model_version", "pattern").unique().filter(pl.col("model_version").is_in(list(models)))
    rows = []
    for version, pattern in known.iter_rows():
        evidence = pattern_evidence(models[version], pattern)
        rows.append((version, pattern, _in_words(evidence), evidence.bits))
    schema = {"model_version": pl.String, "pattern": pl.Int64, "words": pl.String, "bits": pl.Float64}
    words = pl.DataFrame(rows, schema=schema, orient="row")
    rarity = pl.col("weight") - pl.col("bits")
    said = pl.concat_str(
        pl.when(pl.col("rule") != MODEL).then(pl.format("decided by {}", "rule")),
        "words",
        pl.when(rarity.abs() >= _LEAST_SHOWN).then(pl.format("rarity of the values {}", _bits_in_words(rarity))),
        separator=", ",
        ignore_nulls=True,
    )
    joined = edges.join(words, on=["model_version", "pattern"], how="left", maintain_order="left")
    return joined.with_columns(explanation=said).drop("words", "bits")


def _logs(table: tuple[tuple[float, ...], ...], levels: list[int]) -> list[float]:
    """Return the binary logarithm of the probability of each level; silence says nothing."""
    return [_log2(row[level]) if level else 0.0 for row, level in zip(table, levels, strict=True)]


def _log2(probability: float) -> float:
    return math.log2(max(probability, LEAST_PROBABILITY))


def _in_words(evidence: PatternEvidence) -> str:
    said = [f"{level.meaning} {say_bits(level.bits)}" for level in evidence.levels]
    return ", ".join([f"starting odds {say_bits(evidence.starting_bits)}", *said])


def _bits_in_words(bits: pl.Expr) -> pl.Expr:
    return pl.when(bits < 0).then(pl.lit("-")).otherwise(pl.lit("+")) + bits.abs().round(1).cast(pl.String)
