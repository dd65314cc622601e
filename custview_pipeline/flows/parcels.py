"""How frames go from one process to another: as Arrow lays them out, for polars' own pickles copy every value on both sides.

To import this module is enough, in both processes.
"""

from multiprocessing.reduction import ForkingPickler
from typing import Any

import polars as pl
import pyarrow as pa


def _as_stream(frame: pl.DataFrame) -> tuple[Any, tuple[bytes]]:
    table = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _of_stream, (sink.getvalue().to_pybytes(),)


def _of_stream(stream: bytes) -> pl.DataFrame:
    return pl.DataFrame(pa.ipc.open_stream(stream).read_all())


ForkingPickler.register(pl.DataFrame, _as_stream)
