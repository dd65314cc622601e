"""The rulebook rule by rule: what holds, where it is written, and what differs from another one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.yaml_text import KeyPath, YamlText

DEFAULT: Final = "default"
_TRUST: Final = "trust"
_STRATEGY: Final = "strategy"


class EffectiveRule(NamedTuple):
    """One rule that holds.

    Attributes:
        key: Where it stands in the rulebook, with dots; a rule of a list is called by its name or number.
        value: What it says.
        origin: File and line, the contract's file, or ``default``.
    """

    key: str
    value: str
    origin: str


class RuleChange(NamedTuple):
    """A rule that differs: what it said before and says after; None where it says nothing."""

    key: str
    before: str | None
    after: str | None


def effective_rules(
    rulebook: Rulebook, written: YamlText | None, contracts: Iterable[SourceContract]
) -> tuple[EffectiveRule, ...]:
    """Return every rule that holds, in the order of the rulebook, and whom it trusts how far.

    Args:
        rulebook: The rulebook.
        written: Its file; None where there is none.
        contracts: The sources: their contracts say how far they are trusted where the rulebook does not.
    """
    defaults = dict(_leaves(_said(Rulebook()), ()))
    said = _said(rulebook)
    rules = [
        EffectiveRule(_key(path, said), value, _origin(path, value, written, defaults))
        for path, value in _leaves(said, ())
        if path[0] != _TRUST
    ]
    trust = [rule for contract in contracts for rule in _trust_in(rulebook, contract, written)]
    return (*rules, *trust)


def changed_rules(before: Rulebook, after: Rulebook) -> tuple[RuleChange, ...]:
    """Return the rules that differ between two rulebooks, by key."""
    told = [{_key(path, said): value for path, value in _leaves(said, ())} for said in (_said(before), _said(after))]
    keys = sorted(told[0].keys() | told[1].keys())
    changes = (RuleChange(key, told[0].get(key), told[1].get(key)) for key in keys)
    return tuple(change for change in changes if change.before != change.after)


def _said(rulebook: Rulebook) -> dict[str, Any]:
    said: dict[str, Any] = rulebook.model_dump(mode="json", exclude_none=True)
    return said


def _leaves(said: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is said at each place, lists of words as one; the names of rules are part of their keys."""
    if isinstance(said, Mapping):
        for key, inner in said.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(said, list) and any(isinstance(each, Mapping) and _STRATEGY not in each for each in said):
        for place, inner in enumerate(said):
            yield from _leaves({key: value for key, value in inner.items() if key != "name"}, (*path, place))
    else:
        yield path, _in_words(said)


def _in_words(said: Any) -> str:
    if isinstance(said, list):
        return ", ".join(map(_in_words, said)) or "none"
    if isinstance(said, Mapping):  # a strategy with its conditions, which are one thing to say
        conditions = [f"{name} {_in_words(value)}" for name, value in said.items() if name != _STRATEGY and value is not False]
        return f"{said[_STRATEGY]} ({'; '.join(conditions)})" if conditions else str(said[_STRATEGY])
    return str(said).lower() if isinstance(said, bool) else str(said)


def _key(path: KeyPath, said: Any) -> str:
    """Return a path as people read it."""
    words = ""
    for step in path:
        said = said[step]
        if isinstance(step, int):
            words += f"[{said.get('name', step + 1)}]"
        else:
            words += f".{step}" if words else step
    return words


def _origin(path: KeyPath, value: str, written: YamlText | None, defaults: Mapping[KeyPath, str]) -> str:
    """Return where a rule is written: at its place, or above it where that holds no keys but the short form of the rule."""
    if written is None or written.content is None:
        return DEFAULT
    place = path
    while place and place not in written.lines:
        place = place[:-1]
    is_written = place == path or not isinstance(_content(written, place), Mapping)
    return f"{written.file}:{written.lines[place]}" if is_written or defaults.get(path) != value else DEFAULT


def _content(written: YamlText, path: KeyPath) -> Any:
    content = written.content
    for step in path:
        content = content[step]
    return content


def _trust_in(rulebook: Rulebook, contract: SourceContract, written: YamlText | None) -> Iterator[EffectiveRule]:
    """Yield how far a source is trusted: in general, and in each attribute where that differs."""
    source, stated = contract.source_system, rulebook.trust.get(contract.source_system, {})
    general = stated.get("default", contract.trust)
    scores = {name: rulebook.trust_score(contract, name) for name in GOLDEN_ATTRIBUTES}
    for name, score in {"default": general, **{name: score for name, score in scores.items() if score != general}}.items():
        is_ours = name in stated or (name in scores and "default" in stated)
        line = written.line_of(_TRUST, source, name if name in stated else "default") if is_ours and written is not None else None
        origin = contract.file or contract.source_system if line is None or written is None else f"{written.file}:{line}"
        yield EffectiveRule(f"{_TRUST}.{source}.{name}", str(score), origin)
