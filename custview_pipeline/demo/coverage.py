"""Who is in which source system, how often, and under which key."""

import math
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.demo.chance import Chance

SOURCES: Final = ("crm", "web_shop", "billing", "support")
_PERSON_SHARES: Final = (0.62, 0.59, 0.60, 0.44)
_ENTERPRISE_SHARES: Final = (0.85, 0.0, 0.75, 0.0)
_DUPLICATE_SHARE: Final = 0.02
RECORDS_PER_CUSTOMER: Final = 2.25  # what the shares above come to
_KEYS: Final = {"crm": ("C-", 7), "web_shop": ("", 8), "billing": ("B", 9), "support": ("T-", 8)}


def customers_needed(records: int) -> int:
    """Return how many customers give at least ``records`` source records, but for about one world in ten thousand."""
    return int(records / RECORDS_PER_CUSTOMER + math.sqrt(records)) + 8


def spread(is_enterprise: pl.Series, records: int, chance: Chance) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return, for each source, the rows of the customers it holds, in the order of its records; ``records`` in all.

    Trick: duplicates inside one source. A customer comes twice there.
    """
    count = len(is_enterprise)
    enterprise = is_enterprise.to_numpy()[:, None]
    shares = np.where(enterprise, np.array(_ENTERPRISE_SHARES), np.array(_PERSON_SHARES))
    is_there = chance.fractions(count * len(SOURCES)).reshape(count, len(SOURCES)) < shares
    is_there[~is_there.any(axis=1), 0] = True
    times = is_there * (1 + chance.happens(is_there.size, _DUPLICATE_SHARE).reshape(is_there.shape))
    customer, source = (np.repeat(places, times[is_there]) for places in np.nonzero(is_there))
    kept = chance.distinct(len(customer), min(records, len(customer)))  # in random order: keys tell nothing of the customer
    return {name: customer[kept[source[kept] == place]] for place, name in enumerate(SOURCES)}


def make_keys(source: str, count: int, chance: Chance) -> pl.Series:
    """Return ``count`` different keys, ascending, as ``source`` writes them."""
    prefix, length = _KEYS[source]
    numbers = 10_000 + chance.whole(1, 5, count).cumsum()
    return prefix + pl.Series("source_key", numbers).cast(pl.String).str.zfill(length)
