"""The ideas of the matcher, each as a function that leaves it out of the index, of the settings, or of the matcher.

Where an idea is no setting, a constant or function is replaced for good, so each is for a process of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from custview_pipeline.matching import agglomeration, blocking, clusters, matcher, scoring, training
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.rules import EXACT_RULES, STRONG_RULES
from custview_pipeline.matching.setup import MatchSettings
from custview_pipeline.matching.verdicts import PatternRules

AS_SHIPPED = "as shipped"
IMPOSSIBLE = -1e6  # natural log of a probability that counts for nothing
LITTLE = 1e-9  # a share of nothing, which times a cannot-link is still one


class Inputs(NamedTuple):
    """What matching is given."""

    tokens: pl.DataFrame
    neighbourhoods: pl.DataFrame
    settings: MatchSettings


Idea = Callable[[Inputs], Inputs]


def as_shipped(given: Inputs) -> Inputs:
    return given


def two_classes(given: Inputs) -> Inputs:
    """A pair is of one customer or of strangers: families are not expected."""
    beliefs, evidence = training._Learner._beliefs, scoring.Scorer.evidence  # noqa: SLF001 -- not a setting

    def without_household(learner: Any, model: Any) -> list[Any]:
        is_match, _, is_unrelated = beliefs(learner, replace(model, shares=(model.shares[0], 1e-300, model.shares[2])))
        return [is_match, np.zeros_like(is_match), is_unrelated]

    def of_strangers(scorer: Any, *given: Any) -> scoring.Evidence:
        found = evidence(scorer, *given)
        return replace(found, household=np.full_like(found.unrelated, IMPOSSIBLE))

    training._Learner._beliefs = without_household  # noqa: SLF001 -- as above
    scoring.Scorer.evidence = of_strangers
    return given


def chained(given: Inputs) -> Inputs:
    """Whoever is linked by a chain of matches is one customer, as in most tools."""
    clusters.COMPONENT_WEIGHT = matcher.COMPONENT_WEIGHT = given.settings.match_weight
    matcher.decide = _components_as_they_are
    return given


def _components_as_they_are(found: clusters.Components, _: Any, thresholds: Any) -> Any:
    smallest = np.full(len(found.size), len(found.label))
    np.minimum.at(smallest, found.label, np.arange(len(found.label)))
    nothing = np.empty(0, np.int64)
    return [smallest[found.label] for _ in thresholds], clusters.Contradictions(nothing, nothing, np.empty(0))


def open_components(given: Inputs) -> Inputs:
    """Pairs that no blocking rule brought count as unlikely as any, instead of being compared within their component."""
    scored, weigher = matcher.Matcher._scored, matcher.Matcher._weigh  # noqa: SLF001 -- not a setting
    known: dict[int, Any] = {}

    def remembered(own: Any, *others: Any) -> Any:
        known[id(own)] = scored(own, *others)
        return known[id(own)]

    def weigh(own: Any, *others: Any) -> Callable[..., clusters.Inside]:
        pairs, inner = known[id(own)], weigher(own, *others)
        one, other = (own._records.rank[rows].astype(np.int64) for rows in (pairs.i, pairs.j))  # noqa: SLF001 -- as above
        packed = np.sort((np.minimum(one, other) << 32) | np.maximum(one, other))

        def of_candidates(i: Any, j: Any) -> clusters.Inside:
            inside = inner(i, j)
            wanted = (np.minimum(i, j).astype(np.int64) << 32) | np.maximum(i, j)
            place = np.minimum(np.searchsorted(packed, wanted), len(packed) - 1)
            weight = np.where(packed[place] == wanted, inside.weight, clusters._LEAST_WEIGHT)  # noqa: SLF001 -- as above
            return inside._replace(weight=weight)

        return of_candidates

    matcher.Matcher._scored, matcher.Matcher._weigh = remembered, weigh  # noqa: SLF001 -- as above
    return given


def mean_only(given: Inputs) -> Inputs:
    """The evidence across two parts is the mean of all pairs; the best one has no share of its own."""
    agglomeration.BEST_SHARE = LITTLE
    return given


def best_only(given: Inputs) -> Inputs:
    """The evidence across two parts is that of the best pair: single linkage under cannot-link."""
    agglomeration.BEST_SHARE = 1 - LITTLE
    return given


def no_rarity(given: Inputs) -> Inputs:
    """A common name speaks as loud as a rare one."""

    def nothing(_: Any, pairs: Any, *__: Any) -> tuple[Any, Any]:
        return np.zeros(len(pairs)), np.zeros(len(pairs))

    scoring.Scorer._rarity = nothing  # noqa: SLF001 -- not a setting
    return given


def no_neighbours(given: Inputs) -> Inputs:
    """Values one edit apart are as different as any."""
    return given._replace(neighbourhoods=given.neighbourhoods.clear())


def no_fuzzy_blocking(given: Inputs) -> Inputs:
    """Values one edit apart count where records meet, but bring no records together."""
    blocking.NEIGHBOUR_RULES = ()
    return given


def no_nicknames(given: Inputs) -> Inputs:
    """A nickname is a name of its own."""
    tokens = given.tokens.with_columns(given_group="given", given_groups=pl.concat_list("given").list.drop_nulls())
    return given._replace(tokens=tokens)


def no_sounds(given: Inputs) -> Inputs:
    """Names have no phonetic keys."""
    return given._replace(tokens=given.tokens.with_columns(_empty(given.tokens, ["given_sound", "family_sound"])))


def first_values(given: Inputs) -> Inputs:
    """Of several phones, e-mail addresses and addresses a record has the first alone."""
    lists = [name for name in ("phones", "emails", "phone_tails") if name in given.tokens.columns]
    further = [name for name in given.tokens.columns if name.startswith("further_")]
    tokens = given.tokens.with_columns(*(pl.col(name).list.head(1) for name in lists), *_empty(given.tokens, further))
    return given._replace(tokens=tokens)


def no_weak_rules(given: Inputs) -> Inputs:
    """No pair is compared for one fact alone, such as a birth date."""
    blocking.BLOCKING_RULES = (*EXACT_RULES, *STRONG_RULES)
    return given


def exact_rules_only(given: Inputs) -> Inputs:
    """Pairs are compared where an identifier, or a name with a date or place, is the same."""
    blocking.BLOCKING_RULES, blocking.NEIGHBOUR_RULES = EXACT_RULES, ()
    return given


def no_verdicts(given: Inputs) -> Inputs:
    """No must-match and cannot-match rules: the model alone decides."""
    types = {
        entity_type: replace(of_type, rules=PatternRules((), (), COMPARISONS[entity_type]))
        for entity_type, of_type in given.settings.types.items()
    }
    return given._replace(settings=replace(given.settings, types=types))


def _empty(tokens: pl.DataFrame, names: list[str]) -> list[pl.Expr]:
    return [pl.lit(None, tokens.schema[name]).alias(name) for name in names]


IDEAS: Mapping[str, Idea] = {
    AS_SHIPPED: as_shipped,
    "two classes, no household": two_classes,
    "clusters by chains of matches": chained,
    "components not closed": open_components,
    "mean evidence only": mean_only,
    "best evidence only": best_only,
    "no rarity of values": no_rarity,
    "no values one edit apart": no_neighbours,
    "no blocking by values one edit apart": no_fuzzy_blocking,
    "no nicknames": no_nicknames,
    "no phonetic keys": no_sounds,
    "first phone, e-mail, address alone": first_values,
    "no weak blocking rules": no_weak_rules,
    "exact blocking rules only": exact_rules_only,
    "no must-match and cannot-match rules": no_verdicts,
}
