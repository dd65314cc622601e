"""Tests of ``custview_pipeline.protection.xaes``; those with published vectors are in ``test_published_vectors``."""

import numpy as np
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.protection.xaes import XaesKey

keys = st.binary(min_size=32, max_size=32)
many_materials = st.lists(st.binary(min_size=12, max_size=12), max_size=5)


def derived(key, material):
    """Derive a key as NIST SP 800-108 says, which XAES-256-GCM is defined to be an instance of."""
    kdf = KBKDFCMAC(
        AES256,
        Mode.CounterMode,
        length=32,
        rlen=2,
        llen=None,
        location=CounterLocation.BeforeFixed,
        label=None,
        context=None,
        fixed=b"X\x00" + material,
    )
    return kdf.derive(key)


@given(keys, many_materials)
def test_each_subkey_is_the_one_that_another_implementation_derives(key, materials):
    rows = np.frombuffer(b"".join(materials), np.uint8).reshape(-1, 12)

    assert XaesKey(key).subkeys(rows) == b"".join(derived(key, material) for material in materials)
