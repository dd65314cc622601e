"""Levels of agreement of contacts, addresses, identifiers and names of enterprises: the best of all a record has."""

from typing import Final, NamedTuple

import numpy as np

from custview_pipeline.contracts.match_features import FURTHER_ADDRESS_PARTS
from custview_pipeline.matching.expansion import combinations, portions
from custview_pipeline.matching.levels import Choice
from custview_pipeline.matching.pairs import Pairs
from custview_pipeline.matching.patterns import Bools, Floats, Ints, Levels
from custview_pipeline.matching.records import SILENT, Column

_MOST_WORDS, _CONTAINED, _MANY_WORDS = 0.6, 0.8, 0.45  # shares of the weight of words, from the measured reference matcher


def person_email(pairs: Pairs) -> Levels:
    """Compare e-mail addresses: same, similar, differs; a local part made of the name is no evidence."""
    made, other_made = pairs.flag("is_email_from_name")
    alike = pairs.same("email_local")
    choice = Choice(~pairs.filled("email")).put(1, pairs.same("email") | pairs.share("emails"))
    return choice.silence(alike & (made | other_made)).put(2, alike).rest(3)


def enterprise_email(pairs: Pairs) -> Levels:
    """Compare e-mail addresses: same, same domain, differs."""
    choice = Choice(~pairs.filled("email")).put(1, pairs.same("email") | pairs.share("emails"))
    return choice.put(2, pairs.same("email_domain")).rest(3)


def phone(pairs: Pairs) -> Levels:
    """Compare phones, best against best: same, similar (one edit apart, or the same last digits), differs."""
    choice = Choice(~pairs.have("phones")).put(1, pairs.share("phones"))
    places = np.flatnonzero(choice.is_open)
    rest = pairs.at(places)
    similar = np.zeros(len(pairs), np.bool_)
    similar[places] = rest.share("phone_tails") | rest.share_near("phone_tails")
    return choice.put(2, similar).rest(3)


def identifier(pairs: Pairs) -> Levels:
    """Compare identifiers, best against best: same, one edit, differs, and differs where a customer has only one of the kind.

    Of identifiers of which a customer has only one, two that differ say more than others that agree; one edit may be a slip.
    """
    choice = Choice(~pairs.have("identifiers"))
    places = np.flatnonzero(choice.is_open)
    rest = pairs.at(places)
    near, schemes, national = (np.zeros(len(pairs), np.bool_) for _ in range(3))
    near[places] = rest.share_near("identifiers")
    schemes[places] = rest.share("identifier_schemes")
    national[places] = rest.share("national_id_schemes") & ~rest.share("national_ids")
    return choice.put(4, national & ~near).put(1, pairs.share("identifiers")).put(2, near).put(3, schemes).rest(0)


class Addresses(NamedTuple):
    """One address of both records of some pairs: tokens by part, and what only their first addresses have."""

    left: dict[str, Column]
    right: dict[str, Column]
    same_area: Bools
    near_street: Bools

    def filled(self, part: str) -> Bools:
        """Return whether both have the part."""
        both: Bools = (self.left[part] != SILENT) & (self.right[part] != SILENT)
        return both

    def same(self, part: str) -> Bools:
        """Return whether both have the same part."""
        equal: Bools = (self.left[part] == self.right[part]) & (self.left[part] != SILENT)
        return equal


def address(pairs: Pairs) -> Levels:
    """Compare addresses, best against best.

    Levels: same, other unit, place unclear, house and place, street and place, street, postal code, area, differs.
    """
    parts = (
        {part: pairs.left(part) for part in FURTHER_ADDRESS_PARTS},
        {part: pairs.right(part) for part in FURTHER_ADDRESS_PARTS},
    )
    first = Addresses(*parts, pairs.same("postal_area"), pairs.near("street"))
    levels = _address_levels(first)
    further = pairs.records.lists["further_streets"].lengths
    several = np.flatnonzero((further[pairs.i] > 0) | (further[pairs.j] > 0))
    if len(several):
        levels[several] = _best(levels[several], _further_levels(pairs.at(several)))
    return levels


def _address_levels(both: Addresses) -> Levels:
    """Return the level of one address against another."""
    house, street, code, city = (both.same(part) for part in ("house_number", "street", "postal_code", "city"))
    place = code | city
    no_place = ~both.filled("postal_code") & ~both.filled("city")
    near = street | both.near_street
    # of a city alone nothing follows: that much most neighbours have in common
    choice = Choice(~both.filled("street") & (no_place | (city & ~both.filled("postal_code"))))
    whole = house & street & (place | no_place)
    choice.put(2, whole & both.filled("unit") & ~both.same("unit")).put(1, whole)
    choice.put(3, house & near).put(4, house & place).put(5, near & place).put(6, street).put(7, code)
    return choice.put(8, both.same_area | city).rest(9)


def _further_levels(pairs: Pairs) -> Levels:
    """Return the best level of all combinations of addresses of each pair."""
    counts = pairs.records.lists["further_streets"].lengths.astype(np.int64) + 1
    best: Levels = np.full(len(pairs), _NONE, np.uint8)
    for part in portions(counts[pairs.i] * counts[pairs.j]):
        some = pairs.at(part)
        pair, one, other = combinations(counts[some.i], counts[some.j])
        left = {name: _address_part(pairs, name, some.i[pair], one) for name in FURTHER_ADDRESS_PARTS}
        right = {name: _address_part(pairs, name, some.j[pair], other) for name in FURTHER_ADDRESS_PARTS}
        near = pairs.compared.near("street").hold(left["street"] ^ right["street"])
        near &= (left["street"] != SILENT) & (right["street"] != SILENT)
        levels = _address_levels(Addresses(left, right, np.zeros(len(pair), np.bool_), near))
        np.minimum.at(best, part[pair], np.where(levels == 0, _NONE, levels).astype(np.uint8))
    return best


def _address_part(pairs: Pairs, part: str, rows: Ints, place: Ints) -> Column:
    """Return a part of the address at a place of each row's addresses: 0 the first, from 1 on the further ones."""
    lists = pairs.records.lists[FURTHER_ADDRESS_PARTS[part]]
    tokens = pairs.records.scalars[part][rows].copy()
    later = np.flatnonzero(place > 0)
    tokens[later] = lists.values[lists.starts[rows[later]] + place[later] - 1]
    return tokens


_NONE: Final = 255  # above every level


def _best(levels: Levels, others: Levels) -> Levels:
    """Return the stronger of two levels; silence is weaker than any."""
    best = np.minimum(np.where(levels == 0, _NONE, levels), others).astype(np.uint8)
    best[best == _NONE] = 0
    return best


def enterprise_name(pairs: Pairs) -> Levels:
    """Compare names of enterprises.

    Levels: same, one edit, most words, contained, many words, same leading two words, some words, differs. Words weigh by their
    rarity.
    """
    choice = (
        Choice(~pairs.filled("enterprise_name")).put(1, pairs.share("enterprise_names")).put(2, pairs.near("enterprise_name"))
    )
    common, left, right = _common_words(pairs, choice.is_open)
    choice.put(3, common >= _MOST_WORDS * (left + right - common)).put(4, common >= _CONTAINED * np.minimum(left, right))
    choice.put(5, common >= _MANY_WORDS * np.minimum(left, right)).put(6, pairs.same("enterprise_lead"))
    return choice.put(7, common > 0).rest(8)


def _common_words(pairs: Pairs, where: Bools) -> tuple[Floats, Floats, Floats]:
    """Return the weight of the words in common, and of the words of each record; asked only where it matters."""
    common, left, right = np.zeros(len(pairs)), np.ones(len(pairs)), np.ones(len(pairs))
    places = np.flatnonzero(where)
    words, weights = pairs.records.lists["name_words"], pairs.compared.word_weights
    for part in portions(words.lengths[pairs.i[places]].astype(np.int64) * words.lengths[pairs.j[places]]):
        i, j = pairs.i[places[part]], pairs.j[places[part]]
        pair, one, other = combinations(words.lengths[i], words.lengths[j])
        at, to = words.starts[i][pair] + one, words.starts[j][pair] + other
        equal = words.values[at] == words.values[to]
        common[places[part]] = np.bincount(pair[equal], weights=weights.of_word[at[equal]], minlength=len(part))
    i, j = pairs.i[places], pairs.j[places]
    left[places], right[places] = weights.of_record[i], weights.of_record[j]
    return common, left, right
