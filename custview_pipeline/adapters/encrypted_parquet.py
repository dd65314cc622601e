"""Frames as Parquet of which nothing is readable without the index key: neither values, nor names of columns, nor counts.

Modular encryption with one key for footer and columns, a fresh one a file, wrapped under the purpose key ``index``; the file
names the version of that key, so that old and new are readable while keys rotate. Never open such a file without its key:
pyarrow ends the process when it looks at the statistics of a column whose key it lacks.
"""

import base64
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from custview_pipeline.adapters.private_files import replace_durably
from custview_pipeline.kernel.errors import LakeDamaged, LakeError, UnsealFailed
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose, unwrap_key, wrap_key

_USE: Final = "parquet"
_FILE_NAME: Final = b"custview.file"
_MAGIC: Final = b"PARE"  # both ends of a Parquet file whose footer is encrypted
_KEY_BITS: Final = 256
_NO_CACHE: Final = timedelta(0)


def write_encrypted(frame: pl.DataFrame, path: Path, keyring: Keyring) -> None:
    """Store ``frame`` under ``path``, whole or not at all, readable with the index key and under this file name only.

    Raises:
        LakeError: The file cannot be written.
    """
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    table = table.replace_schema_metadata({_FILE_NAME: path.name.encode()})
    try:
        properties = _encryption(keyring)
        options = {"compression": "none", "write_statistics": False}  # a segment is read whole
        replace_durably(path, lambda file: pq.write_table(table, file, encryption_properties=properties, **options))
    except (pa.ArrowException, OSError) as error:
        raise LakeError(f"{path}: cannot be written ({_reason(error)})") from None


def read_encrypted(path: Path, keyring: Keyring, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the frame stored under ``path``.

    Args:
        path: A file of ``write_encrypted``, under the name it was written to.
        keyring: Holds the version of the index key that the file names.
        columns: The columns wanted; all by default.

    Raises:
        WrongKey: The keyring lacks that version.
        UnsealFailed: The file was made under another key, or for another name.
        LakeDamaged: It is missing, unfinished, altered, not encrypted, or lacks a column.
    """
    try:
        _check_encrypted(path)
        with pq.ParquetFile(path, decryption_properties=_decryption(keyring)) as file:
            _check_schema(file.schema_arrow, path, columns or ())
            return pl.DataFrame(file.read(columns=None if columns is None else list(columns)))
    except UnsealFailed:
        raise UnsealFailed(f"{path}: made under another key, or for another place") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise LakeDamaged(f"{path}: cannot be read ({_reason(error)})") from None


def _check_schema(schema: Any, path: Path, columns: Sequence[str]) -> None:
    if (schema.metadata or {}).get(_FILE_NAME) != path.name.encode():
        raise UnsealFailed
    if not set(columns) <= set(schema.names):
        raise LakeDamaged(f"{path}: lacks a column")


def _check_encrypted(path: Path) -> None:
    """Refuse what pyarrow would read without asking for a key: a file that somebody put there, or an unfinished one."""
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        file.seek(-min(len(_MAGIC), file.seek(0, os.SEEK_END)), os.SEEK_END)
        if start != _MAGIC or file.read() != _MAGIC:
            raise LakeDamaged(f"{path}: unfinished, or not encrypted")


class _KeyringClient(pe.KmsClient):  # type: ignore[misc]  # pyarrow has no types
    """Wraps the keys of files under the index key, in memory. pyarrow passes its errors on as they are."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__()
        self._keyring = keyring

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
        """Return a file's key, wrapped under the version of the index key that is the identifier."""
        version = int(master_key_identifier)
        return base64.b64encode(wrap_key(self._keyring.key(Purpose.INDEX, version), key_bytes, _USE, version)).decode()

    def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
        """Return a file's key."""
        try:
            version, wrapped = int(master_key_identifier), base64.b64decode(wrapped_key, validate=True)
        except ValueError:
            raise LakeDamaged("a file does not name its key as this package does") from None
        return unwrap_key(self._keyring.key(Purpose.INDEX, version), wrapped, _USE, version)


def _encryption(keyring: Keyring) -> Any:
    version, _ = keyring.current(Purpose.INDEX)
    configuration = pe.EncryptionConfiguration(
        footer_key=str(version),
        uniform_encryption=True,
        plaintext_footer=False,
        double_wrapping=False,
        data_key_length_bits=_KEY_BITS,
        cache_lifetime=_NO_CACHE,
    )
    return _factory(keyring).file_encryption_properties(pe.KmsConnectionConfig(), configuration)


def _decryption(keyring: Keyring) -> Any:
    return _factory(keyring).file_decryption_properties(
        pe.KmsConnectionConfig(), pe.DecryptionConfiguration(cache_lifetime=_NO_CACHE)
    )


def _factory(keyring: Keyring) -> pe.CryptoFactory:
    # One a file: a factory remembers keys, also those of another keyring.
    return pe.CryptoFactory(lambda _: _KeyringClient(keyring))


def _reason(error: Exception) -> str:
    """Return what may be told of a library's error: its text can quote the file."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else type(error).__name__
