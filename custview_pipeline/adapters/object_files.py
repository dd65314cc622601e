"""The files of one source in an object store, or wherever else fsspec reaches by a URL; they are only ever read.

The store's own library finds its credentials, in the environment or where else it looks; none of them stands in a contract.
"""

import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, Literal

import fsspec

from custview_pipeline.adapters.delivery_file import DeliveryFile
from custview_pipeline.adapters.source_files import SourceFiles, StatMark
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import RawBatch
from custview_pipeline.kernel.redaction import silenced

# The extra of this package that brings the library for a URL.
_EXTRAS: Final = {"s3": "s3", "az": "azure", "abfs": "azure", "abfss": "azure", "adl": "azure", "gs": "gcs", "gcs": "gcs"}
# How stores call, among what they tell of an object, the digest of its content: S3, Azure, Google; and its last change.
_DIGESTS: Final = ("ETag", "etag", "content_md5", "md5Hash")
_CHANGES: Final = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


@dataclass(frozen=True, slots=True)
class _StoredObject:
    """An object of a store.

    Attributes:
        path: As the file system calls it.
        told: What the store tells of it without opening it.
    """

    filesystem: Any
    path: str
    told: Mapping[str, Any]

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Open it for bytes."""
        opened: IO[bytes] = self.filesystem.open(self.path, mode)
        return opened

    def digest(self) -> str | None:
        """Return what the store says changes with the content; None where it says nothing."""
        return next((str(self.told[name]) for name in _DIGESTS if self.told.get(name)), None)

    def changed_ns(self) -> int:
        """Return the time of its last change in nanoseconds; 0 where the store does not tell."""
        when = next((self.told[name] for name in _CHANGES if self.told.get(name)), 0)
        if isinstance(when, str):
            when = datetime.fromisoformat(when)
        return int((when.timestamp() if isinstance(when, datetime) else float(when)) * 1e9)


class ObjectFiles(SourceFiles):
    """The objects of one source at this moment.

    Args:
        contract: The source's contract, whose path is a URL.
    """

    def __init__(self, contract: SourceContract) -> None:
        super().__init__(Path(), contract)
        self._known: tuple[tuple[str, _StoredObject], ...] | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """List the objects once; that they did not change while they were read tells a list that is made afterwards."""
        self._known = self._listed()
        try:
            yield
        finally:
            self._known = None

    def fingerprint(self) -> str:
        """Return 64 hex digits that change with names and contents, by the digests that the store has, else by reading all.

        Raises:
            SourceUnreadable: There is no object, or one cannot be read.
        """
        listed = self._listed()
        digests = [stored.digest() for _, stored in listed]
        if not listed or None in digests:
            return super().fingerprint()
        told = [(name, digest, stored.told.get("size")) for (name, stored), digest in zip(listed, digests, strict=True)]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 50_000) -> Iterator[RawBatch]:
        """Yield all rows, object by object; see ``SourceFiles.batches``.

        Raises:
            SourceUnreadable: An object is missing, empty, damaged, or not as the contract says.
            Redacted: The store's library failed.
        """
        with silenced(f"{self._contract.source_system}: reading {self._contract.path_pattern}"):
            yield from super().batches(columns, rows=rows)

    def stat_mark(self) -> StatMark:
        """Return name, time of change (ns; 0 where the store does not tell) and size of every object, without reading any."""
        return tuple((name, stored.changed_ns(), int(stored.told.get("size") or 0)) for name, stored in self._listed())

    def _matching(self) -> tuple[DeliveryFile, ...]:
        found = self._listed() if self._known is None else self._known
        return tuple(DeliveryFile(stored, name, self._contract) for name, stored in found)

    def _listed(self) -> tuple[tuple[str, _StoredObject], ...]:
        with self._reached() as (filesystem, pattern):
            filesystem.invalidate_cache()  # of what was there when this process looked before
            found = filesystem.glob(pattern, detail=True)
            base = _fixed_part(filesystem._strip_protocol(pattern))  # noqa: SLF001 -- fsspec has no public name for it
            objects = (_StoredObject(filesystem, path, told) for path, told in sorted(found.items()) if told["type"] == "file")
            named = ((_relative(stored.path, base), stored) for stored in objects)
            return tuple((name, stored) for name, stored in named if not PurePosixPath(name).name.startswith("."))

    @contextmanager
    def _reached(self) -> Iterator[tuple[Any, str]]:
        """Give the file system and the pattern; errors of either quote URLs, requests and answers."""
        source, url = self._contract.source_system, self._contract.path_pattern
        protocol = url.partition("://")[0]
        options = {"endpoint_url": self._contract.endpoint} if self._contract.endpoint else {}
        with silenced(f"{source}: listing {url}"):
            try:
                yield _filesystem(protocol, options, source), url
            except OSError as error:
                raise SourceUnreadable(f"{source}: {url} cannot be listed ({type(error).__name__})") from None

    def _why_none(self) -> str:
        return f"no object matches {self._contract.path_pattern}"


def _filesystem(protocol: str, options: Mapping[str, str], source: str) -> Any:
    """Return the file system of a kind of URL.

    Raises:
        SourceUnreadable: There is none, or its library is not installed.
    """
    try:
        return fsspec.filesystem(protocol, **options)
    except ImportError:
        extra = _EXTRAS.get(protocol)
        install = f"pip install 'custview-pipeline[{extra}]'" if extra else "install the library that fsspec reaches it by"
        raise SourceUnreadable(f"{source}: {protocol}:// needs an extra: {install}") from None
    except ValueError:
        raise SourceUnreadable(f"{source}: no library knows URLs of {protocol}://") from None


def _fixed_part(pattern: str) -> str:
    """Return the folder that every match shares."""
    parts = pattern.split("/")
    fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "/".join(parts[:fixed])


def _relative(path: str, base: str) -> str:
    return path.removeprefix(base).lstrip("/")
