"""What the comparison of two records can say: the words that rules in ``rulebook.yaml`` use, by entity type."""

from collections.abc import Mapping
from typing import Final

from custview_pipeline.contracts.attributes import EntityType

_PHONE: Final = ("same", "similar", "differs")
_ADDRESS: Final = (
    "same",
    "other_unit",
    "place_unclear",
    "house_and_place",
    "street_and_place",
    "street",
    "postal_code",
    "area",
    "differs",
)
_IDENTIFIER: Final = ("same", "one_edit", "differs", "national_id_differs")

# Comparison -> outcomes in the order of its levels: the first is level 1. Level 0 (either record is silent) has no name, for a
# rule never speaks of what is not there. The order of the comparisons is that of a packed pattern.
COMPARISON_OUTCOMES: Final[dict[EntityType, dict[str, tuple[str, ...]]]] = {
    EntityType.PERSON: {
        "given_name": ("same", "nickname", "one_edit", "initial", "sounds_alike", "swapped", "elsewhere", "differs"),
        "family_name": ("same", "one_edit", "sounds_alike", "elsewhere", "begins_alike", "differs"),
        "middle_name": ("same", "initial", "differs"),
        "name_suffix": ("same", "differs"),
        "birth_date": ("same", "same_first_of_january", "one_part", "year_day_unknown", "year", "month_or_day", "differs"),
        "email": ("same", "similar", "differs"),
        "phone": _PHONE,
        "address": _ADDRESS,
        "identifier": _IDENTIFIER,
        "gender": ("same", "differs"),
        "birth_place": ("same", "one_edit", "differs"),
        "occupation": ("same", "differs"),
        "employer": ("same", "differs"),
        "native_name": ("same", "differs"),
    },
    EntityType.ENTERPRISE: {
        "enterprise_name": ("same", "one_edit", "most_words", "contained", "many_words", "lead", "some_words", "differs"),
        "phone": _PHONE,
        "email": ("same", "domain", "differs"),
        "address": _ADDRESS,
        "identifier": _IDENTIFIER,
    },
}

COMPARED_ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {  # by comparison, the golden attributes that it looks at
    **dict.fromkeys(("given_name", "family_name", "middle_name", "name_suffix", "native_name"), ("name",)),
    **{name: (name,) for name in ("birth_date", "email", "phone", "address", "gender", "birth_place", "occupation", "employer")},
    "identifier": ("national_id", "tax_id", "lei"),
    "enterprise_name": ("legal_name", "trading_name"),
}
