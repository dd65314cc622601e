"""Segments of the match index as files of the lake: encrypted Parquet under a name that tells the part and the key's version."""

import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from custview_pipeline.adapters.encrypted_parquet import read_encrypted, write_encrypted
from custview_pipeline.contracts.match_index import INDEX_SCHEMAS, IndexPart
from custview_pipeline.kernel.errors import ContractViolation, LakeDamaged
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

_NAME: Final = re.compile(r"[a-z_]+-\d+-k(?P<version>\d+)-[0-9a-f]+\.parquet")


def write_segment(folder: Path, part: str, frame: pl.DataFrame, keyring: Keyring, *, sequence: int) -> str:
    """Store rows of one part under the current index key and return the name of the segment.

    Raises:
        ContractViolation: The columns are not those of this part.
        LakeError: It cannot be written.
    """
    if frame.schema != INDEX_SCHEMAS[IndexPart(part)]:
        raise ContractViolation(f"the part {part} of the match index does not have its columns")
    version, _ = keyring.current(Purpose.INDEX)
    name = f"{part}-{sequence:08d}-k{version}-{secrets.token_hex(4)}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    write_encrypted(frame, folder / name, keyring)
    return name


def read_segments(folder: Path, part: str, names: Iterable[str], keyring: Keyring) -> pl.DataFrame:
    """Return the rows of some segments of one part together; a column that came after a segment is null in its rows.

    Raises:
        LakeDamaged: A segment is missing or broken.
        WrongKey: A segment was written under a key that is not there.
    """
    schema = INDEX_SCHEMAS[IndexPart(part)]
    frames = [read_encrypted(folder / name, keyring) for name in names]
    return pl.concat([pl.DataFrame(schema=schema), *frames], how="diagonal").select(schema.names())


def key_version_of(name: str) -> int:
    """Return the version of the index key that a segment was written under.

    Raises:
        LakeDamaged: The name is not that of a segment.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise LakeDamaged("a segment of the match index has a name that this package does not give")
    return int(found["version"])
