"""``custview dictionary``: what contracts may say that a column means."""

import json

from typer.testing import CliRunner

from custview_pipeline.cli.app import app
from custview_pipeline.contracts.attributes import ATTRIBUTES


def dictionary(*arguments):
    return CliRunner().invoke(app, ["dictionary", *arguments], env={"COLUMNS": "200"})


def test_every_attribute_is_a_line():
    out = dictionary().stdout
    names = [line.split()[0] for line in out.splitlines() if line.split()]
    assert names[1 : len(ATTRIBUTES) + 1] == list(ATTRIBUTES)


def test_one_attribute_is_printed_in_full():
    out = dictionary("phone").stdout
    assert "Telephone number" in out
    assert ATTRIBUTES["phone"].meaning_zh in out


def test_json_has_every_attribute_or_one():
    assert [row["name"] for row in json.loads(dictionary("--json").stdout)] == list(ATTRIBUTES)
    assert [row["name"] for row in json.loads(dictionary("email", "--json").stdout)] == ["email"]


def test_an_unknown_attribute_is_wrong_use_and_the_nearest_is_named():
    result = dictionary("fone")
    assert result.exit_code == 2
    assert "no attribute 'fone'; did you mean 'phone'?" in result.stderr
