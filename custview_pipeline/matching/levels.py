"""Levels of agreement of names, dates and other single fields: 0 where either record is silent, 1 for full agreement."""

from typing import Self

import numpy as np

from custview_pipeline.matching.pairs import Pairs
from custview_pipeline.matching.patterns import Bools, Levels
from custview_pipeline.matching.records import SILENT


class Choice:
    """Gives each pair the level of the first condition that holds; pairs that are silent keep level 0."""

    def __init__(self, silent: Bools) -> None:
        self._level: Levels = np.zeros(len(silent), np.uint8)
        self._is_open: Bools = ~silent

    @property
    def is_open(self) -> Bools:
        """Return which pairs have no level yet."""
        return self._is_open

    def put(self, level: int, condition: Bools) -> Self:
        """Give a level to the open pairs for which the condition holds."""
        hit = self._is_open & condition
        self._level += hit.view(np.uint8) * np.uint8(level)  # open pairs have level 0; a mask would cost twenty times as much
        self._is_open ^= hit
        return self

    def silence(self, condition: Bools) -> Self:
        """Leave the open pairs for which the condition holds at level 0."""
        self._is_open &= ~condition
        return self

    def rest(self, level: int) -> Levels:
        """Give a level to the pairs that are still open, and return all levels."""
        self._level += self._is_open.view(np.uint8) * np.uint8(level)
        return self._level


def elsewhere(pairs: Pairs, feature: str) -> Bools:
    """Return whether one record's given or family name stands anywhere else in the other's name."""
    other = "family" if feature == "given" else "given"
    return pairs.crossed(feature, other) | pairs.crossed(other, feature) | pairs.hold("other_words", feature)


def is_swapped(pairs: Pairs) -> Bools:
    """Return whether given and family name stand in each other's place."""
    return pairs.crossed("given", "family") & pairs.crossed("family", "given")


def given_name(pairs: Pairs) -> Levels:
    """Compare given names: same, nickname, one edit, initial, sounds alike, swapped, elsewhere, differs."""
    filled, swapped = pairs.filled("given"), is_swapped(pairs)
    choice = Choice(~pairs.filled("given_initial")).put(1, pairs.same("given")).put(6, swapped)
    choice.put(2, pairs.same("given_group") | pairs.share("given_groups")).put(3, pairs.near("given"))
    choice.put(4, ~filled & pairs.same("given_initial")).put(8, ~filled)
    # One shared word in different places: a half-swapped name is no agreement of given names.
    both_named = (pairs.left("family") != SILENT) & (pairs.right("family") != SILENT)
    crossed = (pairs.crossed("given", "family") | pairs.crossed("family", "given")) & both_named
    choice.put(7, elsewhere(pairs, "given") & ~crossed)
    return choice.put(5, pairs.same("given_sound") | pairs.same("given_prefix")).rest(8)


def family_name(pairs: Pairs) -> Levels:
    """Compare family names: same, one edit, sounds alike, elsewhere, begins alike, differs; silent where names are swapped."""
    choice = Choice(~pairs.filled("family")).silence(is_swapped(pairs) & ~pairs.same("given")).put(1, pairs.same("family"))
    choice.put(2, pairs.near("family")).put(3, pairs.same("family_sound"))
    choice.put(4, elsewhere(pairs, "family"))
    return choice.put(5, pairs.same("family_prefix")).rest(6)


def middle_name(pairs: Pairs) -> Levels:
    """Compare middle names: same, initial (one of them is no more than that), differs."""
    choice = Choice(~pairs.filled("middle_initial")).put(1, pairs.same("middle"))
    return choice.put(2, pairs.same("middle_initial") & ~pairs.filled("middle")).rest(3)


def same_or_not(feature: str, pairs: Pairs) -> Levels:
    """Compare a single value: same, differs."""
    return Choice(~pairs.filled(feature)).put(1, pairs.same(feature)).rest(2)


def same_near_or_not(feature: str, pairs: Pairs) -> Levels:
    """Compare a single word: same, one edit, differs."""
    return Choice(~pairs.filled(feature)).put(1, pairs.same(feature)).put(2, pairs.near(feature)).rest(3)


def birth_date(pairs: Pairs) -> Levels:
    """Compare birth dates: same, same first of January, one part, year with a day unknown, year, month or day, differs."""
    year, month, day = (pairs.same(part) for part in ("birth_year", "birth_month", "birth_day"))
    turned = year & pairs.crossed("birth_month", "birth_day") & pairs.crossed("birth_day", "birth_month")
    january, other_january = pairs.flag("is_birth_first_of_january")
    same = pairs.same("birth_date")
    choice = Choice(~pairs.filled("birth_year")).put(2, same & january).put(1, same)
    choice.put(3, (year & month & ~day) | (year & ~month & day) | (~year & month & day) | turned)
    choice.put(4, year & (january | other_january | ~pairs.filled("birth_date"))).put(5, year)
    return choice.put(6, month | day).rest(7)


def native_name(pairs: Pairs) -> Levels:
    """Compare names in their own script where the readings are equal: same, differs.

    Names that are written alike sound alike, so equal characters say little beyond an equal reading; other characters under the
    same reading say much. Silent elsewhere, which makes both probabilities conditional on the reading.
    """
    comparable = pairs.filled("native_name") & pairs.same("given") & pairs.same("family")
    return Choice(~comparable).put(1, pairs.same("native_name")).rest(2)


def gender(pairs: Pairs) -> Levels:
    """Compare genders: same, differs; silent where the given names agree, which says it already."""
    return Choice(~pairs.filled("gender") | pairs.same("given")).put(1, pairs.same("gender")).rest(2)
