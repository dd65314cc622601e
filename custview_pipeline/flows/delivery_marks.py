"""Marks by which a delivery is recognised when its files come again: what they hold, how they are read, what columns mean."""

import hashlib
from dataclasses import replace
from typing import Final, NamedTuple

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.survey import Delivered
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.record_identity import keyed_fingerprint
from custview_pipeline.standardisation.standardise import rule_set_version

STAGE: Final = "delivery"


class Marks(NamedTuple):
    """What a delivery is recognised by.

    Attributes:
        stage: What the lake calls the intake of the source.
        fingerprint: Of the files, plain; it stays in memory.
        keyed: The same under a key.
        reading: How they are read and judged.
        columns: What their columns mean.
        keys: What changes where records may not open any more.
        before: The mark of the last delivery; None where this is the first.
    """

    stage: str
    fingerprint: str
    keyed: str
    reading: str
    columns: str
    keys: str
    before: str | None

    @property
    def mark(self) -> str:
        """Return what the lake keeps, where the delivery is stored."""
        return f"{self.keyed} {self.reading} {self.keys} {self.columns}"

    @property
    def is_as_before(self) -> bool:
        """Return whether the same files were taken in by the same contract and rules."""
        parts = (self.before or "").split(" ")
        return (*parts[:2], parts[-1]) == (self.keyed, self.reading, self.columns)

    @property
    def are_keys_as_before(self) -> bool:
        """Return whether nothing that was stored may have been forgotten since."""
        return f" {self.keys} " in (self.before or "")

    @property
    def is_redone(self) -> bool:
        """Return whether rows with the same content say something else than before."""
        return self.before is not None and not self.before.endswith(self.columns)


def is_understood_alike(snapshot: Snapshot, contract: SourceContract, region: str) -> bool:
    """Return whether what is stored of a source was understood as it is now, and nothing of it may have been forgotten since.

    Otherwise rows that did not change are worked on again, so all of them must be read.

    Args:
        snapshot: The lake.
        contract: The source's contract.
        region: Default country of the project.
    """
    before = snapshot.consumed(_stage(contract)) or ""
    return before.split(" ")[-2:] == [snapshot.key_mark(), _columns_mark(contract, region)]


def marks_of(delivered: Delivered, id_key: bytes, snapshot: Snapshot) -> Marks:
    """Return the marks of what a source holds now.

    Args:
        delivered: The delivery.
        id_key: The purpose key ``id``.
        snapshot: The lake.

    Raises:
        SourceUnreadable: There is nothing to read.
    """
    contract, source, region = delivered
    stage, fingerprint = _stage(contract), source.fingerprint()
    return Marks(
        stage=stage,
        fingerprint=fingerprint,
        keyed=keyed_fingerprint(id_key, fingerprint),
        reading=_reading_mark(contract),
        columns=_columns_mark(contract, region),
        keys=snapshot.key_mark(),
        before=snapshot.consumed(stage),
    )


def _stage(contract: SourceContract) -> str:
    return f"{STAGE}/{contract.source_system}"


def _columns_mark(contract: SourceContract, region: str) -> str:
    """Return what changes when rows with the same content say something else.

    Of the contract only the columns are taken, and of these not what they say to people: whom a source belongs to or how far
    it is trusted makes no record another one. Nor do other rules of standardisation or another token key: what these change of
    a record is made from the vault.
    """
    columns = [replace(column, description=None, is_critical=False) for column in contract.columns]
    content = f"{columns!r} {region}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _reading_mark(contract: SourceContract) -> str:
    """Return what changes when the same files would be read in another way, or the delivery be judged by other rules."""
    form = (contract.file_format, contract.encoding, contract.delimiter, contract.extract)
    content = f"{form!r} {contract.quality!r} {contract.max_refused_share} {contract.refuses_erased} {rule_set_version()}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]
