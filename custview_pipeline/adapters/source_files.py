"""The files of one source, read as its contract says; whatever the format, all cells are text as the source has them."""

import glob
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.adapters.csv_files import check_csv, read_csv
from custview_pipeline.adapters.delivery_file import CHUNK_BYTES, DeliveryFile
from custview_pipeline.adapters.excel_files import check_excel, read_excel
from custview_pipeline.adapters.json_files import check_fields, check_json_lines, read_json_lines
from custview_pipeline.adapters.parquet_files import check_parquet, read_parquet
from custview_pipeline.contracts.source_contract import FileFormat, SourceContract
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import RawBatch


class _Reader(NamedTuple):
    check: Callable[[DeliveryFile, Sequence[str]], None]
    read: Callable[[DeliveryFile, Sequence[str]], Iterator[pl.DataFrame]]


_READERS: Final[dict[FileFormat, _Reader]] = {
    "csv": _Reader(check_csv, read_csv),
    "jsonl": _Reader(check_json_lines, read_json_lines),
    "parquet": _Reader(check_parquet, read_parquet),
    "xlsx": _Reader(check_excel, read_excel),
}

_LONGEST_CELL: Final = 1_000_000  # bytes; a cell like this is an attachment or a mistake
StatMark = tuple[tuple[str, int, int], ...]


class SourceFiles:
    """The files of one source at this moment.

    Args:
        directory: The project directory.
        contract: The source's contract.
    """

    def __init__(self, directory: Path, contract: SourceContract) -> None:
        self._directory = directory
        self._contract = contract

    def files(self) -> tuple[DeliveryFile, ...]:
        """Return the files, in the order of their names.

        Raises:
            SourceUnreadable: There is none, or their directory is missing or cannot be listed.
        """
        files = self._matching()
        if not files:
            stated = f"; the path stands in {self._contract.file}" if self._contract.file else ""
            raise SourceUnreadable(f"{self._contract.source_system}: {self._why_none()}{stated}")
        return files

    def fingerprint(self) -> str:
        """Return 64 hex digits over names and contents, which change when any byte of the delivery does.

        Raises:
            SourceUnreadable: There is no file, or one cannot be read.
        """
        digest = hashlib.sha256()
        for file in self.files():
            digest.update(f"{len(file.name)}:{file.name}:{file.path.stat().st_size}:".encode())
            with file.opened() as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
        return digest.hexdigest()

    def stat_mark(self) -> StatMark:
        """Return name, time of change (ns) and size of every file, without reading any; empty where there is none."""
        stats = ((file.name, file.path.stat()) for file in self._matching())
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def is_settled(self, seconds: float) -> bool:
        """Return whether there are files and none changed in the last ``seconds``.

        A time of change that lies ahead, by a clock that is wrong, counts by its distance too.
        """
        now = time.time_ns()
        marks = self.stat_mark()
        return bool(marks) and all(abs(now - changed) >= seconds * 1e9 for _, changed, _ in marks)

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 50_000) -> Iterator[RawBatch]:
        """Yield all rows, file by file; every file's header is checked before the first row, fields of JSON after the last.

        Args:
            columns: Headers to read, of those the contract describes; all of these by default.
            rows: Most rows of a batch; only the last of a file has fewer.

        Raises:
            SourceUnreadable: A file is missing, empty, damaged, or not as the contract says.
            ValueError: The contract does not describe one of ``columns``.
        """
        wanted = self._wanted(columns)
        reader = _READERS[self._contract.file_format]
        files, empty = self.files(), wanted
        for file in files:
            reader.check(file, wanted)
        for file in files:
            first_row = 0
            for frame in _in_batches(reader.read(file, wanted), rows):
                _refuse_cells(file, frame, first_row)
                empty = [name for name in empty if frame[name].null_count() == frame.height]
                yield RawBatch(frame, file.name, first_row)
                first_row += frame.height
        if self._contract.file_format == "jsonl":
            check_fields(files, empty)

    def _wanted(self, columns: Sequence[str] | None) -> list[str]:
        described = [column.name for column in self._contract.columns]
        if columns is None:
            return described
        if unknown := set(columns) - set(described):
            raise ValueError(f"no column of {self._contract.source_system}: {sorted(unknown)}")
        return [name for name in described if name in columns]

    def _matching(self) -> tuple[DeliveryFile, ...]:
        pattern = self._contract.path_pattern
        found = sorted(glob.glob(pattern, root_dir=self._directory, recursive=True))  # noqa: PTH207 -- leaves out hidden files, takes "..", too
        paths = ((self._directory / name, self._shown(name)) for name in found)
        return tuple(DeliveryFile(path, name, self._contract) for path, name in paths if path.is_file())

    def _shown(self, name: str) -> str:
        """Return a name that says nothing of the machine, and gives one fingerprint on all."""
        return Path(name).relative_to(self._folder()).as_posix() if Path(name).is_absolute() else Path(name).as_posix()

    def _folder(self) -> Path:
        """Return the part of the pattern that every file shares."""
        parts = Path(self._contract.path_pattern).parts
        fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
        return Path(*parts[:fixed])

    def _why_none(self) -> str:
        pattern, folder = self._contract.path_pattern, self._directory / self._folder()
        if not folder.is_dir():
            return f"the folder of {pattern} does not exist"
        try:
            next(folder.iterdir(), None)
        except OSError as error:
            return f"the folder of {pattern} cannot be listed ({type(error).__name__})"
        if (self._directory / pattern).is_dir():
            return f"{pattern} is a folder; write {pattern.rstrip('/')}/*.{self._contract.file_format}"
        return f"no file matches {pattern}"


def one_file(path: Path, contract: SourceContract) -> SourceFiles:
    """Return one file as the source that a contract describes, wherever the contract says that its files are."""
    whole = path.expanduser().absolute()
    return SourceFiles(whole.parent, replace(contract, path_pattern=glob.escape(str(whole))))


def _in_batches(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        rest = frame
        while rest.height:
            piece, rest = rest.head(rows - count), rest.slice(rows - count)
            held.append(piece)
            count += piece.height
            if count == rows:
                yield pl.concat(held)
                held, count = [], 0
    if held:
        yield pl.concat(held)


def _refuse_cells(file: DeliveryFile, frame: pl.DataFrame, first_row: int) -> None:
    """Refuse what no cell of a customer's record holds, and what would keep a run busy for minutes.

    Raises:
        SourceUnreadable: A cell holds a NUL byte or is longer than any; names row and column.
    """
    for fault, holds in (
        ("holds a NUL byte", pl.all().str.contains("\x00", literal=True)),
        (f"holds more than {_LONGEST_CELL:,} bytes", pl.all().str.len_bytes() > _LONGEST_CELL),
    ):
        found = frame.select(holds.arg_true().first())
        for name, row in zip(found.columns, found.row(0), strict=True):
            if row is not None:
                raise file.unreadable(f"row {first_row + row + 1:,}: {name!r} {fault}")
