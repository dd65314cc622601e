"""Vectors that others published, for every primitive that protection builds on.

XAES-256-GCM: https://c2sp.org/XAES-256-GCM. CMAC, AES-GCM (NIST) and HKDF (RFC 5869): files of the package cryptography-vectors.
Neither that package nor another one ships the vectors of Wycheproof.
"""

import hashlib
from collections.abc import Iterator
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.xaes import XaesKey

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"
MEAN_INPUT_BYTES = 320  # of one accumulated input and some to spare: 32 + 24 + 2 + twice 127.5


def seal(key, nonce, plaintext, associated_data):
    subkey = XaesKey(key).subkeys(np.frombuffer(nonce[:12], np.uint8).reshape(1, 12))
    return AESGCM(subkey).encrypt(nonce[12:], plaintext, associated_data)


def groups(*path: str) -> Iterator[dict[str, str]]:
    """Yield each vector of a file of "name = value" lines, which begins with its count, under the "[name = value]" before it."""
    section: dict[str, str] = {}
    vector: dict[str, str] = {}
    for line in files("cryptography_vectors").joinpath(*path).read_text("ascii").splitlines():
        name, _, value = (part.strip() for part in line.strip("[] ").partition("="))
        if vector and (line.startswith("[") or name.upper() == "COUNT"):
            yield section | vector
            vector = {}
        if line.startswith("["):
            section = section | {name: value}
        elif name and not name.startswith("#"):
            vector[name.upper()] = value
    yield section | vector


@pytest.mark.parametrize(
    ("key", "associated_data", "expected"),
    [
        (b"\x01" * 32, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (b"\x03" * 32, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ],
)
def test_xaes_gives_the_published_ciphertexts(key, associated_data, expected):
    assert seal(key, NONCE, b"XAES-256-GCM", associated_data).hex() == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (10_000, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"),
        pytest.param(
            1_000_000,
            "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15",
            marks=[pytest.mark.slow, pytest.mark.thorough],
        ),
    ],
)
def test_xaes_gives_the_published_digest_of_many_ciphertexts(inputs, expected):
    stream, place = memoryview(hashlib.shake_128().digest(inputs * MEAN_INPUT_BYTES)), 0

    def take(count):
        nonlocal place
        place += count
        return bytes(stream[place - count : place])

    total = hashlib.shake_128()
    for _ in range(inputs):
        key, nonce = take(32), take(24)
        plaintext = take(take(1)[0])
        associated_data = take(take(1)[0])
        total.update(seal(key, nonce, plaintext, associated_data))

    assert total.hexdigest(32) == expected


def test_cmac_gives_the_macs_of_nist_sp_800_38b():
    vectors = list(groups("CMAC", "nist-800-38b-aes256.txt"))

    assert len(vectors) == 4
    for vector in vectors:
        mac, message = Cmac(bytes.fromhex(vector["KEY"])), bytes.fromhex(vector["MESSAGE"])
        assert mac.of_bytes(message).hex() == vector["OUTPUT"]
        assert mac.of_series(pl.Series([b"before it", message], dtype=pl.Binary))[1].tobytes().hex() == vector["OUTPUT"]


def gcm_vectors(name: str) -> list[dict[str, str]]:
    """Return those of the form that is used here: nonces of 12 and tags of 16 bytes."""
    used = {"IVlen": "96", "Taglen": "128"}
    return [each for each in groups("ciphers", "AES", "GCM", name) if used.items() <= each.items()]


def test_aes_gcm_gives_the_ciphertexts_of_nist():
    vectors = gcm_vectors("gcmEncryptExtIV256.rsp")

    assert len(vectors) == 375
    for vector in vectors:
        key, nonce, plaintext, told, ciphertext, tag = (
            bytes.fromhex(vector[name]) for name in ("KEY", "IV", "PT", "AAD", "CT", "TAG")
        )
        assert AESGCM(key).encrypt(nonce, plaintext, told) == ciphertext + tag
        opened = bytearray(len(plaintext))
        AESGCM(key).decrypt_into(nonce, ciphertext + tag, told, opened)
        assert opened == plaintext


def test_aes_gcm_refuses_what_nist_says_it_must():
    vectors = gcm_vectors("gcmDecrypt256.rsp")

    assert len(vectors) == 375
    assert sum("FAIL" in vector for vector in vectors) > 100
    for vector in vectors:
        key, nonce, told, ciphertext, tag = (bytes.fromhex(vector[name]) for name in ("KEY", "IV", "AAD", "CT", "TAG"))
        if "FAIL" in vector:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(nonce, ciphertext + tag, told)
        else:
            assert AESGCM(key).decrypt(nonce, ciphertext + tag, told).hex() == vector["PT"]


def test_hkdf_gives_the_keys_of_rfc_5869():
    vectors = list(groups("KDF", "rfc-5869-HKDF-SHA256.txt"))

    assert len(vectors) == 3
    for vector in vectors:
        salt, info, master = (bytes.fromhex(vector[name]) for name in ("SALT", "INFO", "IKM"))
        derived = HKDF(algorithm=SHA256(), length=int(vector["L"]), salt=salt or None, info=info).derive(master)
        assert derived.hex() == vector["OKM"]
