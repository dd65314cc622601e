"""Text that others wrote, without what looks like personal data: the second net, under errors that quote nothing."""

import re
from collections.abc import Iterator
from typing import Final

_OURS: Final = ("custview_pipeline.", "dagster._core.definitions.events.Failure")  # their messages are ours: names and counts

# Tracebacks, as Python and Dagster write them.
_MARGIN: Final = r"[\s|+]*"
_FRAME: Final = re.compile(rf'{_MARGIN}File "[^"]+", line \d+(?:, in .+)?')
_BETWEEN: Final = re.compile(
    rf"{_MARGIN}(?:(?:Exception Group )?Traceback \(most recent call last\)|Stack Trace"
    r"|During handling of the above exception[\w\s,]*|The above exception (?:was|occurred)[\w\s]*):?\s*"
)
_SUFFIX: Final = "(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Invalid|Timeout|Failure|Violation)"
_KIND: Final = re.compile(rf"(?:(?:\b[A-Za-z_]\w*\.){{1,12}}[A-Z]\w*|\b[A-Za-z_]*{_SUFFIX}s?)(?=:|\s*$)")

_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
# What is found first wins: the id of a run is no telephone number. Parts are short or start at a border: messages may be long.
_MARKS: Final = re.compile(
    rf"""
    (?P<uuid>\b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b)
  | (?P<count>(?<![\w,.])\d{{1,3}}(?:,\d{{3}})+(?![\w,]))
  | (?P<email>[^\s@<>"'`]{{1,256}}@[^\s@<>"'`]+)
  | (?P<date>\b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?!\d)
      | \b\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}(?!\d)
      | \b\d{{1,2}}\.?\s+{_MONTH},?\s+\d{{2,4}}\b
      | \b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}\b)
  | (?P<identifier>(?-i:\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{{8,}}\b) | \b\d{{8,}}x?\b)
  | (?P<number>(?<!\d)(?!\d{{7}}\b)[+(]?\d(?:[\s().\-/]{{0,2}}\d){{6,}})
  | (?P<quoted>"(?:[^"\\\n]|\\.)*" | `[^`\n]*` | \u201c[^\u201d\n]*\u201d
      | (?<!\w)'(?:[^'\\\n]|\\.|(?<=\w)'(?=\w))*'(?!\w)
      | (?<!\w)["'`\u201c][^\n]*)
  | (?P<foreign>(?<![^\W\d_])[^\W\d_]*[^\W\d_a-zA-Z][^\W\d_]*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_STAYS: Final = frozenset({"uuid", "count"})
_NAME: Final = re.compile(r"\W[a-z][a-z0-9_]*\W")  # in quotes: of a step, an asset, a check; values come in other letters too


def redact(text: str) -> str:
    """Return a message without texts of errors, addresses, numbers, dates, quotations and words of other scripts.

    Names in small letters, ids of runs and counts below ten million stay; of tracebacks, types of errors and places. What is
    redacted already stays as it is.
    """
    return "\n".join(_without_texts_of_errors(text.splitlines()))


def _without_texts_of_errors(lines: list[str]) -> Iterator[str]:
    """Yield the lines that stay: what an error says goes on to the next line that only a traceback has."""
    is_error = False
    for line in lines:
        if _FRAME.fullmatch(line) or _BETWEEN.fullmatch(line):
            is_error = True
            yield line
        elif kind := _KIND.match(line.lstrip(" |+")) if is_error else _KIND.search(line):
            is_error = True
            yield _marked(line) if kind.group().startswith(_OURS) else _marked(kind.string[: kind.end()])
        elif not is_error:
            yield _marked(line)


def _marked(line: str) -> str:
    """Put a mark in the place of each thing that goes, until there is none; a mark may part what was one word before."""
    while (again := _MARKS.sub(_replaced, line)) != line:
        line = again
    return line


def _replaced(found: re.Match[str]) -> str:
    kind = found.lastgroup or "text"
    if kind in _STAYS or (kind == "quoted" and _NAME.fullmatch(found.group())):
        return found.group()
    return f"<{kind}>"
