"""E-mail addresses: email-validator's syntax and normal form; what a provider ignores is left out of the comparison only."""

import re
from functools import lru_cache
from typing import Final

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from custview_pipeline.standardisation.contacts.mail_providers import comparable_email, mailboxes_of
from custview_pipeline.standardisation.field_standards import PLACEHOLDER
from custview_pipeline.standardisation.reading import Reading
from custview_pipeline.standardisation.text import word_set

_SIMPLE_LOCAL: Final = r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*"
_PLAIN_DOMAIN: Final = r"[a-z0-9-]+(?:\.[a-z0-9-]+)+"
_PLAIN: Final = rf"^{_SIMPLE_LOCAL}@{_PLAIN_DOMAIN}$"
# Domains that are valid for certain: short, with letters at the end, and no two hyphens together; see ``_is_sound``.
_SOUND_DOMAIN: Final = re.compile(r"(?=.{4,63}\Z)(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}")
_RESERVED: Final = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254
_MAILTO: Final = re.compile(r"^mailto:\s*([^?]*)(?:\?.*)?$", re.IGNORECASE | re.DOTALL)  # RFC 6068: subject and the like behind ?
_WRAPPED: Final = re.compile(r"^(?:.*<\s*([^<>\s]+@[^<>\s]+)\s*>|([^<>]+?))\s*[;,.]?$", re.DOTALL)
# RFC 5322's comment beside the address, what a form's label leaves before it, and quotes around the whole.
_COMMENT: Final = re.compile(r"^\s*\([^()@]*\)\s*|\s*\([^()@]*\)\s*$")
_LABEL: Final = re.compile(r"^[^\W\d_][\w -]{0,20}:\s*(?=[^\s:]+$)")
_QUOTED: Final = re.compile(r"^(['\"])([^'\"\s]+@[^'\"\s]+)\1$|^()\[([^\[\]\s]+@[^\[\]\s]+)\]$")
_LOOKS_LIKE: Final = re.compile(r"[\w.+'-]+@[\w.-]+")
_PLACEHOLDER_LOCALS: Final = word_set(
    """noemail no-email no_email none na n/a null unknown nomail no-mail noaddress nobody notprovided invalid xxx no.email
    noone noreply no-reply donotreply"""
)
_PLACEHOLDERS: Final = (
    r"^(?:test|a|x|abc|email|user|none|no|na|aaa|asdf|xx|xxx|foo)"
    r"@(?:test|a|x|abc|email|none|no|na|aaa|asdf|xx|xxx|bar|domain)(?:\.[a-z]{1,4})?$"
)
_IS_PLACEHOLDER: Final = re.compile(_PLACEHOLDERS)
_SEVERAL: Final = re.compile(r"[\s;,|/]+")
_DOMAINS: Final = pl.Schema(
    {
        "domain": pl.String(),
        "normal": pl.String(),
        "provider": pl.String(),
        "owner": pl.String(),
        "are_dots_ignored": pl.Boolean(),
    }
)


def read_emails(text: str) -> list[Reading]:
    """Return the addresses of a cell, most often one.

    The value is in lower case, an internationalised domain in its own script; ``comparable`` and the feature leave out tags
    (+news) and what the provider ignores. An address that is not valid is kept as given: nothing is guessed; what looks like one
    in it is compared.
    """
    pieces = [piece for piece in _SEVERAL.split(text) if "@" in piece]
    return [_read_one(piece) for piece in pieces] if len(pieces) > 1 else [_read_one(text)]


def _read_one(text: str) -> Reading:
    written = _unwrapped(text)
    if is_placeholder(written):
        return Reading(None, rule=PLACEHOLDER)
    normal = _normal_form(written)
    if normal is None:
        near = _LOOKS_LIKE.search(text.lower())
        near_key = comparable_email(near[0]) if near else None
        return Reading(text, near_key or written, near_key, "not_an_email_address")
    if is_placeholder(normal):
        return Reading(None, rule=PLACEHOLDER)
    key = comparable_email(normal)
    return Reading(normal, key, key)


def _unwrapped(text: str) -> str:
    """Return an address, in lower case, without the name, label, comment or brackets that it is written with."""
    bare = _COMMENT.sub("", text)
    found = _WRAPPED.match(bare)
    address = _MAILTO.sub(r"\1", (found[1] or found[2]) if found else bare)
    return _QUOTED.sub(r"\2\4", _LABEL.sub("", address)).strip().lower()


def is_placeholder(address: str) -> bool:
    """Return whether an address stands for none."""
    local, _, _ = address.partition("@")
    return local in _PLACEHOLDER_LOCALS or _IS_PLACEHOLDER.match(address) is not None


def read_plain_emails(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the readings of plain valid addresses, as ``read_emails`` would give them; every domain is validated once.

    Args:
        cells: ``code`` and ``cell``.
    """
    text = cells.select("code", value=pl.col("cell").str.to_lowercase())
    value = pl.col("value")
    is_plain = value.str.contains(_PLAIN) & ~value.str.contains("xn--", literal=True)
    plain = text.filter((value.str.len_bytes() <= _LONGEST) & is_plain)
    parts = value.str.split_exact("@", 1).struct
    split = plain.with_columns(local=parts.field("field_0"), domain=parts.field("field_1"))
    is_placeholder = pl.col("local").is_in(sorted(_PLACEHOLDER_LOCALS)) | value.str.contains(_PLACEHOLDERS)
    sound = split.filter((pl.col("local").str.len_bytes() <= _LONGEST_LOCAL) & ~is_placeholder)
    known = sound.join(_domains(sound["domain"]), on="domain", how="inner", maintain_order="left")
    bare = pl.coalesce(pl.col("local").str.extract(r"^([^+]+)"), "local")
    mailbox = pl.when("are_dots_ignored").then(bare.str.replace_all(".", "", literal=True)).otherwise(bare)
    key = pl.coalesce("owner", mailbox) + "@" + pl.col("provider")
    return known.with_columns(key=key).select(
        "code",
        position=pl.lit(0),
        value=pl.col("local") + "@" + pl.col("normal"),
        comparable="key",
        feature="key",
        rule=pl.lit(None, pl.String),
        parts=pl.lit(None, pl.String),
        part_count=pl.lit(1),
    )


def _domains(domains: pl.Series) -> pl.DataFrame:
    """Return the valid ones of plain domains and what their addresses are compared by."""
    normal = {domain: _normal_domain(domain) for domain in domains.unique().to_list()}
    rows = [(domain, found, *mailboxes_of(found)) for domain, found in normal.items() if found is not None]
    return pl.DataFrame(rows, schema=_DOMAINS, orient="row")


@lru_cache(100_000)
def _normal_domain(domain: str) -> str | None:
    if _is_sound(domain):
        return domain
    # Whether a domain is well formed does not depend on a simple local part before it.
    normal = _normal_form(f"a@{domain}")
    return normal.rpartition("@")[2] if normal else None


def _is_sound(domain: str) -> bool:
    """Return whether email-validator finds a plain domain valid, without asking it: it takes 100 microseconds."""
    return _SOUND_DOMAIN.fullmatch(domain) is not None and not f".{domain}".endswith(_RESERVED)


def _normal_form(address: str) -> str | None:
    if "@" not in address:
        return None
    try:
        # Strictly: what stands before the @ has at most 64 characters (RFC 5321).
        return validate_email(address, check_deliverability=False, allow_quoted_local=True, strict=True).normalized.lower()
    except (EmailNotValidError, ValueError):
        return None
