"""E-mail addresses: email-validator's syntax and normal form; what a provider ignores is left out of the comparison only."""

import re
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import word_set

_SIMPLE_LOCAL: Final = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254
_WRAPPED: Final = re.compile(r"^(?:mailto:)?\s*(?:.*<\s*([^<>\s]+)\s*>|([^<>]+?))\s*[;,.]?$", re.IGNORECASE | re.DOTALL)
_LOOKS_LIKE: Final = re.compile(r"[\w.+'-]+@[\w.-]+")
_PLACEHOLDER_LOCALS: Final = word_set(
    """noemail no-email no_email none na n/a null unknown nomail no-mail noaddress nobody notprovided invalid xxx no.email
    noone noreply no-reply donotreply"""
)
_PLACEHOLDERS: Final = re.compile(
    r"(?:test|a|x|abc|email|user|none|no|na|aaa|asdf|xx|xxx|foo)@(?:test|a|x|abc|email|none|no|na|aaa|asdf|xx|xxx|bar|domain)(?:\.[a-z]{1,4})?"
)
_SEVERAL: Final = re.compile(r"[\s;,|/]+")
_DOTS_IGNORED: Final = frozenset({"gmail.com", "googlemail.com"})
_SAME_PROVIDER: Final = {"googlemail.com": "gmail.com"}


def read_emails(text: str) -> list[Reading]:
    """Return the addresses of a cell, most often one.

    The value is in lower case; ``comparable`` and the feature leave out tags (+news) and what the provider ignores.
    """
    pieces = [piece for piece in _SEVERAL.split(text) if piece] if text.count("@") > 1 else [text]
    return [_read_one(piece) for piece in pieces]


def _read_one(text: str) -> Reading:
    found = _WRAPPED.match(text)
    written = ((found[1] or found[2]) if found else text).strip().lower()
    if is_placeholder(written):
        return Reading(None, rule=PLACEHOLDER)
    normal = _normal_form(written)
    if normal is not None:
        key = comparable_email(normal)
        return Reading(normal, key, key)
    near = _LOOKS_LIKE.search(written)
    near_key = comparable_email(near[0]) if near else None
    return Reading(text, near_key or written, near_key, "not_an_email_address")


def is_placeholder(address: str) -> bool:
    """Return whether an address stands for none."""
    local, _, _ = address.partition("@")
    return local in _PLACEHOLDER_LOCALS or _PLACEHOLDERS.fullmatch(address) is not None


def comparable_email(address: str) -> str:
    """Return the mailbox that an address reaches: without tag, without the dots that Gmail ignores."""
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0] or local
    domain = _SAME_PROVIDER.get(domain, domain)
    if domain in _DOTS_IGNORED:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def _normal_form(address: str) -> str | None:
    local, at, domain = address.rpartition("@")
    if at and len(local) <= _LONGEST_LOCAL and len(address) <= _LONGEST and _SIMPLE_LOCAL.fullmatch(local):
        normal = _normal_domain(domain)
        return f"{local}@{normal}" if normal is not None else None
    return _validate(address)


@lru_cache(100_000)
def _normal_domain(domain: str) -> str | None:
    # Whether a domain is well formed does not depend on a simple local part before it.
    normal = _validate(f"a@{domain}")
    return normal.rpartition("@")[2] if normal else None


def _validate(address: str) -> str | None:
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except (EmailNotValidError, ValueError):
        return None
