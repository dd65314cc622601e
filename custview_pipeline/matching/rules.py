"""How two records come to be compared: blocking rules, each a set of token columns that must agree."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Records that agree on every key form a block; its pairs become candidates.

    Attributes:
        keys: SQL expressions over the features of one record.
        features: The features that must be filled.
        is_weak: Says little on its own, so it gets a smaller budget of pairs and no cap but that budget.
    """

    keys: tuple[str, ...]
    features: tuple[str, ...]
    is_weak: bool = False

    @property
    def name(self) -> str:
        """Return the rule in words: its keys joined."""
        return " + ".join(self.keys)


def _rule(*features: str, is_weak: bool = False) -> BlockingRule:
    return BlockingRule(features, features, is_weak)


STRONG_RULES: Final = (
    _rule("identifiers"),
    _rule("email"),
    _rule("phones"),
    _rule("native_name"),
    _rule("given_group", "family"),
    _rule("birth_date", "given_group"),
    _rule("birth_date", "family"),
    BlockingRule(("least(given, family)", "greatest(given, family)"), ("given", "family")),  # swapped names meet
    _rule("phone_tails", "given_initial"),
    _rule("house_number", "street", "given_initial"),
    _rule("house_number", "postal_code", "given_group"),
    _rule("house_number", "postal_code", "family_prefix"),
    _rule("email_local", "family_prefix"),
    _rule("email_local", "given_initial"),
    _rule("given_sound", "family_sound"),
    _rule("given_initial", "family", "birth_year"),
    _rule("given_sound", "family_prefix", "birth_year"),
    _rule("given", "family_sound", "birth_year"),
    _rule("postal_code", "given_group"),
    _rule("postal_code", "family"),
    _rule("birth_place", "given_group", "birth_year"),
    _rule("birth_place", "family"),
    _rule("house_number", "street", "family"),
    _rule("postal_area", "family", "given_initial"),
    _rule("postal_area", "given_group", "birth_year"),
    _rule("city", "given_group", "family_prefix"),
    _rule("enterprise_names"),
    _rule("enterprise_lead", "postal_code"),
    _rule("house_number", "street", "enterprise_lead"),
    _rule("phone_tails", "enterprise_lead"),
    _rule("email_domain", "enterprise_lead"),
)

WEAK_RULES: Final = tuple(
    _rule(*features, is_weak=True)
    for features in (
        ("birth_date",),
        ("family",),
        ("given_group",),
        ("house_number", "street"),
        ("postal_code", "birth_year"),
        ("street", "given_initial"),
        ("postal_area", "birth_year", "occupation"),
        ("birth_place", "birth_year"),
        ("phone_tails",),
        ("email_local",),
        ("given_prefix", "family_prefix"),
        ("house_number", "postal_code"),
        ("enterprise_lead",),
        ("name_words",),
    )
)

# A value one edit away in the first feature, equality in the others: a typo in a key field still leaves a way to meet.
NEIGHBOUR_RULES: Final = (
    ("family", ("given_group",)),
    ("given", ("family",)),
    ("given", ("birth_date",)),
    ("family", ("birth_date",)),
    ("family", ("postal_code",)),
    ("given", ("postal_code",)),
    ("street", ("house_number", "given_initial")),
    ("enterprise_name", ()),
)
