"""The certificate of an erasure: what was searched and found, and from when on no backup of the keys can undo it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import polars as pl

from custview_pipeline.contracts.erasure import CarriedOut, Erasure, LedgerLine
from custview_pipeline.contracts.intake_tables import QUARANTINED_RECORDS
from custview_pipeline.contracts.key_backups import BackupNote, outstanding
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_crosswalk
from custview_pipeline.flows.erase import PACKAGE
from custview_pipeline.flows.erasure_copies import SearchedCopy, search_copy
from custview_pipeline.flows.erasure_scope import Marks
from custview_pipeline.flows.erasure_search import LakeFiles, Place, Wanted, id_key_of, search_files, search_tables, with_returned
from custview_pipeline.flows.quarantine import RETENTION
from custview_pipeline.kernel.errors import UnknownErasure
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.suppression import customer_marks
from custview_pipeline.standardisation.standardise import rule_set_version


@dataclass(frozen=True, slots=True)
class Finality:
    """Whether the erasure can still be undone by whoever has a backup of the keys and a copy of the lake, both of before.

    Attributes:
        backups: Backups made before the keys were destroyed, and not recorded as destroyed.
        final_at: When the last of them expires, and is to be destroyed; None where nothing is open, or the last has expired and
            nobody recorded that it was destroyed.
    """

    backups: tuple[BackupNote, ...]
    final_at: datetime | None

    @property
    def is_final(self) -> bool:
        """Return whether no such backup is left."""
        return not self.backups


@dataclass(frozen=True, slots=True)
class Keyless:
    """Refused rows in quarantine that have no key: nobody can tell whose they are.

    Attributes:
        row_count: How many.
        kept_until: When the youngest of them is shredded at the latest; None where there is none.
    """

    row_count: int
    kept_until: datetime | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an erasure came to.

    Attributes:
        erasure: What was asked for.
        carried_out: When it was done; None where the ledger does not say so.
        is_carried_out: Whether the lake says that it was done.
        places: What was searched, and found.
        copies: The copies of the lake that were tried.
        continuing_count: Records that the customer goes on with, for they became its own after the request.
        finality: Whether it can still be undone.
        keyless: Refused rows of which nobody can tell whose they are.
        searched_at: When, UTC.
        package_version, rule_sets: What searched.
    """

    erasure: Erasure
    carried_out: CarriedOut | None
    is_carried_out: bool
    places: tuple[Place, ...]
    copies: tuple[SearchedCopy, ...]
    continuing_count: int
    finality: Finality
    keyless: Keyless
    searched_at: datetime
    package_version: str
    rule_sets: str

    @property
    def found_count(self) -> int:
        """Return how many rows of what was erased were found."""
        return sum(place.found_count for place in self.places)

    @property
    def returned_count(self) -> int:
        """Return how many rows there are of records that came back after the erasure."""
        return sum(place.returned_count for place in self.places)

    @property
    def unreadable_count(self) -> int:
        """Return how many files could not be searched, those of copies too."""
        return sum(place.unreadable_count for place in self.places) + sum(copy.unreadable_count for copy in self.copies)

    @property
    def opened_count(self) -> int:
        """Return how many sealed rows of copies could be opened."""
        return sum(copy.opened_count for copy in self.copies)

    @property
    def is_proven(self) -> bool:
        """Return whether it was carried out on the whole customer, all could be searched, and nothing was found or opened."""
        left = self.found_count or self.unreadable_count or self.opened_count or self.continuing_count
        return self.is_carried_out and not left


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is to search.

    Attributes:
        snapshot: The lake as it holds now.
        files: Its files.
        copies: Copies of it by their names.
        keyring: The keys of now.
        contracts: The source contracts, which say whose records may come back; without them, none may.
    """

    snapshot: Snapshot
    files: LakeFiles
    copies: Mapping[str, LakeFiles]
    keyring: Keyring
    contracts: Sequence[SourceContract] = ()


def certify(
    erasure_id: str, holdings: Holdings, lines: Sequence[LedgerLine], backups: Sequence[BackupNote], *, now: datetime
) -> Certificate:
    """Search for what was erased and say what came of it.

    Args:
        erasure_id: The erasure.
        holdings: What there is to search.
        lines: The ledger of erasures.
        backups: Every backup of the keys that the register knows.
        now: The moment, UTC.

    Raises:
        UnknownErasure: The ledger has none of this id.
        CustviewError: The lake or the keys cannot be read.
    """
    erasure = find_erasure(lines, erasure_id)
    noted = [line for line in lines if isinstance(line, CarriedOut) and line.erasure_id == erasure_id]
    carried_out = noted[-1] if noted else None
    with silenced("searching for what was erased"):
        listed = current_crosswalk(holdings.snapshot)
        wanted = _wanted(erasure, carried_out, holdings, listed)
        files = search_files(wanted, holdings.files, holdings.keyring)
        copies = (search_copy(wanted, name, copy, holdings.keyring) for name, copy in holdings.copies.items())
        return Certificate(
            erasure=erasure,
            carried_out=carried_out,
            is_carried_out=erasure_id in holdings.snapshot.erasures(),
            places=(*search_tables(wanted, holdings.snapshot), *files),
            copies=tuple(copies),
            continuing_count=_continuing_count(wanted, listed),
            finality=_finality(backups, carried_out, now),
            keyless=_keyless(holdings.snapshot),
            searched_at=now,
            package_version=version(PACKAGE),
            rule_sets=rule_set_version(),
        )


def find_erasure(lines: Sequence[LedgerLine], erasure_id: str) -> Erasure:
    """Return what was asked for under an id.

    Raises:
        UnknownErasure: The ledger has none of this id.
    """
    found = [line for line in lines if isinstance(line, Erasure) and line.erasure_id == erasure_id]
    if not found:
        raise UnknownErasure("the ledger has no erasure of this id: custview erase --list names them")
    return found[0]


def _wanted(erasure: Erasure, carried_out: CarriedOut | None, holdings: Holdings, listed: pl.DataFrame) -> Wanted:
    records = pl.Series("mark", erasure.record_marks, pl.Int64)
    customers = pl.Series("mark", erasure.customer_marks, pl.Int64)
    wanted = Wanted(id_key_of(holdings.keyring), Marks(records, customers))
    of_others = ~pl.col("record_id").is_in(wanted.records(listed["record_id"]).implode())
    alive = listed.filter(of_others)["cuid"].unique()
    erased_at = None if carried_out is None else carried_out.carried_out_at
    reporting = {contract.source_system for contract in holdings.contracts if not contract.refuses_erased}
    return with_returned(wanted._replace(alive=alive), holdings.files, reporting, erased_at)


def _continuing_count(wanted: Wanted, listed: pl.DataFrame) -> int:
    """Return how many records that the ledger does not name are of a customer that was to be erased as a whole."""
    of_erased = customer_marks(wanted.id_key, listed["cuid"]).is_in(wanted.marks.customers.implode())
    theirs = listed.filter(of_erased)["record_id"]
    return len(theirs) - len(wanted.records(theirs))


def _finality(backups: Sequence[BackupNote], carried_out: CarriedOut | None, now: datetime) -> Finality:
    before = None if carried_out is None else carried_out.carried_out_at
    threats = outstanding(backups, before)
    last = max((note.expires_at for note in threats), default=None)
    return Finality(threats, last if last is not None and last > now else None)


def _keyless(snapshot: Snapshot) -> Keyless:
    stored = snapshot.read(QUARANTINED_RECORDS.name, ["record_id", "quarantined_at"])
    moments = stored.filter(pl.col("record_id").is_null())["quarantined_at"]
    latest = moments.max()
    return Keyless(len(moments), latest + RETENTION if isinstance(latest, datetime) else None)
