"""Identifiers of records and customers: their form, never how they are derived.

A CUID is ``CU``, sixteen characters of Crockford's base32 (80 bits) and a check character by ISO 7064 MOD 37,36.
"""

from typing import Final, NewType

from custview_pipeline.kernel.errors import UnknownCustomer

RecordId = NewType("RecordId", int)
"""A source record, for life: 64 bits derived from its source system and key."""

Cuid = NewType("Cuid", str)
"""A customer, for life; in its canonical form, without spaces."""

CUID_PREFIX: Final = "CU"
CUID_PAYLOAD_CHARACTERS: Final = 16
CUID_CHARACTERS: Final = len(CUID_PREFIX) + CUID_PAYLOAD_CHARACTERS + 1
CROCKFORD_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GROUP: Final = 4
_MISREAD: Final = str.maketrans("OIL", "011")
_SEPARATORS: Final = str.maketrans("", "", "- ")


def check_character(payload: str) -> str:
    """Return the check character of ``payload``, by ISO 7064 MOD 37,36.

    Raises:
        ValueError: A character is neither a digit nor a capital letter.
    """
    check = 36
    for character in payload:
        check = ((check + CHECK_ALPHABET.index(character)) % 36 or 36) * 2 % 37
    return CHECK_ALPHABET[(1 - check) % 36]


def is_cuid(text: str) -> bool:
    """Tell whether ``text`` is a CUID in its canonical form."""
    try:
        return parse_cuid(text) == text
    except UnknownCustomer:
        return False


def parse_cuid(text: str) -> Cuid:
    """Return the canonical form of a CUID as people type it.

    Case, spaces and dashes are free; O is read as 0, and I and L as 1, as Crockford's base32 intends.

    Raises:
        UnknownCustomer: It is no CUID. The text is not repeated: it may be a name.
    """
    compact = text.upper().translate(_SEPARATORS)
    payload = compact[len(CUID_PREFIX) : -1].translate(_MISREAD)
    is_formed = len(compact) == CUID_CHARACTERS and compact.startswith(CUID_PREFIX)
    if not is_formed or not set(payload) <= set(CROCKFORD_ALPHABET):
        raise UnknownCustomer(f"not a CUID: expected {CUID_PREFIX} and {CUID_CHARACTERS - len(CUID_PREFIX)} letters and digits")
    check = check_character(payload)
    # The check character may be a true O, I or L, so it is compared as it would be misread.
    if compact[-1].translate(_MISREAD) != check.translate(_MISREAD):
        raise UnknownCustomer("not a CUID: its check character does not fit; look for a mistyped character")
    return Cuid(f"{CUID_PREFIX}{payload}{check}")


def group_cuid(cuid: Cuid) -> str:
    """Return a CUID as people read it: ``CU 4F2K-9Q7M-1XYZ-0ABC-D``."""
    body = cuid[len(CUID_PREFIX) :]
    groups = (body[start : start + _GROUP] for start in range(0, len(body), _GROUP))
    return f"{CUID_PREFIX} {'-'.join(groups)}"
