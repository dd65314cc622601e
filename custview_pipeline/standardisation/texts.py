"""Attributes that are words of the source: occupation, employer, place of birth, website."""

import re
from typing import Final

from email_validator import EmailNotValidError, validate_email

from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import comparable_text

_SCHEME: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?(?://|\\\\)", re.IGNORECASE)
_BEHIND_HOST: Final = re.compile("[/?#]")
_HOST: Final = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?", re.ASCII)


def read_text(text: str) -> tuple[Reading]:
    """Return the text as given; compared without case, accents and punctuation."""
    key = comparable_text(text)
    return (Reading(text, key, key),)


def read_website(text: str) -> tuple[Reading]:
    """Return a website without scheme, www and trailing slash, its host in lower case.

    A host in another script is written in ASCII (RFC 5890), as it is in registers.
    """
    bare = _SCHEME.sub("", text.strip())
    behind = _BEHIND_HOST.search(bare)
    end = behind.start() if behind else len(bare)
    host, path = _ascii_host(bare[:end].lower().removeprefix("www.").rstrip(".")), bare[end:]
    if not _HOST.fullmatch(host):
        return (Reading(text, text.lower(), None, "not_a_website"),)
    slash = "" if path.startswith("/") else "/"
    shown = f"{host}{slash}{path}".rstrip("/")
    return (Reading(shown, shown.lower(), host),)


def _ascii_host(host: str) -> str:
    """Return a host in ASCII by email-validator's rules for domains; as it is where it breaks them."""
    name, colon, port = host.partition(":")
    try:
        return host if host.isascii() else validate_email(f"a@{name}", check_deliverability=False).ascii_domain + colon + port
    except EmailNotValidError:
        return host
