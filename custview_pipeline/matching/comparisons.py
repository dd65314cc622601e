"""What is compared between two records: the levels, their words, and what is known of them before any pair is seen.

A comparison gives a pair one small level: 0 where either side is silent, 1 for full agreement, and so on downwards. Levels come
from the measured reference matcher (docs/adr/0003-matching.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.matching import contact_levels, levels
from custview_pipeline.matching.pairs import Pairs
from custview_pipeline.matching.patterns import Levels, unpack

Compare = Callable[[Pairs], Levels]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field of evidence.

    Attributes:
        name: What it compares.
        features: It is used where at least one of these is filled.
        compare: Gives pairs their levels.
        labels: What each level from 1 on means, in words for a steward.
        frequency: Level -> feature whose term frequency weighs an agreement at that level.
        outcomes: Short name of each level from 1 on, as rules in rulebook.yaml say it.
    """

    name: str
    features: tuple[str, ...]
    compare: Compare
    labels: tuple[str, ...]
    frequency: tuple[tuple[int, str], ...] = ()
    outcomes: tuple[str, ...] = ()


_GIVEN: Final = Comparison(
    "given_name",
    ("given_initial",),
    levels.given_name,
    (
        "same given name",
        "given names are nicknames",
        "given names differ by one edit",
        "same initial",
        "given names sound or begin alike",
        "given and family name swapped",
        "given name appears elsewhere in the name",
        "given names differ",
    ),
    ((1, "given"),),
)

_FAMILY: Final = Comparison(
    "family_name",
    ("family",),
    levels.family_name,
    (
        "same family name",
        "family names differ by one edit",
        "family names sound alike",
        "family name appears elsewhere in the name",
        "family names begin alike",
        "family names differ",
    ),
    ((1, "family"),),
)

_MIDDLE: Final = Comparison(
    "middle_name",
    ("middle_initial",),
    levels.middle_name,
    ("same middle name", "same middle initial", "middle names differ"),
)

_SUFFIX: Final = Comparison(
    "name_suffix",
    ("name_suffix",),
    partial(levels.same_or_not, "name_suffix"),
    ("same suffix", "suffixes differ"),
)

_BIRTH: Final = Comparison(
    "birth_date",
    ("birth_year",),
    levels.birth_date,
    (
        "same birth date",
        "same birth date, a first of January",
        "birth dates differ in one part, or day and month are swapped",
        "same birth year, day unknown",
        "same birth year only",
        "birth years differ, month or day agrees",
        "birth dates differ",
    ),
    ((1, "birth_date"), (2, "birth_date")),
)

_EMAIL: Final = Comparison(
    "email",
    ("email",),
    contact_levels.person_email,
    ("same e-mail address", "similar e-mail addresses", "e-mail addresses differ"),
    ((1, "emails"),),
)

_PHONE: Final = Comparison(
    "phone",
    ("phones",),
    contact_levels.phone,
    ("same phone", "similar phones", "phones differ"),
    ((1, "phones"),),
)

_ADDRESS: Final = Comparison(
    "address",
    ("postal_code", "street", "city"),
    contact_levels.address,
    (
        "same address",
        "same address, other unit",
        "same house and street, place unclear",
        "same house number and place",
        "same street and place",
        "same street name",
        "same postal code",
        "same area or city",
        "addresses differ",
    ),
    ((1, "house"), (7, "postal_code"), (8, "locality")),
)

_IDENTIFIERS: Final = Comparison(
    "identifier",
    ("identifiers",),
    contact_levels.identifier,
    (
        "same identifier",
        "identifiers differ by one edit",
        "identifiers differ",
        "identifiers differ of which a customer has only one",
    ),
)

_GENDER: Final = Comparison(
    "gender",
    ("gender",),
    levels.gender,
    ("same gender", "genders differ"),
)

_BIRTH_PLACE: Final = Comparison(
    "birth_place",
    ("birth_place",),
    partial(levels.same_near_or_not, "birth_place"),
    ("same birth place", "birth places differ by one edit", "birth places differ"),
    ((1, "birth_place"),),
)

_OCCUPATION: Final = Comparison(
    "occupation",
    ("occupation",),
    partial(levels.same_or_not, "occupation"),
    ("same occupation", "occupations differ"),
    ((1, "occupation"),),
)

_EMPLOYER: Final = Comparison(
    "employer",
    ("employer",),
    partial(levels.same_or_not, "employer"),
    ("same employer", "employers differ"),
    ((1, "employer"),),
)

_NATIVE_NAME: Final = Comparison(
    "native_name",
    ("native_name",),
    levels.native_name,
    ("same characters of the name", "name sounds the same, characters differ"),
)

_ENTERPRISE_NAME: Final = Comparison(
    "enterprise_name",
    ("enterprise_name",),
    contact_levels.enterprise_name,
    (
        "same enterprise name",
        "enterprise names differ by one edit",
        "most words of the names agree",
        "one name holds the other",
        "many words of the names agree",
        "names begin with the same two words",
        "some words of the names agree",
        "enterprise names differ",
    ),
    ((1, "enterprise_names"),),
)

_ENTERPRISE_EMAIL: Final = Comparison(
    "email",
    ("email",),
    contact_levels.enterprise_email,
    ("same e-mail address", "same e-mail domain", "e-mail domains differ"),
    ((1, "emails"),),
)


def _of(entity_type: EntityType, *comparisons: Comparison) -> tuple[Comparison, ...]:
    """Return the comparisons of an entity type with the short names of their outcomes."""
    outcomes = COMPARISON_OUTCOMES[entity_type]
    return tuple(replace(each, outcomes=outcomes[each.name]) for each in comparisons)


COMPARISONS: Final[dict[EntityType, tuple[Comparison, ...]]] = {
    EntityType.PERSON: _of(
        EntityType.PERSON,
        _GIVEN,
        _FAMILY,
        _MIDDLE,
        _SUFFIX,
        _BIRTH,
        _EMAIL,
        _PHONE,
        _ADDRESS,
        _IDENTIFIERS,
        _GENDER,
        _BIRTH_PLACE,
        _OCCUPATION,
        _EMPLOYER,
        _NATIVE_NAME,
    ),
    EntityType.ENTERPRISE: _of(
        EntityType.ENTERPRISE,
        _ENTERPRISE_NAME,
        _PHONE,
        _ENTERPRISE_EMAIL,
        _ADDRESS,
        _IDENTIFIERS,
    ),
}


def comparison_named(entity_type: EntityType, name: str) -> Comparison:
    """Return one comparison of an entity type.

    Raises:
        KeyError: It has none of that name.
    """
    return {comparison.name: comparison for comparison in COMPARISONS[entity_type]}[name]


def describe_pattern(pattern: int, comparisons: tuple[Comparison, ...]) -> list[str]:
    """Return the levels of a packed pattern in words, silent comparisons left out."""
    found = unpack(np.array([pattern]), len(comparisons))[0]
    return [comparison.labels[level - 1] for comparison, level in zip(comparisons, found, strict=True) if level]
