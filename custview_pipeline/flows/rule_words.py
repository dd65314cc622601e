"""Survivorship rules in words, for those who ask why a value won."""

from custview_pipeline.contracts.survivorship_rules import ElectionRule, Preference


def rule_in_words(rule: ElectionRule) -> tuple[str, ...]:
    """Return a rule in words: its preferences in their order, then what is made of the candidates."""
    words = [_preference(preference) for preference in rule.prefer]
    if rule.half_life_days is not None:
        words.append(f"trust halves every {rule.half_life_days} days")
    if rule.keeps_all:
        words.append("keep all")
    if rule.aggregate is not None:
        words.append(f"{rule.aggregate} of all")
    return tuple(words)


def _preference(preference: Preference) -> str:
    conditions = []
    if preference.only_from is not None:
        conditions.append(f"only from {', '.join(preference.only_from)}")
    if preference.newer_than_days is not None:
        conditions.append(f"only newer than {preference.newer_than_days} days")
    if preference.if_valid:
        conditions.append("only if valid")
    return " ".join([preference.strategy.replace("_", " "), *([f"({', '.join(conditions)})"] if conditions else [])])
