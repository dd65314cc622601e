"""Addresses that are plain enough to be read many at once."""

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import ADDRESS
from custview_pipeline.standardisation.addresses.chinese_batches import read_chinese_addresses
from custview_pipeline.standardisation.addresses.other_batches import read_other_addresses
from custview_pipeline.standardisation.addresses.us_batches import read_us_addresses
from custview_pipeline.standardisation.reading import typed


def read_plain_addresses(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``code``, ``position`` and ``addresses.ADDRESS`` of the addresses of the common shapes, as ``read_address`` does.

    Args:
        cells: ``code``, the fields of ``AddressCells`` and ``country``, a row an address.
    """
    readers = (read_us_addresses, read_other_addresses, read_chinese_addresses)
    return pl.concat([typed(read(cells), ADDRESS) for read in readers])
