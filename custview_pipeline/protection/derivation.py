"""Keys made from keys, and bytes that say unambiguously what they belong to."""

import struct
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_LENGTH: Final = struct.Struct(">I").pack


def length_prefixed(*parts: str | int | bytes) -> bytes:
    """Return the parts, each behind its length, so that no two different lists give the same bytes."""
    encoded = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return b"".join([_LENGTH(len(part)) + part for part in encoded])


def derive_key(master: bytes, label: str, *context: str | int) -> bytes:
    """Return the 32-byte key of one use of ``master``, by HKDF-SHA256 (RFC 5869).

    Args:
        master: A uniformly random key; hence no salt is needed.
        label: What the key is for. Each use has a label of its own.
        context: What else tells it apart, such as the field and the version.
    """
    info = length_prefixed(f"custview/{label}", *context)
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)
