"""What goes from one process to another: pickled, but for frames, which go as Arrow lays them out.

Polars' own pickles take several times as long, for they copy every value on the way in and out.
"""

import pickle
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow as pa


class _Packer(pickle.Pickler):
    def reducer_override(self, thing: Any) -> Any:
        """Pack a frame as its Arrow stream; leave everything else to pickle."""
        return (_frame, (pickle.PickleBuffer(_stream(thing)),)) if type(thing) is pl.DataFrame else NotImplemented


def packed(thing: Any) -> bytes:
    """Return something that ``unpacked`` makes the same of, in this process or another one."""
    parcel = BytesIO()
    _Packer(parcel, protocol=5).dump(thing)
    return parcel.getvalue()


def unpacked(parcel: bytes) -> Any:
    """Return what was packed. Its frames lie in the parcel's memory."""
    return pickle.loads(parcel)  # noqa: S301 -- nobody but this package's own processes packs


def _stream(frame: pl.DataFrame) -> pa.Buffer:
    table = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _frame(stream: Any) -> pl.DataFrame:
    return pl.DataFrame(pa.ipc.open_stream(stream).read_all())
