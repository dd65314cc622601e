"""Customers in portions that fit in memory: whose records are whose, and what these claim."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.match_index import CLAIMS
from custview_pipeline.flows.stored_claims import stored_claims
from custview_pipeline.flows.touched import is_of, members_of, records_now
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.survivorship.claims import ATTRIBUTES, own_claims

PORTION: Final = 100_000  # customers: about 1.5 GiB are not exceeded with a million of records


class Portion(NamedTuple):
    """Some customers.

    Attributes:
        owners: record_id, version, source_system, entity_type, updated_at, cuid of their current records; names are Enum.
        claims: What these records claim, and claimed in former versions: see ``own_claims``.
        of_them: Whether the column cuid of a table names one of these customers, or one that has ended in their place.
    """

    owners: pl.DataFrame
    claims: pl.DataFrame
    of_them: pl.Expr


def portions(snapshot: Snapshot, touched: pl.Series | None, *, has_former: bool) -> Iterator[Portion]:
    """Yield the customers of the lake, or of those that were touched, by cuid.

    Args:
        snapshot: The lake.
        touched: The customers, as they were before or are now; all by default.
        has_former: Whether claims of former versions are wanted too.

    Raises:
        IndexOutdated: The match index was made by other rules than today's.
    """
    owners = _owners(snapshot, touched)
    claims = _claims(snapshot, owners, is_part=touched is not None, has_former=has_former)
    starts = _cuids(owners).gather_every(PORTION).to_list()
    # Who ended lies between those that there are: the first portion has no lower bound, the last one no upper.
    for number, (start, end) in enumerate(pairwise([None, *starts[1:], None])):
        of_them = pl.lit(value=True) if touched is None else is_of(touched)
        of_them = of_them if start is None else of_them & (pl.col("cuid") >= start)
        of_them = of_them if end is None else of_them & (pl.col("cuid") < end)
        mine = owners.filter(_portion() == number)
        yield Portion(mine, pl.concat(claims.pop(number, [_no_claims(owners)])), of_them)


def _owners(snapshot: Snapshot, touched: pl.Series | None) -> pl.DataFrame:
    members = members_of(snapshot, touched)
    records = records_now(snapshot, None if touched is None else members["record_id"])
    owners = records.join(members, on="record_id", how="inner")
    # Customers and sources are named in every claim: as numbers they are sorted and compared in a fraction of the time.
    return owners.with_columns(pl.col(name).cast(pl.Enum(owners[name].unique().sort())) for name in ("cuid", "source_system"))


def _no_claims(owners: pl.DataFrame) -> pl.DataFrame:
    return own_claims(pl.DataFrame(schema={**CLAIMS, "attribute": ATTRIBUTES}), owners)


def _cuids(owners: pl.DataFrame) -> pl.Series:
    dtype = owners.schema["cuid"]
    return dtype.categories if isinstance(dtype, pl.Enum) else owners["cuid"].unique().sort()


def _portion() -> pl.Expr:
    return pl.col("cuid").to_physical() // PORTION


def _claims(snapshot: Snapshot, owners: pl.DataFrame, *, is_part: bool, has_former: bool) -> dict[int, list[pl.DataFrame]]:
    """Return the claims of the records by the number of their portion."""
    found: dict[int, list[pl.DataFrame]] = {}
    for rows in stored_claims(snapshot, owners["record_id"] if is_part else None):
        claims = own_claims(rows, owners)
        wanted = claims if has_former else claims.filter("is_current")
        parts = wanted.with_columns(portion=_portion()).partition_by("portion", as_dict=True, include_key=False)
        for (number,), part in parts.items():
            found.setdefault(number, []).append(part)
    return found
