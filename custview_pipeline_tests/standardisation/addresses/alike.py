"""Reading many addresses at once against reading each alone."""

import polars as pl

from custview_pipeline.standardisation.addresses.addresses import ADDRESS, AddressCells, read_address

_FIELDS = [*AddressCells._fields, "country"]


def row(country="US", **cells):
    return (*AddressCells(**cells), country)


def read_many(read, rows):
    """Return the readings of those rows that are read at once, by their number."""
    cells = pl.DataFrame(rows, schema=dict.fromkeys(_FIELDS, pl.String), orient="row").with_row_index("code")
    found = read(cells).select("code", "position", *(pl.col(name).cast(kind) for name, kind in ADDRESS.items()))
    assert found["position"].unique().to_list() in ([0], [])
    assert found["code"].is_unique().all()
    return {code: [tuple(reading)] for code, _, *reading in found.iter_rows()}


def assert_read_alike(read, rows):
    """Return which share of the rows is read at once, all of them as alone."""
    found = read_many(read, rows)
    for code, reading in found.items():
        assert reading == read_address(*rows[code])
    return len(found) / len(rows)
