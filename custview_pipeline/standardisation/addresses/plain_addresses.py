"""Addresses that are plain enough to be read many at once."""

from typing import Final

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import ADDRESS
from custview_pipeline.standardisation.addresses.chinese_batches import read_chinese_addresses
from custview_pipeline.standardisation.addresses.other_batches import read_other_addresses
from custview_pipeline.standardisation.addresses.us_batches import read_us_addresses

_ANSWER: Final = [pl.col(name).cast(kind) for name, kind in {"code": pl.UInt32(), "position": pl.UInt16(), **ADDRESS}.items()]


def read_plain_addresses(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and ``addresses.ADDRESS`` of the addresses of the common shapes, as ``read_address`` does.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``, a row an address.
    """
    readers = (read_us_addresses, read_other_addresses, read_chinese_addresses)
    return pl.concat([read(cells).select(_ANSWER) for read in readers])
