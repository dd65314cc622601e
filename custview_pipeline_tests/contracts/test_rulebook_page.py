"""The page of the rulebook and the commented one of a new project say what is true."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import custview_pipeline
from custview_pipeline.adapters.new_project import write_project
from custview_pipeline.contracts.comparison_outcomes import COMPARISON_OUTCOMES
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.survivorship_rules import STRATEGIES, AttributeRule, Preference
from custview_pipeline.survivorship.reasons import MEANINGS

PAGE = (Path(custview_pipeline.__file__).parents[1] / "docs" / "rulebook.md").read_text(encoding="utf-8")
WHOLE, *EXAMPLES = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)


def keys(part: Any, path: str = "") -> set[str]:
    """Return the dotted keys of nested mappings."""
    if not isinstance(part, dict):
        return set()
    return {f"{path}{key}" for key in part} | {deeper for key, value in part.items() for deeper in keys(value, f"{path}{key}.")}


def test_the_page_shows_every_key_with_its_default():
    assert parse_rulebook(WHOLE, file="rulebook.md") == Rulebook()
    assert keys(yaml.safe_load(WHOLE)) == keys(Rulebook().model_dump())


def test_the_page_explains_every_key():
    explained = set(
        re.findall(r"^\| `((?:matching|survivorship|quality_targets)\.\w+|continuity_target)` \| .+ \|$", PAGE, re.MULTILINE)
    )
    rules = Rulebook().model_dump(exclude={"trust"})
    parts = {part: names for part, names in rules.items() if isinstance(names, dict)}
    assert explained == {f"{part}.{name}" for part, names in parts.items() for name in names} | (set(rules) - set(parts))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_can_be_used_and_says_something(example):
    assert parse_rulebook(example, file="rulebook.md") != Rulebook()


def test_the_page_lists_comparisons_and_outcomes_in_their_order():
    tables = re.findall(r"\| comparison \| outcome \| meaning \|\n\|[-|]+\|\n((?:\|.+\|\n)+)", PAGE)
    for written, comparisons in zip(tables, COMPARISON_OUTCOMES.values(), strict=True):
        rows = re.findall(r"^\| (?:`(\w+)`)? ?\| `(\w+)` \| .+ \|$", written, re.MULTILINE)
        names = [name for name, _ in rows]
        listed: dict[str, list[str]] = {}
        for place, (_, outcome) in enumerate(rows):
            listed.setdefault(next(name for name in reversed(names[: place + 1]) if name), []).append(outcome)
        assert {name: tuple(outcomes) for name, outcomes in listed.items()} == comparisons


def test_the_page_explains_every_reason_strategy_and_condition():
    named = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert named.items() >= MEANINGS.items()
    assert named.keys() >= {*STRATEGIES, *AttributeRule.model_fields, *Preference.model_fields} - {"strategy"}


def test_a_new_project_shows_every_key_of_matching_with_its_default(tmp_path):
    write_project(tmp_path)
    lines = (tmp_path / "rulebook.yaml").read_text(encoding="utf-8").splitlines()[1:]
    text = "\n".join(line.removeprefix("# ") for line in lines)
    shown = parse_rulebook(text, file="rulebook.yaml")
    assert (shown.matching, shown.survivorship.default) == (Rulebook().matching, Rulebook().survivorship.default)
    assert shown.quality_targets == Rulebook().quality_targets
    assert keys(yaml.safe_load(text)["matching"]) == keys(Rulebook().matching.model_dump())
