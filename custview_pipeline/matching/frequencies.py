"""How common each value is, and which blocks are too large to pair: what a model version freezes beside its probabilities."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.matching.expansion import runs
from custview_pipeline.matching.patterns import Floats, Ints
from custview_pipeline.matching.records import SILENT, Records, TokenLists

Shares = npt.NDArray[np.float32]

OTHERS: Final = 1000
"""Other records that are taken to exist, each with values of its own: in a list of ten, a value that two hold is not common."""

_LEAST_HOLDERS: Final = 2  # an agreement needs two; values of no more are not listed
_LISTS: Final = ("emails", "phones", "enterprise_names", "name_words")
COUNTED: Final = (
    "given", "family", "birth_date", "postal_code", "birth_place", "occupation", "employer", *_LISTS,
)  # fmt: skip
"""Features of the match index that are counted."""
_DERIVED: Final = ("house", "locality")  # columns that ``Records`` adds
_RECORDS: Final = "records"  # the row that tells how many records the shares are of
_BLOCK: Final = "block "
_DENSE: Final = "dense "
_DENSE_TAILS: Final = 300_000
"""Phone numbers of seven digits beyond which a number has two others one digit away by chance (63 of ten million are)."""
_STEPS: Final = 1024  # weights are multiples of 1/1024, so that their sums do not depend on the order of adding


class WordWeights(NamedTuple):
    """How much words weigh: the natural log of how rare they are.

    Attributes:
        of_word: Weight of each word, in the order of the list's values.
        of_record: Sum over the words of each record.
    """

    of_word: Floats
    of_record: Floats


@dataclass(frozen=True)
class Frequencies:
    """Shares of values among the records they were counted on.

    Attributes:
        record_count: Those records.
        shares: By feature: tokens, ascending, and the share of records that hold each; values of one or two are not listed.
        oversize: By blocking rule: keys of the blocks, ascending, that were too large to pair.
        dense: Features whose values lie so densely that one edit between two of them tells nothing.
    """

    record_count: int
    shares: dict[str, tuple[Ints, Shares]]
    oversize: dict[str, Ints]
    dense: frozenset[str] = frozenset()

    @classmethod
    def of(cls, records: Records) -> "Frequencies":
        """Count the values of records; no block is too large yet."""
        shares = dict[str, tuple[Ints, Shares]]()
        for feature in (*COUNTED, *_DERIVED):
            column = records.lists[feature].values if feature in _LISTS else records.scalars[feature]
            ordered = np.sort(column)
            starts, counts = runs(ordered)
            tokens = ordered[starts]
            is_common = (counts > _LEAST_HOLDERS) & (tokens != SILENT)
            shares[feature] = tokens[is_common], (counts[is_common] / (records.count + OTHERS)).astype(np.float32)
        return cls(records.count, shares, {}, dense_features(records))

    def with_oversize(self, oversize: dict[str, Ints]) -> "Frequencies":
        """Return the same shares with the blocks that were too large."""
        return Frequencies(self.record_count, self.shares, oversize, self.dense)

    def log_shares(self, records: Records, feature: str) -> Shares:
        """Return the natural log of the share of each record's value; of several values that of the commonest.

        Minus infinity where a record has none.
        """
        if feature not in _LISTS:
            column = records.scalars[feature]
            found = self._looked_up(feature, column)
            found[column == SILENT] = -np.inf
            return found
        lists = records.lists[feature]
        highest = np.full(records.count, -np.inf, np.float32)
        np.maximum.at(highest, lists.owners, self._looked_up(feature, lists.values))
        return highest

    def word_weights(self, words: TokenLists) -> WordWeights:
        """Return how much each word weighs and the words of each record together."""
        rarity = -self._looked_up("name_words", words.values).astype(np.float64)
        weights = np.round(rarity * _STEPS) / _STEPS
        sums = np.bincount(words.owners, weights=weights, minlength=len(words.lengths))
        return WordWeights(weights, sums.astype(np.float64))

    @property
    def _least(self) -> np.float32:
        """Return the log share of a value that is not listed."""
        return np.float32(np.log(_LEAST_HOLDERS / (self.record_count + OTHERS)))

    def _looked_up(self, feature: str, values: Ints) -> Shares:
        known, shares = self.shares.get(feature, (np.empty(0, np.int64), np.empty(0, np.float32)))
        found = np.full(len(values), self._least, np.float32)
        if len(known):
            order = np.argsort(values)  # ordered look-ups stay in the processor's cache
            place = np.minimum(np.searchsorted(known, values[order]), len(known) - 1)
            is_known = known[place] == values[order]
            found[order[is_known]] = np.log(shares[place[is_known]])
        return found

    def to_frame(self) -> pl.DataFrame:
        """Return the rows of the index part of that name: feature, token, share."""
        rows = [_rows(_RECORDS, np.zeros(1, np.int64), np.full(1, self.record_count, np.float64))]
        rows += [_rows(feature, tokens, shares) for feature, (tokens, shares) in self.shares.items()]
        rows += [_rows(_BLOCK + rule, keys, np.zeros(len(keys))) for rule, keys in self.oversize.items()]
        rows += [_rows(_DENSE + feature, np.zeros(1, np.int64), np.zeros(1)) for feature in sorted(self.dense)]
        return pl.concat(rows)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Frequencies":
        """Read what ``to_frame`` returned; its rows may come in any order."""
        parts = {
            feature: part.sort("token")
            for (feature,), part in frame.partition_by("feature", as_dict=True, maintain_order=True).items()
        }
        count = int(parts.pop(_RECORDS)["share"][0])
        blocks = {feature for feature in parts if feature.startswith(_BLOCK)}
        dense = {feature for feature in parts if feature.startswith(_DENSE)}
        shares = {
            feature: (part["token"].to_numpy(), part["share"].to_numpy().astype(np.float32))
            for feature, part in parts.items()
            if feature not in blocks | dense
        }
        oversize = {feature.removeprefix(_BLOCK): parts[feature]["token"].to_numpy() for feature in sorted(blocks)}
        return cls(count, shares, oversize, frozenset(feature.removeprefix(_DENSE) for feature in dense))


def dense_features(records: Records) -> frozenset[str]:
    """Return the features whose values lie so densely that one edit between two of them tells nothing."""
    tails = records.lists["phone_tails"].values
    return frozenset({"phone_tails"}) if is_dense(len(np.unique(tails))) else frozenset()


def is_dense(tails: int) -> bool:
    """Return whether so many different phone numbers lie so densely."""
    return tails > _DENSE_TAILS


def _rows(feature: str, tokens: Ints, shares: Floats | Shares) -> pl.DataFrame:
    return pl.DataFrame({"token": tokens, "share": shares.astype(np.float64)}).select(
        pl.lit(feature).alias("feature"), "token", "share"
    )
