"""A connection to the database of a source: opened to read only, on one state of it where it can be; no error of it is quoted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from custview_pipeline.adapters.credentials import secret_of
from custview_pipeline.contracts.source_server import DatabaseTable
from custview_pipeline.kernel.errors import SourceUnreadable

_CONNECT_SECONDS: Final = 15
# One state for a whole transaction, without keeping anybody from writing meanwhile; others read on as they are by default.
# PostgreSQL, section 13.2.2; MySQL, "Consistent Nonlocking Reads"; Oracle, "Data Concurrency and Consistency"; SQL Server,
# "Snapshot Isolation", which its administrator has to allow.
_ISOLATION: Final = {
    "postgresql": "REPEATABLE READ",
    "mysql": "REPEATABLE READ",
    "mariadb": "REPEATABLE READ",
    "oracle": "SERIALIZABLE",
    "mssql": "SNAPSHOT",
}
# Classes and codes of SQLSTATE (ISO 9075; appendix A of PostgreSQL's manual).
_STATES: Final = {
    "28": "user or password are refused",
    "3D": "there is no such database",
    "42501": "the user may not read it",
    "08": "the connection was lost",
    "57": "the connection was lost: the database ended it",
    "55P03": "somebody holds it locked",
    "22021": "it holds text that is not in the encoding of the database",
}
# What libpq, which tells of no code before it is connected, begins to say; in other languages than English it is told whole.
_WORDS: Final = {
    "password": "user or password are refused",
    "authentication": "user or password are refused",
    'role "': "user or password are refused",
    'database "': "there is no such database",
    "pg_hba": "the database lets this user or machine not in",
    "No such file": "it cannot be reached",
    "refused": "it cannot be reached",
    "translate host name": "it cannot be reached",
    "unreachable": "it cannot be reached",
    "timeout": "it cannot be reached",
}


class Unreadable:
    """Makes the errors of one table: one line, with the names of source and table, and a reason in words of ours.

    Args:
        source_system: The source.
        table: Its table.
    """

    def __init__(self, source_system: str, table: DatabaseTable) -> None:
        self._place = f"{source_system}: {table.shown}"

    def __call__(self, what: str) -> SourceUnreadable:
        """Return the error."""
        return SourceUnreadable(f"{self._place}: {what}")

    @contextmanager
    def instead(self, doing: str) -> Iterator[None]:
        """Raise ``SourceUnreadable`` where a driver fails; what drivers say quotes queries, rows and URLs.

        Args:
            doing: What cannot be done, for the message.
        """
        try:
            yield
        except (SQLAlchemyError, UnicodeError, OSError, ValueError, TypeError) as error:
            raise self(f"{doing} ({_reason(error)})") from None
        except Exception as error:
            if not _is_of_driver(type(error)):
                raise
            raise self(f"{doing} ({_reason(error)})") from None


@contextmanager
def connected(source_system: str, table: DatabaseTable) -> Iterator[Connection]:
    """Give a connection in a transaction that only reads; it ends without leaving anything.

    Raises:
        SourceUnreadable: The database cannot be reached, or lets this user not in.
    """
    unreadable = Unreadable(source_system, table)
    url = database_url(source_system, table)
    with unreadable.instead("the database cannot be opened"):
        try:
            engine = sqlalchemy.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_connect_arguments(url))
        except ImportError:
            raise unreadable(f"the package of the driver {url.drivername} is not installed") from None
        connection = engine.connect()
    try:
        with unreadable.instead("the database cannot be read"):
            _begin(connection)
        yield connection
    except BaseException:
        connection.invalidate()  # of one that may be broken nothing more is asked: its answer would be logged
        raise
    finally:
        connection.close()


def database_url(source_system: str, table: DatabaseTable) -> URL:
    """Return the URL, with the secret in it: it is for drivers only.

    Raises:
        SourceUnreadable: The secret cannot be had, or is no URL where one is meant, or no library knows the database.
    """
    secret = secret_of(source_system, table.credentials) if table.credentials else None
    unreadable = Unreadable(source_system, table)
    try:
        if table.driver is None:
            url = sqlalchemy.make_url(secret or "")
            if url.drivername in {"postgres", "postgresql"}:
                url = url.set(drivername="postgresql+psycopg2")  # the driver that is installed with this package
        else:
            url = URL.create(table.driver, table.user, secret, table.host, table.port, table.database)
        url.get_dialect()
    except NoSuchModuleError:
        raise unreadable("SQLAlchemy knows no such database or driver; install the package that brings it") from None
    except (ArgumentError, ValueError):
        raise unreadable(
            "its credentials are no URL as SQLAlchemy reads them, such as mysql+pymysql://user:password@host/name"
        ) from None
    return url


def _connect_arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    return {"connect_timeout": _CONNECT_SECONDS, "application_name": "custview", "client_encoding": "utf8"}


def _begin(connection: Connection) -> None:
    name = connection.dialect.name
    if name == "postgresql":
        connection.execution_options(postgresql_readonly=True)
    if name in _ISOLATION:
        connection.execution_options(isolation_level=_ISOLATION[name])
    if name == "sqlite":
        connection.exec_driver_sql("BEGIN")  # its driver begins a transaction only where something is written
    else:
        connection.begin()


def _is_of_driver(kind: type[Exception]) -> bool:
    """Tell whether an error comes from a library of databases: PEP 249 names the two classes that theirs are made of."""
    return any(base.__name__ in {"DatabaseError", "InterfaceError", "ArrowException"} for base in kind.__mro__)


def _reason(error: Exception) -> str:
    """Return why a database failed, in words of ours: by its code, else by words that libraries use, else by the error's type."""
    original = getattr(error, "orig", None) or error
    state = str(getattr(original, "pgcode", None) or getattr(original, "sqlstate", None) or "")
    if (known := next((words for begin, words in _STATES.items() if begin and state.startswith(begin)), None)) is not None:
        return known
    said = str(original)
    if getattr(error, "connection_invalidated", False) or "closed the connection" in said:
        return "the connection was lost"
    if (known := next((words for begin, words in _WORDS.items() if begin in said), None)) is not None:
        return known
    return type(original).__name__ + (f", SQLSTATE {state}" if state.isalnum() else "")
