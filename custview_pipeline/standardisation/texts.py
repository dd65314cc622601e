"""Attributes that are words of the source: occupation, employer, place of birth, website."""

import re
from typing import Final

from email_validator import EmailNotValidError, validate_email

from custview_pipeline.standardisation.names.enterprise_names import parse_enterprise_name
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import comparable_text, word_set

# What people write who have no employer, as ``comparable_text`` gives it. Of general knowledge.
_NO_EMPLOYERS: Final = word_set(
    """self selfemployed freelance freelancer unemployed retired student homemaker housewife disabled various
    无业 失业 待业 退休 自由职业 个体 学生"""
) | {"self employed", "not employed", "not working", "stay at home"}
_SCHEME: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?(?://|\\\\)", re.IGNORECASE)
_BEHIND_HOST: Final = re.compile("[/?#]")
_HOST: Final = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?", re.ASCII)


def read_text(text: str) -> tuple[Reading]:
    """Return the text as given; compared without case, accents and punctuation."""
    key = comparable_text(text)
    return (Reading(text, key, key),)


def read_employer(text: str) -> tuple[Reading]:
    """Return an employer as given; compared as a text, and by matching as an enterprise's name without its legal form.

    Who works for nobody, or for himself, has no employer that anything could be told by.
    """
    key = comparable_text(text)
    feature = None if key in _NO_EMPLOYERS else "".join(parse_enterprise_name(text).words) or None
    return (Reading(text, key, feature),)


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
