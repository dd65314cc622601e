"""The libraries whose own answers the fast paths give: what was compared with which version."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
# Raise a version here after `pytest custview_pipeline_tests/standardisation` and the same with `-m slow` have passed with it, and
# raise the rule sets in `standardise.RULE_SETS` whose answers the new version changes.
COMPARED_WITH = {
    "email-validator": "2.4.0",
    "nameparser": "2.6.0",
    "phonenumbers": "9.0.43",
    "pypinyin": "0.55.0",
    "python-stdnum": "2.2",
    "usaddress": "0.5.16",
}


@pytest.mark.parametrize("library", COMPARED_WITH)
def test_the_fast_paths_were_compared_with_the_version_that_is_installed(library):
    assert version(library) == COMPARED_WITH[library], "compare again: see COMPARED_WITH"


@pytest.mark.parametrize("library", COMPARED_WITH)
def test_the_pinned_version_is_the_one_that_was_compared(library):
    pinned = re.search(rf"^{re.escape(library)}==(\S+)$", CONSTRAINTS.read_text("utf-8"), re.MULTILINE | re.IGNORECASE)

    assert pinned, "every library of a rule set is pinned"
    assert pinned[1] == COMPARED_WITH[library]
