"""YAML with lines."""

import pytest

from custview_pipeline.contracts.yaml_text import nearest, parse_yaml
from custview_pipeline.kernel.errors import ProjectInvalid


def test_every_key_and_item_knows_its_line():
    written = parse_yaml("a: 1\nb:\n  c: x\n  d:\n    - e: 2\n    - f\n", file="x.yaml")
    assert written.content == {"a": 1, "b": {"c": "x", "d": [{"e": 2}, "f"]}}
    lines = [written.line_of(*path) for path in [("a",), ("b",), ("b", "c"), ("b", "d", 0), ("b", "d", 0, "e"), ("b", "d", 1)]]
    assert lines == [1, 2, 3, 5, 5, 6]


def test_the_line_of_what_is_not_written_is_that_of_the_key_above():
    assert parse_yaml("a: 1\nb:\n  c: 2\n", file="x").line_of("b", "missing", 3) == 2


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("NO", "NO"), ("yes", "yes"), ("0123", "0123"), ("12:30", "12:30"), ("2024-01-31", "2024-01-31"), ("true", True),
        ("False", False), ("12", 12), ("-0.5", -0.5), ("1e3", 1000.0), ("~", None), ("", None), ("null", None), ("'12'", "12"),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(scalar, value):
    assert parse_yaml(f"a: {scalar}", file="x").content == {"a": value}


def test_a_scalar_is_known_as_it_was_written():
    written = parse_yaml("a: [1.10, 'b', ~]", file="x")
    assert [written.scalar("a", place) for place in range(3)] == ["1.10", "b", None]


def test_an_anchor_serves_twice_and_a_merge_gives_way_to_what_is_written():
    written = parse_yaml("a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  l: 3\n", file="x")
    assert written.content == {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 2}, "c": {"k": 1, "l": 3}}


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "x.yaml:2: the key 'a' is written twice"),
        ("a:\n  b: 1\n  c: 1\n  b: 2\n", "x.yaml:4: the key 'b' is written twice"),
        ("a: [1, 2\nb: 3\n", "x.yaml:2: not valid YAML"),
        ("a: b: c\n", "x.yaml:1: not valid YAML"),
        ("a: 1\n\tb: 2\n", "x.yaml:2: not valid YAML"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: not valid YAML"),
        ("a: !!python/object:os.system x\n", "x.yaml:1: not valid YAML"),
        ("a: \x07\n", "x.yaml: not valid YAML"),
        ("? [a, b]\n: 1\n", "x.yaml:1: a key must be one word"),
        ("a: &x [*x]\n", "x.yaml:1: an alias that unfolds without end"),
        (_bomb(), "an alias that unfolds without end"),
    ],
)
def test_what_is_not_valid_names_file_and_line_in_one_line(text, message):
    with pytest.raises(ProjectInvalid) as raised:
        parse_yaml(text, file="x.yaml")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_file_says_nothing():
    written = parse_yaml("# only a comment\n", file="x")
    assert written.content is None
    with pytest.raises(ProjectInvalid, match="expected keys"):
        written.mapping()


def test_the_nearest_word_is_found_in_any_case():
    assert nearest("Phones", ["phone", "email"]) == "phone"
    assert nearest("zebra", ["phone", "email"]) is None
