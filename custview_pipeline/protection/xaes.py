"""Keys of single records for XAES-256-GCM, many at once.

XAES-256-GCM takes a nonce of 24 bytes: the first twelve make a key of their own out of the vault key, the last twelve are the
nonce of AES-256-GCM under it. Source: https://c2sp.org/XAES-256-GCM.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from custview_pipeline.protection.aes import AesBlocks, doubled
from custview_pipeline.protection.key_holder import KeyHolder

MATERIAL_BYTES: Final = 12
_COUNTER_AND_LABEL: Final = np.array([[0, 1, ord("X"), 0], [0, 2, ord("X"), 0]], np.uint8)


class XaesKey(KeyHolder):
    """One vault key. Its repr shows no key."""

    def __init__(self, key: bytes) -> None:
        self._blocks = AesBlocks(key)
        self._mask = np.frombuffer(doubled(self._blocks.encrypt(np.zeros(16, np.uint8))), np.uint8)

    def subkeys(self, materials: npt.NDArray[np.uint8]) -> bytes:
        """Return the 32-byte keys of records, one behind the other.

        Args:
            materials: One row a record: the first twelve bytes of its nonce.
        """
        blocks = np.empty((len(materials), 2, 16), np.uint8)
        blocks[:, :, :4] = _COUNTER_AND_LABEL
        blocks[:, :, 4:] = materials[:, None, :]
        blocks ^= self._mask
        return self._blocks.encrypt(blocks)
