"""The records of one entity type as columns of tokens by row number, ready to be gathered pair by pair."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.patterns import Bools, Ints

SILENT: Final = 0  # stands for no value; a token is zero by a chance of 2^-64
LONGEST_LIST: Final = 24  # of more phones, e-mail addresses ... in one record the first by token order are compared
_STEPS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)

Column = Ints  # one token a row
Lengths = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TokenLists:
    """A list of tokens for each record.

    Attributes:
        starts: Where the list of each record starts in ``values``; one more than there are records.
        values: The tokens of all lists.
        lengths: Length of each list.
        first: The first token of each list, ``SILENT`` where it is empty.
        cut_count: Records whose list was longer than ``LONGEST_LIST``.
    """

    starts: Ints
    values: Ints
    lengths: Lengths
    first: Ints
    cut_count: int

    @classmethod
    def of(cls, lists: pl.Series) -> "TokenLists":
        """Take a series of lists; null elements become ``SILENT``."""
        lengths = lists.list.len().fill_null(0)
        cut = int((lengths > LONGEST_LIST).sum())
        if cut:
            lists = lists.list.head(LONGEST_LIST)
            lengths = lists.list.len().fill_null(0)
        values = lists.filter(lengths > 0).explode().fill_null(SILENT).to_numpy().astype(np.int64)
        return cls.packed(values, lengths.to_numpy().astype(np.uint8), cut)

    @classmethod
    def packed(cls, values: Ints, lengths: Lengths, cut_count: int) -> "TokenLists":
        """Take the tokens of all lists, one list behind the other, and how long each is."""
        starts = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, dtype=np.int64, out=starts[1:])
        first = np.full(len(lengths), SILENT, np.int64)
        first[lengths > 0] = values[starts[:-1][lengths > 0]]
        return cls(starts, values, lengths, first, cut_count)

    def taken(self, rows: Ints) -> "TokenLists":
        """Return the lists of these rows, in their order."""
        lengths = self.lengths[rows]
        ends = np.cumsum(lengths, dtype=np.int64)
        offsets = np.repeat(self.starts[:-1][rows] - (ends - lengths), lengths)
        return TokenLists.packed(self.values[np.arange(len(offsets)) + offsets], lengths, self.cut_count)

    @cached_property
    def owners(self) -> Ints:
        """Return the row of each value."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


@dataclass(frozen=True)
class TokenColumns:
    """Token columns of some records.

    Attributes:
        record_ids: Record id of each row.
        scalars: Column of each feature of which a record has one; ``SILENT`` where it has none.
        flags: Column of each yes-or-no feature.
        lists: Lists of each feature of which a record may have several.
    """

    record_ids: Ints
    scalars: dict[str, Column]
    flags: dict[str, Bools]
    lists: dict[str, TokenLists]

    @classmethod
    def taken(cls, tokens: pl.DataFrame, order: Ints | None = None, wanted: Collection[str] = FEATURES.keys()) -> "TokenColumns":
        """Take rows of the match index (schema ``TOKENS``).

        Args:
            tokens: The rows.
            order: The order to bring them into; as they are by default.
            wanted: Features to take; all of them, and what is made of them, by default.
        """
        scalars, flags, lists = dict[str, Column](), dict[str, Bools](), dict[str, TokenLists]()
        for name, feature in FEATURES.items():
            if name not in wanted:
                continue
            if feature.token_field is None:
                flags[name] = _taken(tokens[name].fill_null(value=False).to_numpy(), order)
            elif feature.is_list:
                held = TokenLists.of(tokens[name])
                lists[name] = held if order is None else held.taken(order)
            else:
                scalars[name] = _taken(tokens[name].fill_null(SILENT).to_numpy(), order)
        columns = cls(_taken(tokens["record_id"].to_numpy(), order), scalars, flags, lists)
        if len(wanted) == len(FEATURES):
            columns._add_derived()
        return columns

    def _add_derived(self) -> None:
        """Add the columns that are made of others."""
        city, area = self.scalars["city"], self.scalars["postal_area"]
        self.scalars["house"] = self.key("house_number", "street", "place")
        self.scalars["locality"] = np.where(city != SILENT, city, area)
        self.lists["other_words"] = _other_words(self)

    @property
    def count(self) -> int:
        """Return the number of records."""
        return len(self.record_ids)

    @cached_property
    def filled(self) -> frozenset[str]:
        """Return the features that two records have at least."""
        counts = {name: np.count_nonzero(column) for name, column in self.scalars.items()}
        counts |= {name: np.count_nonzero(lists.lengths) for name, lists in self.lists.items()}
        return frozenset(name for name, count in counts.items() if count > 1)

    @cached_property
    def digests(self) -> Ints:
        """Return one number of all that each record holds, equal for equal records; ``SILENT`` for one that holds nothing."""
        total = np.zeros(self.count, np.uint64)
        for place, column in enumerate(self.scalars.values()):
            total += column.view(np.uint64) * np.uint64(2 * place + 3)
        for place, lists in enumerate(self.lists.values()):
            summed = np.concatenate([np.zeros(1, np.uint64), np.cumsum(lists.values.view(np.uint64))])
            total += (summed[lists.starts[1:]] - summed[lists.starts[:-1]]) * np.uint64(2 * place + 103)
        return total.view(np.int64)

    def column(self, feature: str) -> Column:
        """Return the tokens of a feature of which a record has one; ``place`` is the postal code or, without one, the city."""
        return self._place if feature == "place" else self.scalars[feature]

    def values(self, feature: str) -> Ints:
        """Return all tokens of a feature, with repetitions; ``SILENT`` may be among them."""
        lists = self.lists.get(feature)
        return self.scalars[feature] if lists is None else lists.values

    def key(self, *features: str) -> Ints:
        """Return one token of several features together, see ``column``; ``SILENT`` where any of them is."""
        return mixed([self.column(name) for name in features])

    @property
    def _place(self) -> Column:
        return np.where(self.scalars["postal_code"] != SILENT, self.scalars["postal_code"], self.scalars["city"])


@dataclass(frozen=True)
class Records(TokenColumns):
    """Token columns of the records of one entity type.

    Rows lie in the order of names, so that the two records of most pairs lie near each other and gathering stays in the
    processor's cache. Nothing that is decided depends on that order: what must not depend on the tokens goes by ``rank``.
    """

    entity_type: EntityType

    @classmethod
    def of(cls, tokens: pl.DataFrame, entity_type: EntityType) -> "Records":
        """Take the rows of the match index (schema ``TOKENS``) that are of one entity type."""
        mine = tokens.filter(pl.col("is_enterprise") == (entity_type is EntityType.ENTERPRISE))
        columns = TokenColumns.taken(mine, _in_order_of_names(mine))
        return cls(columns.record_ids, columns.scalars, columns.flags, columns.lists, entity_type)

    @cached_property
    def by_rank(self) -> Ints:
        """Return the row of each record in the order of record ids."""
        return np.argsort(self.record_ids)

    @cached_property
    def rank(self) -> Ints:
        """Return the place of each row in the order of record ids."""
        rank = np.empty(self.count, np.int64)
        rank[self.by_rank] = np.arange(self.count)
        return rank


def _other_words(records: TokenColumns) -> TokenLists:
    """Return the words of each name that are neither its given nor its family name."""
    words = records.lists["name_words"]
    given, family = (records.scalars[name][words.owners] for name in ("given", "family"))
    is_other = (words.values != given) & (words.values != family)
    lengths = np.bincount(words.owners[is_other], minlength=records.count)
    return TokenLists.packed(words.values[is_other], lengths.astype(np.uint8), 0)


def _in_order_of_names(tokens: pl.DataFrame) -> Ints:
    """Return the rows by family name, or leading words of an enterprise, and given name; half of each token says enough."""
    first, second = (tokens[name].fill_null(SILENT).to_numpy().view(np.uint64) for name in ("family", "given"))
    lead = tokens["enterprise_lead"].fill_null(SILENT).to_numpy().view(np.uint64)
    half = np.uint64(32)
    return np.argsort(((first ^ lead) >> half << half) | (second >> half))


def mixed(columns: list[Column], *, is_quick: bool = False) -> Ints:
    """Return one token of several columns of tokens; ``SILENT`` where any of them is. Their order matters.

    Tokens are random already, so a sum of odd multiples (constants of xxHash and splitmix64) keeps them apart.

    Args:
        columns: The columns.
        is_quick: Whether silence is not looked for: then a token with a silent part is any number.
    """
    if len(columns) == 1:
        return columns[0]
    total = np.zeros(len(columns[0]), np.uint64)
    for step, column in zip(_STEPS, columns, strict=False):
        total += column.view(np.uint64) * np.uint64(step)
    if not is_quick:
        is_silent = columns[0] == SILENT
        for column in columns[1:]:
            is_silent |= column == SILENT
        total[is_silent] = SILENT
    return total.view(np.int64)


def _taken(column: npt.NDArray[Any], order: Ints | None) -> npt.NDArray[Any]:
    return column if order is None else column[order]
