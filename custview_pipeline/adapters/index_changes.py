"""What a commit does to the match index: segments that come, are written anew, are merged; generations that come and go."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from custview_pipeline.adapters import index_segments
from custview_pipeline.adapters.lake_files import INDEX
from custview_pipeline.adapters.merging import MERGED_BYTES, tail
from custview_pipeline.contracts.manifest import IndexGeneration, Manifest
from custview_pipeline.kernel.errors import LakeDamaged
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

Change = Callable[[pl.DataFrame], pl.DataFrame]


class IndexChanges:
    """The match index as a commit will leave it.

    Attributes:
        in_use, following: The generation that matching uses, and the one that is being built.
        replaced: Segments whose rows, as far as they count, are in others now; readers may still be at them.
        has_forgotten: Whether rows or keys are about to go for good, and with them every retired segment.
    """

    def __init__(self, root: Path, keyring: Keyring, manifest: Manifest, sequence: int) -> None:
        self._folder, self._keyring, self._sequence = root / INDEX, keyring, sequence
        self.in_use, self.following = manifest.index, manifest.next_index
        self.replaced: list[str] = []
        self.has_forgotten = False

    def add(self, part: str, frame: pl.DataFrame, generation: str) -> None:
        """Store rows of one part of a generation.

        Raises:
            ContractViolation: The columns are not those of this part.
            LakeDamaged: The lake has no such generation.
            LakeError: It cannot be written.
        """
        if self.in_use is None:
            self.in_use = IndexGeneration(name=generation)
        if all(held is None or held.name != generation for held in (self.in_use, self.following)):
            raise LakeDamaged("rows of a generation of the match index that the lake does not have")
        for name in self._written(part, frame):
            self.in_use, self.following = (
                held if held is None or held.name != generation else _with(held, part, (*held.segments.get(part, ()), name))
                for held in (self.in_use, self.following)
            )

    def begin(self, generation: str) -> None:
        """Begin a generation beside the one in use; one that was not finished is dropped."""
        self.following = IndexGeneration(name=generation)

    def drop_following(self) -> None:
        """Give up the generation that is being built."""
        self.following = None

    def switch(self) -> None:
        """Use the generation that was built from now on, and drop the former one.

        Raises:
            LakeDamaged: None was begun.
        """
        if self.following is None:
            raise LakeDamaged("there is no other generation of the match index to switch to")
        self.in_use, self.following, self.has_forgotten = self.following, None, True

    def rewrite(self, part: str, keep: Change) -> None:
        """Pass each segment of one part, in all generations, through ``keep``; one that loses rows is written anew.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        self.has_forgotten = True

        def rewritten(name: str) -> tuple[str, ...]:
            stored = self._read(part, [name])
            kept = keep(stored)
            return (name,) if kept.height == stored.height else self._written(part, kept)

        self.in_use, self.following = (_mapped(held, part, rewritten) for held in (self.in_use, self.following))

    def reencrypt(self, limit: int) -> int:
        """Write segments that are under a former version of the index key anew; return how many are left.

        Args:
            limit: How many at most.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        current, _ = self._keyring.current(Purpose.INDEX)
        self.has_forgotten, left = True, limit

        def reencrypted(part: str, name: str) -> tuple[str, ...]:
            nonlocal left
            if index_segments.key_version_of(name) == current or left <= 0:
                return (name,)
            left -= 1
            return self._written(part, self._read(part, [name]))

        for part in sorted({part for held in self._generations() for part in held.segments}):
            reencrypt = partial(reencrypted, part)
            self.in_use, self.following = (_mapped(held, part, reencrypt) for held in (self.in_use, self.following))
        names = (name for held in self._generations() for name in held.names())
        return sum(index_segments.key_version_of(name) != current for name in names)

    def compact(self, part: str, change: Change, *, is_whole: bool) -> int:
        """Merge segments of one part of the generation in use; return how many segments went into others.

        Args:
            part: An ``IndexPart``.
            change: Makes of rows of several segments, oldest first, those that are stored in their place.
            is_whole: Whether every segment is written anew, or only small ones where there are several.

        Raises:
            LakeDamaged, WrongKey, LakeError: A segment cannot be read, or not be written.
        """
        names = self.in_use.segments.get(part, ()) if self.in_use else ()
        kept = 0 if is_whole else tail([self._size(name) for name in names])
        if self.in_use is None or kept == len(names):
            return 0
        made = tuple(new for portion in self._portions(part, names[kept:]) for new in self._written(part, change(portion)))
        self.in_use = _with(self.in_use, part, (*names[:kept], *made))
        self.replaced.extend(names[kept:])
        return len(names) - kept

    def _portions(self, part: str, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the rows of segments in portions of several segments, so that not all of them are in memory at once."""
        held: list[str] = []
        for name in names:
            held.append(name)
            if sum(self._size(each) for each in held) >= MERGED_BYTES:
                yield self._read(part, held)
                held = []
        if held:
            yield self._read(part, held)

    def _size(self, name: str) -> int:
        return (self._folder / name).stat().st_size

    def _generations(self) -> tuple[IndexGeneration, ...]:
        return tuple(held for held in (self.in_use, self.following) if held is not None)

    def _read(self, part: str, names: Sequence[str]) -> pl.DataFrame:
        return index_segments.read_segments(self._folder, part, names, self._keyring)

    def _written(self, part: str, frame: pl.DataFrame) -> tuple[str, ...]:
        if frame.is_empty():
            return ()
        return (index_segments.write_segment(self._folder, part, frame, self._keyring, sequence=self._sequence),)


def _with(generation: IndexGeneration, part: str, names: tuple[str, ...]) -> IndexGeneration:
    return generation.model_copy(update={"segments": {**generation.segments, part: names}})


def _mapped(generation: IndexGeneration | None, part: str, change: Callable[[str], tuple[str, ...]]) -> IndexGeneration | None:
    """Return a generation with each segment of a part replaced by what ``change`` makes of it."""
    if generation is None or part not in generation.segments:
        return generation
    return _with(generation, part, tuple(made for name in generation.segments[part] for made in change(name)))
