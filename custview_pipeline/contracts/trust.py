"""Which golden values a source's attribute feeds; trust is stated for either and kept for the golden one."""

from typing import Final

from custview_pipeline.contracts.attributes import ADDRESS_PARTS, NAME_PARTS, EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES

_GROUP_OF_PART: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(NAME_PARTS, ("name",)),
    "full_name": ("name", "legal_name"),  # of a person or an enterprise
    **dict.fromkeys(ADDRESS_PARTS, ("address",)),
}

TRUSTED_NAMES: Final = tuple(sorted({*GOLDEN_ATTRIBUTES, *_GROUP_OF_PART}))


def golden_attributes_of(attribute: str) -> tuple[str, ...]:
    """Return the golden attributes that ``attribute`` feeds; empty for keys and times, and for unknown names.

    A name of either dictionary is understood: ``city`` and ``address`` both give ``address``.
    """
    if attribute in GOLDEN_ATTRIBUTES:
        return (attribute,)
    return _GROUP_OF_PART.get(attribute, ())


def entity_types_of(attribute: str) -> frozenset[EntityType]:
    """Return which customers can have ``attribute``: those of the golden attributes it feeds; all where it feeds none."""
    fed = [GOLDEN_ATTRIBUTES[name].entity_types for name in golden_attributes_of(attribute)]
    return frozenset().union(*fed) if fed else frozenset(EntityType)


def trust_by_golden_attribute(stated: dict[str, float]) -> dict[str, float]:
    """Return trust by golden attribute, from trust by either kind of name.

    Raises:
        ValueError: Two parts of one value are trusted differently, or a name feeds no golden value.
    """
    trust: dict[str, float] = {}
    for name, score in stated.items():
        golden = golden_attributes_of(name)
        if not golden:
            raise ValueError(f"{name!r} is no part of a golden record")
        for attribute in golden:
            if trust.setdefault(attribute, score) != score:
                raise ValueError(f"{name!r} is a part of {attribute!r}, which survives as one: trust {attribute!r} instead")
    return trust
