"""What a header stands for, told by its words: ``header_words.csv`` lists those of everyday forms and exports.

They are English, German, French, Spanish, Italian, Portuguese, Dutch and Chinese.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

# Words that turn a name into something about the value instead of the value.
_ABOUT: Final = re.compile(
    r"\b(?:type|flag|status|verified|verification|valid|score|count|hash|length|lang|language|format|source|channel|label"
    r"|preference|preferred|bounced?|quality|notes?|comments?|remarks?|fax)\b"
)
_OWNERS: Final = ("customer", "cust", "client", "contact", "account", "member", "person", "user", "primary", "main", "home")
_LIKE_NUMBER: Final = re.compile(r"(?<=[a-z])(?=\d)")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IDEOGRAPH: Final = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class NamedAttribute:
    """What a header stands for.

    Attributes:
        attribute: The attribute.
        scheme: Its scheme, where the name tells one.
        is_whole: Whether the header is such a name and nothing else; False where it only contains one.
    """

    attribute: str
    scheme: str | None
    is_whole: bool


def attribute_of_header(header: str) -> NamedAttribute | None:
    """Return what a header stands for; None where its words say nothing, or speak about a value (a type, a status)."""
    words = _words(header)
    whole = " ".join(words)
    if not words or (_ABOUT.search(whole) and whole not in _whole_phrases()):
        return None
    for candidate in (words, words[1:] if words[0] in _OWNERS else words):
        for joined in (" ".join(candidate), "".join(candidate)):
            if (meant := _whole_phrases().get(joined)) is not None:
                return NamedAttribute(*meant, is_whole=True)
    found = max(_contained(words), key=len, default=None)
    return None if found is None else NamedAttribute(*_whole_phrases()[found], is_whole=False)


def _words(header: str) -> list[str]:
    """Return the words of a header: small, without accents, parted where capitals, digits or signs part them."""
    parted = _CAMEL.sub(" ", unicodedata.normalize("NFKC", header).replace("°", "o"))
    plain = "".join(c for c in unicodedata.normalize("NFKD", parted.casefold()) if not unicodedata.combining(c))
    return _LIKE_NUMBER.sub(" ", re.sub(r"[\W_]+", " ", plain)).split()


@cache
def _whole_phrases() -> dict[str, tuple[str, str | None]]:
    """Return attribute and scheme by phrase, its words parted by spaces and run together."""
    text = files("custview_pipeline.contracts.drafting").joinpath("header_words.csv").read_text(encoding="utf-8")
    phrases: dict[str, tuple[str, str | None]] = {}
    for row in csv.DictReader(text.splitlines()):
        words = _words(row["phrase"])
        for form in (" ".join(words), "".join(words)):
            phrases.setdefault(form, (row["attribute"], row["scheme"] or None))
    return phrases


def _contained(words: list[str]) -> Iterator[str]:
    """Yield the phrases in a longer header: runs of its words, or the end of a Chinese one."""
    phrases = _whole_phrases()
    runs = (" ".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    yield from (run for run in runs if run in phrases and _tells_much(run))
    text = "".join(words).rstrip("0123456789")
    if _IDEOGRAPH.search(text):  # what a Chinese name is about stands at its end
        yield from (text[start:] for start in range(len(text)) if text[start:] in phrases)


def _tells_much(phrase: str) -> bool:
    """A single word such as id, first or no says nothing within a longer name."""
    attribute, _ = _whole_phrases()[phrase]
    return " " in phrase or (len(phrase) > len("no") and attribute != "source_key" and phrase not in {"first", "last", "given"})
