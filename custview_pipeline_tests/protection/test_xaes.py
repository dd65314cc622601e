"""Tests of ``custview_pipeline.protection.xaes`` with the vectors of https://c2sp.org/XAES-256-GCM."""

import hashlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from custview_pipeline.protection.xaes import XaesKey

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


def seal(key, nonce, plaintext, associated_data):
    subkey = XaesKey(key).subkeys(np.frombuffer(nonce[:12], np.uint8).reshape(1, 12))
    return AESGCM(subkey).encrypt(nonce[12:], plaintext, associated_data)


@pytest.mark.parametrize(
    ("key", "associated_data", "expected"),
    [
        (b"\x01" * 32, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (b"\x03" * 32, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_the_published_vectors_hold(key, associated_data, expected):
    assert seal(key, NONCE, b"XAES-256-GCM", associated_data).hex() == expected


def test_the_accumulated_vector_of_ten_thousand_inputs_holds():
    stream, place = hashlib.shake_128().digest(10_000 * (32 + 24 + 2 + 2 * 255)), 0

    def take(count):
        nonlocal place
        place += count
        return stream[place - count : place]

    total = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = take(32), take(24)
        plaintext = take(take(1)[0])
        associated_data = take(take(1)[0])
        total.update(seal(key, nonce, plaintext, associated_data))

    assert total.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


def test_many_subkeys_are_those_made_one_by_one():
    key, materials = XaesKey(bytes(range(32))), np.arange(60, dtype=np.uint8).reshape(5, 12)

    assert key.subkeys(materials) == b"".join(key.subkeys(row.reshape(1, 12)) for row in materials)


def test_the_repr_shows_no_key():
    assert repr(XaesKey(bytes(32))) == "XaesKey(...)"
