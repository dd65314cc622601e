"""Where a source is kept, as its contract says it: files, a table of a database, or rows that a program gives."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where a secret is; a contract never holds one.

    Attributes:
        kind: env: an environment variable; file: a file that only its owner can read.
        name: Of the variable, or the absolute path of the file.
    """

    kind: Literal["env", "file"]
    name: str


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """A table or view of a database.

    Attributes:
        table: Its name, as the database has it.
        schema: The schema that it is in; None for the one that the database looks in by default.
        driver: What SQLAlchemy calls dialect and driver (postgresql+psycopg2); None where the credentials hold a whole URL.
        user: Whom to log in as.
        credentials: Where the password is, or the URL; None where none is needed.
    """

    table: str
    schema: str | None = None
    driver: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    user: str | None = None
    credentials: Credentials | None = None

    @property
    def shown(self) -> str:
        """Return the table's name as errors and batches show it."""
        return f"{self.schema}.{self.table}" if self.schema else self.table


@dataclass(frozen=True, slots=True)
class RowsOfProgram:
    """Rows that a callable of an installed package yields.

    Attributes:
        entry_point: Its name in the entry point group ``custview_pipeline.sources``.
    """

    entry_point: str
