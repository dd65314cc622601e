"""YAML as people write it, read so that every key still knows its line.

Scalars follow YAML 1.2: ``NO`` is Norway and not false, ``0123`` is text and not octal, a date stays text.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from custview_pipeline.kernel.errors import ProjectInvalid

KeyPath = tuple[str | int, ...]

_MOST_NODES: Final = 200_000  # of one file; aliases that unfold beyond it are an attack or an accident


class _PlainLoader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own way


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
    ("merge", r"<<", "<"),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True)
class YamlText:
    """One YAML file.

    Attributes:
        file: Its name, as errors show it.
        content: What it says, in dictionaries, lists and scalars; None for an empty file.
        lines: The line, counted from 1, of every key and every list item.
        scalars: The text of every scalar as it was written, so that ``1.10`` can be told from ``1.1``.
    """

    file: str
    content: Any
    lines: Mapping[KeyPath, int]
    scalars: Mapping[KeyPath, str]

    def line_of(self, *path: str | int) -> int:
        """Return the line of ``path``, or of the nearest key above it that is written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def scalar(self, *path: str | int) -> str | None:
        """Return the text of a scalar as written; None where it is null or absent."""
        return self.scalars.get(path)

    def invalid(self, what: str, *path: str | int) -> ProjectInvalid:
        """Return the error that names file and line of ``path``."""
        return ProjectInvalid(what, file=self.file, line=self.line_of(*path))

    def mapping(self) -> dict[str, Any]:
        """Return the content where it is a mapping at all.

        Raises:
            ProjectInvalid: It is a list, a text, or nothing.
        """
        if not isinstance(self.content, dict):
            raise self.invalid("expected keys with values at the top of the file")
        return self.content


def parse_yaml(text: str, *, file: str) -> YamlText:
    """Read one YAML document.

    Raises:
        ProjectInvalid: It is no valid YAML, a key is written twice, or there is more than one document.
    """
    loader = None
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
        reading = _Reading(loader, file)
        content = None if node is None else reading.value(node, ())
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, file) from None
    except yaml.YAMLError as error:
        raise ProjectInvalid(f"not valid YAML: {getattr(error, 'reason', 'unreadable text')}", file=file) from None
    finally:
        if loader is not None:
            loader.dispose()
    return YamlText(file, content, reading.lines, reading.scalars)


class _Reading:
    """The walk over the nodes of one document."""

    def __init__(self, loader: _PlainLoader, file: str) -> None:
        self._loader = loader
        self._file = file
        self._open: set[int] = set()
        self.lines: dict[KeyPath, int] = {}
        self.scalars: dict[KeyPath, str] = {}

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._open or len(self.lines) > _MOST_NODES:
            raise self._invalid("an alias that unfolds without end", node)
        self._open.add(id(node))
        try:
            return self._inside(node, path)
        finally:
            self._open.remove(id(node))

    def _inside(self, node: yaml.Node, path: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(child, (*path, key)) for key, child in self._entries(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, place)) for place, child in enumerate(node.value)]
        value = self._loader.construct_object(node)
        if value is not None:
            self.scalars[path] = node.value
        return value

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, yaml.Node]]:
        self._refuse_repeated(node)
        self._loader.flatten_mapping(node)
        latest = {self._key(key): (key, child) for key, child in node.value}
        for name, (key, child) in latest.items():
            self.lines[(*path, name)] = key.start_mark.line + 1
            yield name, child

    def _refuse_repeated(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            name = self._key(key)
            if name in seen:
                raise self._invalid(f"the key {name!r} is written twice", key)
            seen.add(name)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._invalid("a key must be one word", node)
        return str(node.value)

    def _invalid(self, what: str, node: yaml.Node) -> ProjectInvalid:
        return ProjectInvalid(what, file=self._file, line=node.start_mark.line + 1)


def _unreadable(error: yaml.MarkedYAMLError, file: str) -> ProjectInvalid:
    mark = error.problem_mark or error.context_mark
    problem = " ".join((error.problem or error.context or "unreadable").split())
    return ProjectInvalid(f"not valid YAML: {problem}", file=file, line=None if mark is None else mark.line + 1)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the known word nearest to ``word``, or nothing where none is near."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {near!r}?"


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """Return the known word that is most like ``word``, by at least ``likeness`` (difflib's ratio, 0 to 1)."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None
