"""Attributes that are words of the source: occupation, employer, place of birth, website."""

import re
from typing import Final

from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import comparable_text

_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?", re.ASCII)


def read_text(text: str) -> tuple[Reading]:
    """Return the text as given; compared without case, accents and punctuation."""
    key = comparable_text(text)
    return (Reading(text, key, key),)


def read_website(text: str) -> tuple[Reading]:
    """Return a website without scheme, www and trailing slash, its host in lower case."""
    bare = _SCHEME.sub("", text.strip())
    host, slash, path = bare.partition("/")
    host = host.lower().removeprefix("www.").rstrip(".")
    if not _HOST.fullmatch(host):
        return (Reading(text, text.lower(), None, "not_a_website"),)
    shown = (host + slash + path).rstrip("/")
    return (Reading(shown, shown.lower(), host),)
