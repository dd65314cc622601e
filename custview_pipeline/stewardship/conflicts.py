"""Which decisions contradict one another: what is one customer by some of them, directly or through others, and is not by one."""

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.stewardship_tables import BY_STEWARD, IS_MATCH, LOCK, NOT_A_MATCH, SPLIT_OFF

_PAIRS: Final = (IS_MATCH, NOT_A_MATCH)
_OF_RECORDS: Final = (*_PAIRS, SPLIT_OFF, LOCK)
Row = Mapping[str, Any]


class Conflict(NamedTuple):
    """A decision that contradicts others.

    Attributes:
        place: Its place among those given, counted from 0.
        decision_ids: The others, by id.
        given_places: Those of them that were given beside it, by place.
        is_direct: Each of the others says the opposite by itself, so that ``supersede`` may take them back; else several of them
            do together, and a person has to say which one is wrong.
    """

    place: int
    decision_ids: tuple[str, ...]
    given_places: tuple[int, ...]
    is_direct: bool


class Weighed(NamedTuple):
    """Decisions against those that stand.

    Attributes:
        conflicts: Those that cannot be stored.
        superseded: Ids of standing decisions that are to be withdrawn for the others.
    """

    conflicts: tuple[Conflict, ...]
    superseded: tuple[str, ...]


def weigh_decisions(standing: pl.DataFrame, given: pl.DataFrame, *, supersede: bool = False) -> Weighed:
    """Return what of given decisions contradicts standing ones of stewards, or one another.

    Answers to samples contradict nobody: the decisions of stewards go before them.

    Args:
        standing: Rows of review_decisions that were not withdrawn.
        given: Rows of review_decisions, new ones, in their order.
        supersede: Whether standing decisions that say the opposite are taken back.
    """
    stated, places = _Statements(), {row: place for place, row in enumerate(given["decision_id"])}
    for row in _holding(standing).iter_rows(named=True):
        stated.add(row)
    conflicts: list[Conflict] = []
    superseded: list[str] = []
    for place, row in enumerate(given.iter_rows(named=True)):
        if row["decision"] not in _OF_RECORDS or row["origin"] != BY_STEWARD:
            continue
        against = stated.against(row)
        is_given = any(each in places for each in (*against.direct, *against.joint))
        if supersede and not against.joint and not is_given:
            superseded += against.direct
            stated.drop(against.direct)
        elif against.direct or against.joint:
            conflicts.append(_conflict(place, against, places))
            continue
        stated.add(row)
    return Weighed(tuple(conflicts), tuple(superseded))


class _Against(NamedTuple):
    """Decisions that say the opposite: each by itself, or several of them together."""

    direct: tuple[str, ...]
    joint: tuple[str, ...]


class _Cut(NamedTuple):
    """Two records that a decision parts."""

    one: int
    other: int
    cut: str


def _conflict(place: int, against: _Against, places: Mapping[str, int]) -> Conflict:
    every = tuple(dict.fromkeys([*against.direct, *against.joint]))
    return Conflict(
        place=place,
        decision_ids=tuple(each for each in every if each not in places),
        given_places=tuple(places[each] for each in every if each in places),
        is_direct=not against.joint,
    )


def _holding(standing: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions of stewards that tie or part records; of those about one pair the newest."""
    ours = standing.filter(pl.col("decision").is_in(_OF_RECORDS), pl.col("origin") == BY_STEWARD)
    ordered = ours.sort("decided_at", "decision_id")
    is_pair = pl.col("decision").is_in(_PAIRS)
    pairs = ordered.filter(is_pair).unique(["left_id", "right_id"], keep="last", maintain_order=True)
    return pl.concat([pairs, ordered.filter(~is_pair)])


class _Statements:
    """Who is tied to whom, and who is parted from whom, each by which decision; a lock is a place where its records meet."""

    def __init__(self) -> None:
        self._ties: defaultdict[Hashable, dict[Hashable, set[str]]] = defaultdict(dict)
        self._cuts: defaultdict[int, dict[int, set[str]]] = defaultdict(dict)

    def add(self, row: Row) -> None:
        told = str(row["decision_id"])
        for one, other in _cuts_of(row):
            self._note(self._cuts, one, other, told)
        for a, b in _ties_of(row):
            self._note(self._ties, a, b, told)

    def drop(self, decision_ids: Collection[str]) -> None:
        for noted in (self._ties, self._cuts):
            for others in noted.values():
                for told in others.values():
                    told.difference_update(decision_ids)

    def against(self, row: Row) -> _Against:
        """Return the decisions that say the opposite of one."""
        if row["decision"] in (IS_MATCH, LOCK):
            return self._parting(_records_of(row))
        found = [self._tying(one, other) for one, other in _cuts_of(row)]
        return _Against(_each(tied.direct for tied in found), _each(tied.joint for tied in found))

    def _parting(self, records: Collection[int]) -> _Against:
        """Return what parts records that are to be one customer, or those that are tied to them."""
        direct = self._cuts_among(set(records))
        ways = self._ways(records, ())
        joint = [told for told in self._parted_ends(ways) if told.cut not in direct]
        return _Against(direct, _each((*_led(ways, one), *_led(ways, other), cut) for one, other, cut in joint))

    def _parted_ends(self, ways: Mapping[Hashable, Any]) -> Iterator[_Cut]:
        """Yield the records reached that are parted from one another, each pair once."""
        reached = sorted(place for place in ways if isinstance(place, int))
        for one in reached:
            for other, told in sorted(self._cuts[one].items()):
                if one < other and other in ways:
                    yield from (_Cut(one, other, each) for each in sorted(told))

    def _tying(self, one: int, other: int) -> _Against:
        """Return what ties two records that are to be two customers."""
        meeting = [self._ties[one].get(other, set())]
        meeting += [told & self._ties[place].get(other, set()) for place, told in self._ties[one].items()]
        direct = tuple(sorted(set().union(*meeting)))
        return _Against(direct, self._way(one, other, without=direct))

    def _cuts_among(self, records: set[int]) -> tuple[str, ...]:
        return _each(
            sorted(told) for one in sorted(records) for other, told in sorted(self._cuts[one].items()) if other in records
        )

    def _way(self, start: int, end: int, *, without: Collection[str]) -> tuple[str, ...]:
        """Return the decisions that lead from one record to another; none where nothing does."""
        ways = self._ways([start], without)
        return _led(ways, end) if end in ways else ()

    def _ways(self, starts: Iterable[int], without: Collection[str]) -> dict[Hashable, Any]:
        """Return by each place that can be reached where one comes from, and by which decision; None for the starts."""
        ways: dict[Hashable, Any] = dict.fromkeys(starts)
        waiting: deque[Hashable] = deque(ways)
        while waiting:
            place = waiting.popleft()
            for other, told in self._ties[place].items():
                usable = told.difference(without)
                if usable and other not in ways:
                    ways[other] = (place, min(usable))
                    waiting.append(other)
        return ways

    @staticmethod
    def _note(noted: Mapping[Any, dict[Any, set[str]]], one: Hashable, other: Hashable, told: str) -> None:
        noted[one].setdefault(other, set()).add(told)
        noted[other].setdefault(one, set()).add(told)


def _led(ways: Mapping[Hashable, Any], place: Hashable) -> tuple[str, ...]:
    """Return the decisions that led to a place, the first one first."""
    told = list[str]()
    while ways[place] is not None:
        place, decision = ways[place]
        told.append(decision)
    return tuple(dict.fromkeys(reversed(told)))


def _records_of(row: Row) -> list[int]:
    return [row["left_id"], row["right_id"]] if row["decision"] == IS_MATCH else list(row["member_ids"] or ())


def _ties_of(row: Row) -> Iterable[tuple[Hashable, Hashable]]:
    if row["decision"] == IS_MATCH:
        return [(row["left_id"], row["right_id"])]
    lock = f"lock {row['decision_id']}"
    return [(record, lock) for record in row["member_ids"] or ()] if row["decision"] == LOCK else []


def _cuts_of(row: Row) -> list[tuple[int, int]]:
    if row["decision"] == NOT_A_MATCH:
        return [(row["left_id"], row["right_id"])]
    return [(row["record_id"], member) for member in row["member_ids"] or ()] if row["decision"] == SPLIT_OFF else []


def _each(found: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for some in found for each in some))
