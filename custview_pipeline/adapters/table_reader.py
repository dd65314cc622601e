"""What readers of tables have in common: which columns a contract wants, and the complaint where a table has them not."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import polars as pl

from custview_pipeline.adapters.database_session import Unreadable
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.kernel.errors import SourceUnreadable

ROWS_AT_A_TIME: Final = 25_000


class Wanted(NamedTuple):
    """What is read of a table.

    Attributes:
        columns: Headers, in the contract's order.
        key: The header of the record's key.
        changed: The header of what tells when a record last changed; None where there is none, or several.
        since: Only rows that changed then or later are read, and those that do not tell; None for all. UTC.
        contract_file: The contract, as errors show it.
    """

    columns: tuple[str, ...]
    key: str
    changed: str | None
    since: datetime | None
    contract_file: str


class TableReader(Protocol):
    """A table within a transaction."""

    def fingerprint(self) -> str:
        """Return what changes with the rows."""
        ...

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the wanted columns as text, always in the same order of rows."""
        ...


def wanted_of(contract: SourceContract, since: datetime | None) -> Wanted:
    """Return what a contract wants of a table."""
    changed = [column.name for column in contract.carrying("updated_at")]
    columns = tuple(dict.fromkeys(column.name for column in contract.columns))
    file = Path(contract.file).name or "the contract"
    return Wanted(columns, contract.key_column.name, changed[0] if len(changed) == 1 else None, since, file)


def absent_table(unreadable: Unreadable, table: str, known: Iterable[str]) -> SourceUnreadable:
    """Return the error that says that there is no such table."""
    return unreadable(f"there is no such table that the user may see{suggest(table, known)}")


def check_columns(unreadable: Unreadable, wanted: Wanted, found: Mapping[str, str]) -> None:
    """Check that a table has every column, as text, number, date or moment.

    Args:
        unreadable: Makes the error.
        wanted: What is read.
        found: What each column of the table holds that cannot be read; empty where it can.

    Raises:
        SourceUnreadable: One is missing, or holds bytes or durations; or the changes are to be told by one that is no moment.
    """
    for name in wanted.columns:
        if name not in found:
            raise unreadable(f"there is no column {name!r}, which {wanted.contract_file} describes{suggest(name, found)}")
        if found[name]:
            raise unreadable(f"{name!r} holds {found[name]}; the contract's columns are text, numbers and dates")


def refuse_since(unreadable: Unreadable, wanted: Wanted, *, is_moment: bool) -> None:
    """Refuse to pick changes by a column whose values do not come one after the other as moments do.

    Raises:
        SourceUnreadable: The column is no date and no timestamp.
    """
    if wanted.since is not None and not is_moment:
        raise unreadable(f"{wanted.changed!r} is no timestamp, so changes cannot be picked by it: let extract be snapshot")
