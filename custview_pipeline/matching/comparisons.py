"""What is compared between two records, in levels; the SQL speaks of tokens ``a.<feature>`` and ``b.<feature>``.

A comparison gives a pair one small level: 0 where either side is silent, 1 for full agreement, and so on downwards.
Priors are shares of the levels 1, 2, ... among pairs of one customer and of one household; they start the learning and keep small
inputs sane. Levels and priors come from the measured reference matcher (docs/adr/0003-matching.md).
"""

from dataclasses import dataclass
from typing import Final

from custview_pipeline.contracts.attributes import EntityType


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field of evidence.

    Attributes:
        name: What it compares.
        features: It is used where at least one of these is filled.
        level: SQL expression of the level.
        labels: What each level from 1 on means, in words for a steward.
        match_prior: Share of each level from 1 on among pairs of one customer.
        household_prior: The same among two people of one household; None: as among unrelated pairs.
        frequency: Level -> feature whose term frequency weighs an agreement at that level.
        unrelated_prior: Share of each level from 1 on among strangers, where they often agree; None: they rarely do.
    """

    name: str
    features: tuple[str, ...]
    level: str
    labels: tuple[str, ...]
    match_prior: tuple[float, ...]
    household_prior: tuple[float, ...] | None
    frequency: tuple[tuple[int, str], ...] = ()
    unrelated_prior: tuple[float, ...] | None = None


_SAME_PLACE: Final = "(coalesce(a.postal_code = b.postal_code, false) or coalesce(a.city = b.city, false))"
_NO_PLACE: Final = "((a.postal_code is null or b.postal_code is null) and (a.city is null or b.city is null))"
_SWAPPED: Final = "coalesce(a.given = b.family and a.family = b.given, false)"
# One shared word in different places: a half-swapped name is no agreement of given names.
_CROSSED: Final = "coalesce((a.given = b.family or a.family = b.given) and a.family is not null and b.family is not null, false)"

_GIVEN: Final = Comparison(
    "given_name",
    ("given_initial",),
    f"""case when a.given_initial is null or b.given_initial is null then 0
        when a.given = b.given then 1
        when {_SWAPPED} then 6
        when a.given_group = b.given_group then 2
        when near_given.left_token is not null then 3
        when a.given is null or b.given is null then if(a.given_initial = b.given_initial, 4, 8)
        when not {_CROSSED} and (list_contains(a.name_words, b.given) or list_contains(b.name_words, a.given)) then 7
        when a.given_sound = b.given_sound or a.given_prefix = b.given_prefix then 5
        else 8 end""",
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
    (0.70, 0.06, 0.08, 0.05, 0.02, 0.02, 0.02, 0.05),
    None,
    ((1, "given"),),
)

_FAMILY: Final = Comparison(
    "family_name",
    ("family",),
    f"""case when a.family is null or b.family is null or {_SWAPPED} and a.given <> b.given then 0
        when a.family = b.family then 1
        when near_family.left_token is not null then 2
        when a.family_sound = b.family_sound then 3
        when list_contains(a.name_words, b.family) or list_contains(b.name_words, a.family) then 4
        when a.family_prefix = b.family_prefix then 5
        else 6 end""",
    (
        "same family name",
        "family names differ by one edit",
        "family names sound alike",
        "family name appears elsewhere in the name",
        "family names begin alike",
        "family names differ",
    ),
    (0.85, 0.05, 0.02, 0.02, 0.01, 0.05),
    (0.85, 0.03, 0.01, 0.03, 0.01, 0.07),
    ((1, "family"),),
)

_MIDDLE: Final = Comparison(
    "middle_name",
    ("middle_initial",),
    """case when a.middle_initial is null or b.middle_initial is null then 0
        when a.middle = b.middle then 1
        when a.middle_initial = b.middle_initial then 2
        else 3 end""",
    ("same middle name", "same middle initial", "middle names differ"),
    (0.2, 0.7, 0.1),
    None,
)

_SUFFIX: Final = Comparison(
    "name_suffix",
    ("name_suffix",),
    "case when a.name_suffix is null or b.name_suffix is null then 0 when a.name_suffix = b.name_suffix then 1 else 2 end",
    ("same suffix", "suffixes differ"),
    (0.95, 0.05),
    (0.1, 0.9),
    unrelated_prior=(0.4, 0.6),
)
SUFFIX_DIFFERS: Final = 2

_BIRTH: Final = Comparison(
    "birth_date",
    ("birth_year",),
    """case when a.birth_year is null or b.birth_year is null then 0
        when a.birth_date = b.birth_date then if(a.is_birth_first_of_january, 2, 1)
        when (a.birth_year = b.birth_year)::int + (a.birth_month = b.birth_month)::int + (a.birth_day = b.birth_day)::int = 2
            or a.birth_year = b.birth_year and a.birth_month = b.birth_day and a.birth_day = b.birth_month then 3
        when a.birth_year = b.birth_year then
            if(a.is_birth_first_of_january or b.is_birth_first_of_january or a.birth_date is null or b.birth_date is null, 4, 5)
        else 6 end""",
    (
        "same birth date",
        "same birth date, a first of January",
        "birth dates differ in one part, or day and month are swapped",
        "same birth year, day unknown",
        "same birth year only",
        "birth years differ",
    ),
    (0.80, 0.03, 0.09, 0.02, 0.02, 0.04),
    (0.005, 0.005, 0.03, 0.02, 0.02, 0.92),
    ((1, "birth_date"), (2, "birth_date")),
)

_EMAIL: Final = Comparison(
    "email",
    ("email",),
    """case when a.email is null or b.email is null then 0
        when a.email = b.email then 1
        when a.email_local = b.email_local then if(a.is_email_from_name or b.is_email_from_name, 0, 2)
        else 3 end""",
    ("same e-mail address", "similar e-mail addresses", "e-mail addresses differ"),
    (0.6, 0.05, 0.35),
    (0.15, 0.02, 0.83),
    ((1, "email"),),
)

_PHONE_LEVEL: Final = """case when len(a.phones) * len(b.phones) = 0 then 0
        when list_has_any(a.phones, b.phones) then 1
        when list_has_any(a.phone_tails, b.phone_tails) or near_phone_tails.i is not null then 2
        else 3 end"""
_PHONE_LABELS: Final = ("same phone", "similar phones", "phones differ")

_PHONE: Final = Comparison(
    "phone", ("phones",), _PHONE_LEVEL, _PHONE_LABELS, (0.6, 0.05, 0.35), (0.5, 0.02, 0.48), ((1, "phones"),)
)

_ADDRESS_LEVEL: Final = f"""case when (a.street is null or b.street is null) and {_NO_PLACE} then 0
        when a.house_number = b.house_number and a.street = b.street and ({_SAME_PLACE} or {_NO_PLACE})
            then if(coalesce(a.unit <> b.unit, false), 2, 1)
        when a.house_number = b.house_number and (a.street = b.street or near_street.left_token is not null) then 3
        when a.house_number = b.house_number and {_SAME_PLACE} then 4
        when (a.street = b.street or near_street.left_token is not null) and {_SAME_PLACE} then 5
        when a.street = b.street then 6
        when a.postal_code = b.postal_code then 7
        when a.postal_area = b.postal_area or a.city = b.city or near_postal_code.left_token is not null then 8
        else 9 end"""
_ADDRESS_LABELS: Final = (
    "same address",
    "same address, other unit",
    "same house and street, place unclear",
    "same house number and place",
    "same street and place",
    "same street name",
    "same postal code",
    "same area or city",
    "addresses differ",
)

_ADDRESS: Final = Comparison(
    "address",
    ("postal_code", "street"),
    _ADDRESS_LEVEL,
    _ADDRESS_LABELS,
    (0.5, 0.02, 0.08, 0.04, 0.03, 0.02, 0.04, 0.1, 0.17),
    (0.6, 0.03, 0.08, 0.04, 0.03, 0.02, 0.05, 0.05, 0.1),
    ((1, "house"), (7, "postal_code")),
)

_IDENTIFIERS: Final = Comparison(
    "identifier",
    ("identifiers",),
    """case when list_has_any(a.identifiers, b.identifiers) then 1
        when near_identifiers.i is not null then 2
        when list_has_any(a.identifier_schemes, b.identifier_schemes) then 3
        else 0 end""",
    ("same identifier", "identifiers differ by one edit", "identifiers differ"),
    (0.85, 0.06, 0.09),
    (0.005, 0.005, 0.99),
)


_GENDER: Final = Comparison(
    "gender",
    ("gender",),
    "case when a.gender is null or b.gender is null then 0 when a.gender = b.gender then 1 else 2 end",
    ("same gender", "genders differ"),
    (0.98, 0.02),
    (0.5, 0.5),
    unrelated_prior=(0.5, 0.5),
)

_BIRTH_PLACE: Final = Comparison(
    "birth_place",
    ("birth_place",),
    """case when a.birth_place is null or b.birth_place is null then 0 when a.birth_place = b.birth_place then 1
        when near_birth_place.left_token is not null then 2 else 3 end""",
    ("same birth place", "birth places differ by one edit", "birth places differ"),
    (0.7, 0.1, 0.2),
    (0.3, 0.05, 0.65),
    ((1, "birth_place"),),
)

_OCCUPATION: Final = Comparison(
    "occupation",
    ("occupation",),
    "case when a.occupation is null or b.occupation is null then 0 when a.occupation = b.occupation then 1 else 2 end",
    ("same occupation", "occupations differ"),
    (0.7, 0.3),
    (0.15, 0.85),
    ((1, "occupation"),),
)

# Names that are written alike sound alike, so equal characters say little beyond an equal reading; other characters under the
# same reading say much. Silent elsewhere, which makes both probabilities conditional on the reading.
_NATIVE_NAME: Final = Comparison(
    "native_name",
    ("native_name",),
    """case when a.native_name is null or b.native_name is null then 0
        when coalesce(a.given = b.given and a.family = b.family, false) then if(a.native_name = b.native_name, 1, 2)
        else 0 end""",
    ("same characters of the name", "name sounds the same, characters differ"),
    (0.95, 0.05),
    None,
    unrelated_prior=(0.7, 0.3),
)

_ENTERPRISE_NAME: Final = Comparison(
    "enterprise_name",
    ("enterprise_name",),
    """case when a.enterprise_name is null or b.enterprise_name is null then 0
        when list_has_any(a.enterprise_names, b.enterprise_names) then 1
        when near_enterprise_name.left_token is not null then 2
        when words.common >= .6 * (a.word_weight + b.word_weight - words.common) then 3
        when words.common >= .8 * least(a.word_weight, b.word_weight) then 4
        when words.common >= .45 * least(a.word_weight, b.word_weight) then 5
        when a.enterprise_lead = b.enterprise_lead then 6
        when words.common > 0 then 7
        else 8 end""",
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
    (0.4, 0.04, 0.16, 0.14, 0.1, 0.04, 0.06, 0.06),
    (0.03, 0.01, 0.05, 0.06, 0.1, 0.1, 0.15, 0.5),
    ((1, "enterprise_name"),),
)

COMPARISONS: Final[dict[EntityType, tuple[Comparison, ...]]] = {
    EntityType.PERSON: (
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
        _NATIVE_NAME,
    ),
    EntityType.ENTERPRISE: (
        _ENTERPRISE_NAME,
        Comparison("phone", ("phones",), _PHONE_LEVEL, _PHONE_LABELS, (0.6, 0.05, 0.35), (0.2, 0.02, 0.78), ((1, "phones"),)),
        Comparison(
            "email",
            ("email",),
            """case when a.email is null or b.email is null then 0 when a.email = b.email then 1
                when a.email_domain = b.email_domain then 2 else 3 end""",
            ("same e-mail address", "same e-mail domain", "e-mail domains differ"),
            (0.5, 0.2, 0.3),
            (0.1, 0.2, 0.7),
            ((1, "email"),),
        ),
        Comparison(
            "address",
            ("postal_code", "street"),
            _ADDRESS_LEVEL,
            _ADDRESS_LABELS,
            (0.6, 0.03, 0.08, 0.04, 0.03, 0.02, 0.05, 0.05, 0.1),
            (0.25, 0.03, 0.05, 0.04, 0.05, 0.02, 0.1, 0.16, 0.3),
            ((1, "house"), (7, "postal_code")),
        ),
        _IDENTIFIERS,
    ),
}

LEVEL_BITS: Final = 4  # bits of a packed pattern that one comparison takes: levels 0 to 15


def describe_pattern(pattern: int, comparisons: tuple[Comparison, ...]) -> list[str]:
    """Return the levels of a packed pattern in words, silent comparisons left out."""
    levels = ((pattern >> (LEVEL_BITS * place)) & 15 for place in range(len(comparisons)))
    return [comparison.labels[level - 1] for comparison, level in zip(comparisons, levels, strict=True) if level]
