"""AES-256 of many independent blocks in one call: what CMAC and XAES are built on.

Nothing else may use it: blocks encrypted this way show which of them are equal.
"""

from typing import Any, Final

import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from custview_pipeline.protection.key_holder import KeyHolder

BLOCK_BYTES: Final = 16


class AesBlocks(KeyHolder):
    """The block cipher under one key. Its repr shows no key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 - the primitive inside CMAC and XAES

    def encrypt(self, blocks: npt.NDArray[Any]) -> bytes:
        """Return each block encrypted; the array's bytes are a multiple of 16."""
        return self._cipher.encryptor().update(blocks.data.cast("B")) if blocks.size else b""


def doubled(block: bytes) -> bytes:
    """Return ``block`` times x in GF(2^128), as NIST SP 800-38B section 6.1 makes its subkeys."""
    product = int.from_bytes(block, "big") << 1
    if product >> 128:
        product = (product & ((1 << 128) - 1)) ^ 0x87
    return product.to_bytes(BLOCK_BYTES, "big")
