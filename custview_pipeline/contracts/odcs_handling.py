"""What a contract demands or promises beyond its rules: targets, what becomes of invalid and erased records, unique customers."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from custview_pipeline.contracts.attributes import ATTRIBUTES, judged_with
from custview_pipeline.contracts.consistency_rules import CONSISTENCY_RULES
from custview_pipeline.contracts.odcs_document import CustomValue, Place
from custview_pipeline.contracts.yaml_text import suggest

TARGETS: Final = "quality_targets"
ON_INVALID: Final = "on_invalid"
ON_ERASED: Final = "on_erased"
UNIQUE_CUSTOMERS: Final = "uniqueCustomers"
SCORED_DIMENSIONS: Final = ("completeness", "conformity", "uniqueness", "consistency", "timeliness", "accuracy")

_ON_INVALID: Final = {"refuse": True, "warn": False}
_ON_ERASED: Final = {"refuse": True, "report": False}


class Handling(NamedTuple):
    """What one column says.

    Attributes:
        attribute: What it carries.
        place: Where it is written.
        refuses_invalid: ``on_invalid``; None where it says nothing.
        targets: ``quality_targets``, by dimension.
    """

    attribute: str
    place: Place
    refuses_invalid: bool | None
    targets: dict[str, float]


def read_handling(attribute: str, custom: Mapping[str, CustomValue], place: Place) -> Handling:
    """Read what a column says.

    Raises:
        ProjectInvalid: A word, dimension or number is unknown, or the dimension is not measured for this attribute.
    """
    targets = read_targets(custom)
    for dimension in targets:
        if not _is_measured(attribute, dimension):
            raise custom[TARGETS].place.invalid(f"{dimension} of {attribute} is not measured", "value", dimension)
    return Handling(attribute, place, _refuses_invalid(custom), targets)


def read_targets(custom: Mapping[str, CustomValue]) -> dict[str, float]:
    """Return ``quality_targets`` by dimension; empty where there are none.

    Raises:
        ProjectInvalid: It is no mapping of dimensions to numbers from 0 to 1.
    """
    if TARGETS not in custom:
        return {}
    value, place = custom[TARGETS].value, custom[TARGETS].place
    if not isinstance(value, dict):
        raise place.invalid(f"{TARGETS!r} should be dimensions with numbers, such as {{completeness: 0.98}}", "value")
    for dimension, share in value.items():
        if dimension not in SCORED_DIMENSIONS:
            known = ", ".join(SCORED_DIMENSIONS)
            raise place.invalid(
                f"no score of {dimension!r}{suggest(dimension, SCORED_DIMENSIONS)}; known are {known}", "value", dimension
            )
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise place.invalid(f"the target of {dimension} should be a number from 0 to 1", "value", dimension)
    return {dimension: float(share) for dimension, share in value.items()}


def refused_attributes(columns: Sequence[Handling]) -> frozenset[str]:
    """Return the attributes whose invalid values refuse a row.

    Raises:
        ProjectInvalid: Columns that are judged as one (two phones, the parts of an address) say different things.
    """
    said: dict[frozenset[str], bool] = {}
    for column in columns:
        together, refuses = judged_with(column.attribute), column.refuses_invalid
        if refuses is not None and said.setdefault(together, refuses) != refuses:
            raise column.place.invalid(f"{ON_INVALID!r} differs between columns that are judged as one", "customProperties")
    return frozenset().union(*(together for together, refuses in said.items() if refuses))


def targets_by_attribute(columns: Sequence[Handling]) -> dict[str, dict[str, float]]:
    """Return the targets of each attribute by dimension.

    Raises:
        ProjectInvalid: Two columns of one attribute aim at different scores.
    """
    stated: dict[str, dict[str, float]] = {}
    for column in columns:
        for dimension, share in column.targets.items():
            if stated.setdefault(column.attribute, {}).setdefault(dimension, share) != share:
                raise column.place.invalid(f"two columns of {column.attribute} aim at different {dimension}", "customProperties")
    return stated


def refuses_erased(custom: Mapping[str, CustomValue]) -> bool:
    """Return whether records that were erased are kept out when the source delivers them again; so where nothing is said.

    Raises:
        ProjectInvalid: The word is unknown.
    """
    return _meant(custom, ON_ERASED, _ON_ERASED) is not False


def has_unique_customers(custom: Mapping[str, CustomValue]) -> bool:
    """Return whether the source promises that no two of its records are one customer; not so where nothing is said.

    Raises:
        ProjectInvalid: It is neither true nor false.
    """
    if UNIQUE_CUSTOMERS not in custom:
        return False
    promised, place = custom[UNIQUE_CUSTOMERS].value, custom[UNIQUE_CUSTOMERS].place
    if not isinstance(promised, bool):
        raise place.invalid(f"{UNIQUE_CUSTOMERS!r} should be true or false", "value")
    return promised


def _refuses_invalid(custom: Mapping[str, CustomValue]) -> bool | None:
    return _meant(custom, ON_INVALID, _ON_INVALID)


def _meant(custom: Mapping[str, CustomValue], name: str, words: Mapping[str, bool]) -> bool | None:
    """Return what the word of a property means; None where the property is not there."""
    if name not in custom:
        return None
    word = custom[name].text(name)
    if word not in words:
        raise custom[name].place.invalid(f"{name!r} should be {' or '.join(words)}{suggest(word, words)}", "value")
    return words[word]


def _is_measured(attribute: str, dimension: str) -> bool:
    if dimension == "accuracy":
        return ATTRIBUTES[attribute].reference is not None
    if dimension == "timeliness":
        return attribute == "updated_at"
    return dimension != "consistency" or any(attribute in rule.reported_on for rule in CONSISTENCY_RULES.values())
