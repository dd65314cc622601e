"""Survivorship rules as people write them: short forms spelled out, and rules that cannot mean anything refused by line."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.matching_rules import nearest_or_all
from custview_pipeline.contracts.survivorship_rules import STRATEGIES, AttributeRule, DefaultRule, Preference, Survivorship
from custview_pipeline.contracts.yaml_text import KeyPath, YamlText, suggest
from custview_pipeline.kernel.errors import ProjectInvalid

SECTION: Final = "survivorship"
_CONDITIONS: Final = tuple(name for name in Preference.model_fields if name != "strategy")


def spell_out(written: YamlText) -> YamlText:
    """Return a rulebook whose survivorship rules are in their long form; every key keeps its line.

    A list of strategies becomes ``{prefer: [...]}``, and a strategy, with conditions or without, ``{strategy: ..., ...}``.

    Raises:
        ProjectInvalid: A strategy or a condition is unknown, a preference is neither a word nor one strategy with conditions, or
            something else stands where keys, strategies or source systems are listed.
    """
    if not isinstance(written.content, dict) or SECTION not in written.content:
        return written
    spelled = _Spelling(written)
    content = {**written.content, SECTION: spelled.rules(written.content[SECTION], (SECTION,))}
    return replace(written, content=content, lines={**written.lines, **spelled.lines})


class _Spelling:
    """The walk over the rules of one rulebook.

    Attributes:
        lines: The lines of keys that are not written, but stand for what is.
    """

    def __init__(self, written: YamlText) -> None:
        self._written = written
        self.lines: dict[KeyPath, int] = {}

    def rules(self, section: Any, path: KeyPath) -> dict[str, Any]:
        """Return the section, or the part of it for one entity type."""
        is_whole = len(path) == 1
        spelled = dict(self._keys(section, path, "default: [most_recent]"))
        if "default" in spelled and (is_whole or spelled["default"] is not None):
            spelled["default"] = self._rule(spelled["default"], (*path, "default"), DefaultRule)
        if "attributes" in spelled:
            at = (*path, "attributes")
            attributes = self._keys(spelled["attributes"], at, "email: [most_recent]")
            spelled["attributes"] = {name: self._rule(rule, (*at, name), AttributeRule) for name, rule in attributes.items()}
        for entity_type in filter(spelled.__contains__, EntityType if is_whole else ()):
            spelled[entity_type.value] = self.rules(spelled[entity_type.value], (*path, entity_type.value))
        return spelled

    def _keys(self, content: Any, path: KeyPath, example: str) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise self._misplaced(f"keys with values, such as {example}", path)
        return content

    def _rule(self, rule: Any, path: KeyPath, model: type[DefaultRule]) -> dict[str, Any]:
        if isinstance(rule, list):
            self.lines[(*path, "prefer")] = self._written.line_of(*path)
            return {"prefer": self._preferences(rule, path, (*path, "prefer"))}
        if not isinstance(rule, dict):
            raise self._misplaced(f"{_listing(rule)}, or keys: {', '.join(model.model_fields)}", path)
        stated, at = rule.get("prefer"), (*path, "prefer")
        if stated is None:
            return rule
        if not isinstance(stated, list):
            raise self._misplaced(_listing(stated), at)
        return {**rule, "prefer": self._preferences(stated, at, at)}

    def _preferences(self, items: list[Any], path: KeyPath, spelled: KeyPath) -> list[dict[str, Any]]:
        """Return preferences that are written under ``path`` as they are spelled out under ``spelled``."""
        return [self._preference(item, (*path, place), (*spelled, place)) for place, item in enumerate(items)]

    def _preference(self, item: Any, path: KeyPath, spelled: KeyPath) -> dict[str, Any]:
        self.lines[spelled] = self._written.line_of(*path)
        named = {item: None} if isinstance(item, str) else item
        if not isinstance(named, dict) or len(named) != 1:
            raise self._written.invalid(
                "a preference is one strategy, such as most_recent or most_recent: {if_valid: true}", *path
            )
        ((strategy, conditions),) = named.items()
        if strategy not in STRATEGIES:
            raise self._written.invalid(f"no strategy {strategy!r}; known are {', '.join(STRATEGIES)}", *path)
        stated = {} if conditions is None else conditions
        if not isinstance(stated, dict):
            raise self._written.invalid(f"the conditions of {strategy} are keys with values", *path)
        for name in stated:
            self._condition(name, (*path, strategy, name), spelled)
        if not isinstance(stated.get("only_from", []), list):
            at = (*path, strategy, "only_from")
            raise self._misplaced("a list of source systems, such as [crm]", at, called=(*spelled, "only_from"))
        return {**stated, "strategy": strategy}

    def _condition(self, name: str, path: KeyPath, spelled: KeyPath) -> None:
        if name not in _CONDITIONS:
            raise self._written.invalid(f"no condition {name!r}{nearest_or_all(name, _CONDITIONS)}", *path)
        under = {spot[len(path) :]: line for spot, line in self._written.lines.items() if spot[: len(path)] == path}
        self.lines |= {(*spelled, name, *rest): line for rest, line in under.items()}

    def _misplaced(self, expected: str, path: KeyPath, *, called: KeyPath | None = None) -> ProjectInvalid:
        """Return the error that something else is written at a path, named as it is or as it is ``called``."""
        return self._written.invalid(f"{'.'.join(map(str, called or path))!r}: should be {expected}", *path)


def _listing(written: Any) -> str:
    """Return what should be written in the place of something that is no list of strategies."""
    example = written if isinstance(written, str) and written in STRATEGIES else STRATEGIES[1]
    return f"a list of strategies, such as [{example}]"


def check_survivorship(rules: Survivorship, written: YamlText, source_systems: Collection[str] | None) -> None:
    """Refuse rules that can mean nothing.

    Args:
        rules: The rules.
        written: The rulebook, spelled out.
        source_systems: The project's sources; where given, a condition on any other is an error.

    Raises:
        ProjectInvalid: A rule is for an attribute that customers of its type do not have, makes an aggregate of what is no open
            number, or has a condition on an unknown source. Names file and line.
    """
    for path, rule in _rules_in(rules):
        if isinstance(rule, AttributeRule):
            _check_attribute(rule, path, written)
        for place, preference in enumerate(rule.prefer or ()):
            for source in preference.only_from or ():
                if source_systems is not None and source not in source_systems:
                    at = _path_of(source, (*path, "prefer", place, "only_from"), written)
                    raise written.invalid(f"{source!r} is no source of a contract{suggest(source, source_systems)}", *at)


def _rules_in(rules: Survivorship) -> Iterator[tuple[KeyPath, DefaultRule]]:
    """Yield every rule that is stated, with its path."""
    for path, part in (((), rules), *(((each.value,), getattr(rules, each.value)) for each in EntityType)):
        if part.default is not None:
            yield (SECTION, *path, "default"), part.default
        for name, rule in part.attributes.items():
            yield (SECTION, *path, "attributes", name), rule


def _check_attribute(rule: AttributeRule, path: KeyPath, written: YamlText) -> None:
    attribute = GOLDEN_ATTRIBUTES[str(path[-1])]
    if rule.aggregate is not None and not attribute.is_number:
        numbers = [name for name, golden in GOLDEN_ATTRIBUTES.items() if golden.is_number]
        what = f"{attribute.name!r} is no open number, so it has no {rule.aggregate}; numbers are {', '.join(numbers)}"
        raise written.invalid(what, *path, "aggregate")
    if path[1] in set(EntityType) and path[1] not in attribute.entity_types:
        raise written.invalid(f"customers of type {path[1]} have no {attribute.name}", *path)


def _path_of(source: str, path: KeyPath, written: YamlText) -> KeyPath:
    """Return where a source is written: as an item of its list."""
    content = written.content
    for key in path:
        content = content[key]
    return (*path, content.index(source))
