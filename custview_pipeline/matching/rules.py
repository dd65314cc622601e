"""How two records come to be compared: blocking rules, each a set of token columns that must agree."""

from dataclasses import dataclass
from typing import Final

# Pairs per record that a rule may bring, the rarest first: one that says much, one that speaks of the name alone (namesakes with
# common names have another rule to meet by, if they are one customer), one that says little.
STRONG, NAME_ALONE, WEAK = 6.0, 1.0, 0.5


@dataclass(frozen=True, slots=True)
class BlockingRule:
    """Records that agree on every feature form a block; its pairs become candidates.

    Attributes:
        features: What must agree; of a feature with several values any one.
        budget: Pairs per record that it may bring.
        is_capped: Blocks are cut at the cap of the rulebook too; a rule that says little on its own is cut by its budget alone.
        in_any_order: The features may stand in each other's place.
        unless: A flag that excludes a record.
    """

    features: tuple[str, ...]
    budget: float = STRONG
    is_capped: bool = True
    in_any_order: bool = False
    unless: str | None = None

    @property
    def name(self) -> str:
        """Return the rule in words."""
        return " + ".join(self.features) + (" in any order" if self.in_any_order else "")


@dataclass(frozen=True, slots=True)
class NeighbourRule:
    """Records whose value of one feature is one edit apart and which agree on the others become candidates.

    A typo in a key field thus still leaves a way to meet.
    """

    feature: str
    others: tuple[str, ...] = ()

    @property
    def budget(self) -> float:
        """Return the pairs per record that it may bring: few, where one value one edit apart is all there is."""
        return STRONG if self.others else WEAK

    @property
    def name(self) -> str:
        """Return the rule in words."""
        return " + ".join((f"{self.feature} one edit apart", *self.others))


def _rule(*features: str) -> BlockingRule:
    return BlockingRule(features)


EXACT_RULES: Final = (  # exact identifiers first: most matches meet here
    _rule("identifiers"),
    _rule("emails"),
    _rule("phones"),
    BlockingRule(("given_group", "family"), NAME_ALONE),
    _rule("birth_date", "given_group"),
    _rule("birth_date", "family"),
    BlockingRule(("given", "family"), NAME_ALONE, in_any_order=True),
    _rule("house_number", "postal_code", "given_group"),
    _rule("house_number", "street", "given_initial"),
    BlockingRule(("native_name",), NAME_ALONE),
    _rule("enterprise_names"),
)
STRONG_RULES: Final = (
    _rule("phone_tails", "given_initial"),
    _rule("house_number", "postal_code", "family_prefix"),
    _rule("email_local", "family_prefix"),
    _rule("email_local", "given_initial"),
    BlockingRule(("given_sound", "family_sound"), NAME_ALONE),
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
    _rule("enterprise_lead", "postal_code"),
    _rule("house_number", "street", "enterprise_lead"),
    _rule("phone_tails", "enterprise_lead"),
    _rule("email_domain", "enterprise_lead"),
)
WEAK_RULES: Final = tuple(
    BlockingRule(features, WEAK, is_capped=False, unless="is_email_from_name" if features == ("email_local",) else None)
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
BLOCKING_RULES: Final = (*EXACT_RULES, *STRONG_RULES, *WEAK_RULES)
NEIGHBOUR_RULES: Final = (
    NeighbourRule("family", ("given_group",)),
    NeighbourRule("given", ("family",)),
    NeighbourRule("given", ("birth_date",)),
    NeighbourRule("family", ("birth_date",)),
    NeighbourRule("family", ("postal_code",)),
    NeighbourRule("given", ("postal_code",)),
    NeighbourRule("enterprise_name"),
    NeighbourRule("phone_tails"),
    NeighbourRule("identifiers"),
)
