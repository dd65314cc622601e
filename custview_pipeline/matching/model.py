"""The match model: how often each level occurs among pairs of one customer, of one household, and of strangers.

Fellegi-Sunter with three classes (I. Fellegi, A. Sunter, A Theory for Record Linkage, JASA 64, 1969). The household class is what
keeps family members, who share surname, address and phone, from being taken for one customer. ``training`` learns one.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.kernel.errors import UnknownModel
from custview_pipeline.matching.comparisons import COMPARISONS, Comparison
from custview_pipeline.matching.patterns import Floats, Ints, level_at, pack, unpack

Table = tuple[tuple[float, ...], ...]  # by comparison: the probability of each level

CLASSES: Final = ("match", "household", "unrelated")
_BY_LEVEL: Final = (
    "position", "comparison", "level", "meaning", "match_probability", "household_probability", "unrelated_probability",
)  # fmt: skip

HOUSEHOLD_SAME_GIVEN: Final = 0.005  # share of household pairs with the same given name (father and son)
LEAST_PROBABILITY: Final = 1e-9  # no level is impossible


@dataclass(frozen=True)
class MatchModel:
    """A learned model of one entity type.

    Attributes:
        comparisons: In the order of the packed pattern.
        match, household, unrelated: Probability of each level by comparison; position 0 (silent) is unused.
        shares: Share of pairs in each class, before any evidence: match, household, unrelated.
        record_count: Records it was learned from.
        calibration: Bits added to every weight, as the answers of stewards ask for.
        decision_count: Answers of stewards that it was learned from.
        is_imported: It came from another lake, and is not learned anew because this one differs.
    """

    entity_type: EntityType
    comparisons: tuple[Comparison, ...]
    match: Table
    household: Table
    unrelated: Table
    shares: tuple[float, float, float]
    record_count: int
    calibration: float = 0.0
    decision_count: int = 0
    is_imported: bool = False

    @cached_property
    def version(self) -> str:
        """Return a short digest of everything that decides a score."""
        names = [comparison.name for comparison in self.comparisons]
        tables = [self.match, self.household, self.unrelated]
        content = [self.entity_type, names, *tables, self.shares, self.calibration]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]

    @property
    def starting_logs(self) -> tuple[float, float, float]:
        """Return what is thought of a pair before anything is compared, as logs: match (calibrated), household, unrelated."""
        match, household, unrelated = (math.log(share) for share in self.shares)
        return match + self.calibration * math.log(2), household, unrelated

    def log_likelihoods(self, patterns: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the starting log plus the natural log of the probability of each pattern: match, household, unrelated."""
        levels = unpack(patterns, len(self.comparisons))
        tables = (self.match, self.household, self.unrelated)
        match, household, unrelated = (
            _log_likelihood(levels, table, start) for table, start in zip(tables, self.starting_logs, strict=True)
        )
        return match, household, unrelated

    def weights(self, patterns: Ints) -> Floats:
        """Return the evidence of each pattern in bits: one customer against the other classes; without term frequencies."""
        match, household, unrelated = self.log_likelihoods(patterns)
        bits: Floats = (match - np.logaddexp(household, unrelated)) / np.log(2)
        return bits

    def to_frame(self) -> pl.DataFrame:
        """Return the model as rows of the table match_model, one a level of a comparison, without its history."""
        rows = [
            (place, comparison.name, level, comparison.labels[level - 1], *probabilities)
            for place, comparison in enumerate(self.comparisons)
            for level, probabilities in enumerate(
                zip(self.match[place], self.household[place], self.unrelated[place], strict=True)
            )
            if level
        ]
        match_share, household_share, unrelated_share = self.shares
        return pl.DataFrame(rows, schema={name: MATCH_MODEL.types[name] for name in _BY_LEVEL}, orient="row").select(
            pl.lit(self.version).alias("model_version"),
            pl.lit(str(self.entity_type)).alias("entity_type"),
            pl.all(),
            match_share=pl.lit(match_share),
            household_share=pl.lit(household_share),
            unrelated_share=pl.lit(unrelated_share),
            trained_on_count=pl.lit(self.record_count, pl.Int64),
            calibration=pl.lit(self.calibration),
            decision_count=pl.lit(self.decision_count, pl.Int64),
            is_imported=pl.lit(self.is_imported),
        )

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Self:
        """Return the model that ``to_frame`` gives so; rows in any order, further columns do not matter.

        Args:
            frame: Every row of one model of one entity type.

        Raises:
            UnknownModel: It has a comparison or a level that this package does not know.
        """
        ordered = frame.sort("position", "level")
        first = ordered.row(0, named=True)
        entity_type = EntityType(first["entity_type"])
        by_comparison = ordered.partition_by("comparison", maintain_order=True)
        tables = {kind: tuple((0.0, *rows[f"{kind}_probability"]) for rows in by_comparison) for kind in CLASSES}
        return cls(
            entity_type,
            tuple(_comparison(entity_type, rows) for rows in by_comparison),
            tables["match"],
            tables["household"],
            tables["unrelated"],
            (first["match_share"], first["household_share"], first["unrelated_share"]),
            first["trained_on_count"],
            **{name: first[name] for name in ("calibration", "decision_count", "is_imported")},
        )


def _comparison(entity_type: EntityType, rows: pl.DataFrame) -> Comparison:
    """Return the comparison that these rows of a model are about, as this package knows it."""
    name, levels = rows["comparison"][0], rows["level"].to_list()
    for comparison in COMPARISONS[entity_type]:
        if comparison.name == name and levels == list(range(1, len(comparison.labels) + 1)):
            return comparison
    raise UnknownModel(f"the {entity_type} model {rows['model_version'][0]} compares {name} in a way that this package does not")


def repack(patterns: Ints, of: tuple[Comparison, ...], to: tuple[Comparison, ...]) -> Ints:
    """Return patterns of some comparisons as patterns of others; what the former do not have is silent."""
    places = {comparison.name: place for place, comparison in enumerate(of)}
    silent = np.zeros(len(patterns), np.uint8)
    levels = [
        level_at(patterns, places[comparison.name]).astype(np.uint8) if comparison.name in places else silent for comparison in to
    ]
    return pack(levels)


def _log_likelihood(levels: Ints, table: Table, start: float) -> Floats:
    """Return what is thought of a class at the start plus the log of the probability of each row of levels in it."""
    total = np.full(len(levels), start)
    for place, row in enumerate(table):
        logs: npt.NDArray[Any] = np.log(np.maximum(row, LEAST_PROBABILITY))
        logs[0] = 0.0  # silence says nothing
        total += logs[levels[:, place]]
    return total
