"""The files of one source, read as its contract says; whatever the format, all cells are text as the source has them."""

import glob
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import SEEK_END
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.adapters.csv_files import check_csv, read_csv
from custview_pipeline.adapters.delivery_file import CHUNK_BYTES, DeliveryFile
from custview_pipeline.adapters.excel_files import check_excel, read_excel
from custview_pipeline.adapters.json_files import check_fields, check_json_lines, read_json_lines
from custview_pipeline.adapters.parquet_files import check_parquet, read_parquet
from custview_pipeline.adapters.row_batches import in_batches, refuse_cells, wanted_columns
from custview_pipeline.adapters.sniffed_file import sniff
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

    @property
    def is_snapshot(self) -> bool:
        """Tell whether the files hold every record, as the contract says."""
        return self._contract.extract == "snapshot"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Do nothing: files are not held still, their fingerprint tells whether they changed while they were read."""
        yield

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
            with file.opened() as stream:
                digest.update(f"{len(file.name)}:{file.name}:{stream.seek(0, SEEK_END)}:".encode())
                stream.seek(0)
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
        return digest.hexdigest()

    def stat_mark(self) -> StatMark:
        """Return name, time of change (ns) and size of every file, without reading any; empty where there is none."""
        stats = ((self._shown(name), path.stat()) for name, path in self._paths())
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
        wanted = wanted_columns(self._contract, columns)
        yield from file_batches(self.files(), self._contract, wanted, rows)

    def _matching(self) -> tuple[DeliveryFile, ...]:
        return tuple(DeliveryFile(path, self._shown(name), self._contract) for name, path in self._paths())

    def _paths(self) -> list[tuple[str, Path]]:
        pattern = self._contract.path_pattern
        found = sorted(glob.glob(pattern, root_dir=self._directory, recursive=True))  # noqa: PTH207 -- leaves out hidden files, takes "..", too
        return [(name, self._directory / name) for name in found if (self._directory / name).is_file()]

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
    """Return one file as the source that a contract describes, wherever the contract says that the source is.

    Where that is no file, the file tells by its first bytes what form it has, as an export of a table does.

    Raises:
        SourceUnreadable: The file is of a kind that is not read.
    """
    whole = path.expanduser().absolute()
    described = replace(contract, path_pattern=glob.escape(str(whole)), origin=None, endpoint=None)
    if contract.origin is not None:
        form = sniff(whole)
        described = replace(described, file_format=form.file_format, encoding=form.encoding, delimiter=form.delimiter)
    return SourceFiles(whole.parent, described)


def file_batches(
    files: Sequence[DeliveryFile], contract: SourceContract, columns: Sequence[str], rows: int
) -> Iterator[RawBatch]:
    """Yield the rows of files of one format in batches; see ``SourceFiles.batches``.

    Raises:
        SourceUnreadable: A file is missing, empty, damaged, or not as the contract says.
    """
    reader, empty = _READERS[contract.file_format], list(columns)
    for file in files:
        reader.check(file, columns)
    for file in files:
        first_row = 0
        for frame in in_batches(reader.read(file, columns), rows):
            refuse_cells(file.unreadable, frame, first_row)
            empty = [name for name in empty if frame[name].null_count() == frame.height]
            yield RawBatch(frame, file.name, first_row)
            first_row += frame.height
    if contract.file_format == "jsonl":
        check_fields(files, empty)
