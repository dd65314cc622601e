"""The page about security names evidence that exists, and the modules and figures that it speaks of."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

import custview_pipeline
from custview_pipeline.adapters import delta_lake
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES

TESTS: Final = Path(__file__).parent
PAGE: Final = (Path(custview_pipeline.__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
EVIDENCE: Final = re.findall(r"`((?:\w+/)*test_\w+\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("file", "test"), EVIDENCE, ids=["::".join(found) for found in EVIDENCE])
def test_the_evidence_is_there(file, test):
    functions = {
        node.name for node in ast.walk(ast.parse((TESTS / file).read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    }
    assert not test or test in functions


def test_the_open_attributes_are_those_of_the_code():
    assert {name for name, attribute in GOLDEN_ATTRIBUTES.items() if attribute.is_open} == {
        "country", "industry_code", "language", "consent", "lei", "employee_count", "loyalty_points",
    }  # fmt: skip
    assert PAGE.count("seven open") == 2


def test_the_tolerance_of_the_clock_is_that_of_the_code():
    assert delta_lake._CLOCK_TOLERANCE.total_seconds() == 300  # noqa: SLF001 -- the page states it
    assert "more than five minutes ahead" in PAGE
