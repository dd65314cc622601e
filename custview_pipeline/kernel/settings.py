"""Every environment variable that the package reads, in one place."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from custview_pipeline.kernel.errors import ProjectInvalid

PROJECT: Final = "CUSTVIEW_PROJECT"
KEYS: Final = "CUSTVIEW_KEYS"
KEY_PROVIDER: Final = "CUSTVIEW_KEY_PROVIDER"
ROOT_KEY: Final = "CUSTVIEW_ROOT_KEY"
NEXT_ROOT_KEY: Final = "CUSTVIEW_NEXT_ROOT_KEY"
KEY_AGE_DAYS: Final = "CUSTVIEW_KEY_AGE_DAYS"
BACKUP_PASSPHRASE: Final = "CUSTVIEW_BACKUP_PASSPHRASE"  # noqa: S105 -- a name, no secret
POSTGRES_URL: Final = "CUSTVIEW_POSTGRES_URL"
WORKERS: Final = "CUSTVIEW_WORKERS"
ROWS_FOR_WORKERS: Final = "CUSTVIEW_ROWS_FOR_WORKERS"
ALERT_EMAIL: Final = "CUSTVIEW_ALERT_EMAIL"
SMTP_URL: Final = "CUSTVIEW_SMTP_URL"
ALERT_WEBHOOK: Final = "CUSTVIEW_ALERT_WEBHOOK"

DESCRIPTIONS: Final[dict[str, str]] = {
    PROJECT: "Project directory, where --project is not given.",
    KEYS: "Directory of the keys, instead of the user's configuration directory.",
    KEY_PROVIDER: "Where the root key comes from: file (default), environment, or the name of an installed provider.",
    ROOT_KEY: "The root key itself, 32 bytes as base64, for the provider environment.",
    NEXT_ROOT_KEY: "The root key to rotate to, while custview keys rotate root is on its way.",
    KEY_AGE_DAYS: "Age from which on custview keys status calls a key due for rotation; 365 by default.",
    BACKUP_PASSPHRASE: "The passphrase of a key backup, where nobody can be asked for it.",
    POSTGRES_URL: (
        "postgresql+psycopg2://... of the database that keeps Dagster's runs, and the lock of who writes the lake; SQLite and "
        "a file where unset."
    ),
    WORKERS: "Processes of the airlock; by default one a core, at most 8.",
    ROWS_FOR_WORKERS: "New and changed rows of a delivery from which on they are started; 100,000 by default.",
    ALERT_EMAIL: "Addresses that hear of failed runs, separated by commas; needs CUSTVIEW_SMTP_URL.",
    SMTP_URL: "smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 of the server that sends them.",
    ALERT_WEBHOOK: "https://... that hears of failed runs as JSON, POSTed.",
}


_SECRETS: Final = (ROOT_KEY, NEXT_ROOT_KEY, BACKUP_PASSPHRASE, POSTGRES_URL, SMTP_URL, ALERT_WEBHOOK)
_withheld: dict[str, str] = {}


def read(variable: str) -> str | None:
    """Return the value of one of this module's variables; None where it is unset or empty."""
    return os.environ.get(variable) or _withheld.get(variable) or None


@contextmanager
def secrets_withheld() -> Iterator[None]:
    """Keep the root key and the passwords of services out of processes that are started meanwhile; ``read`` still knows them."""
    taken = {variable: os.environ.pop(variable) for variable in _SECRETS if variable in os.environ}
    _withheld.update(taken)
    try:
        yield
    finally:
        os.environ.update(taken)
        for variable in taken:
            del _withheld[variable]


def project_directory() -> Path | None:
    """Return the directory named by CUSTVIEW_PROJECT."""
    value = read(PROJECT)
    return Path(value) if value else None


def worker_count() -> int:
    """Return how many airlock processes to use.

    Raises:
        ProjectInvalid: CUSTVIEW_WORKERS is not a whole number of at least 1.
    """
    return _count(WORKERS, min(8, os.cpu_count() or 1))


def rows_for_workers() -> int:
    """Return how many rows a delivery must bring before processes are started for it.

    Starting one takes two CPU seconds, as long as standardising and sealing 25,000 rows.

    Raises:
        ProjectInvalid: CUSTVIEW_ROWS_FOR_WORKERS is not a whole number of at least 1.
    """
    return _count(ROWS_FOR_WORKERS, 100_000)


def key_age_days() -> int:
    """Return the age in days from which on a key is due for rotation.

    A year is what NIST SP 800-57 part 1, section 5.3.6, suggests for a symmetric master key.

    Raises:
        ProjectInvalid: CUSTVIEW_KEY_AGE_DAYS is not a whole number of at least 1.
    """
    return _count(KEY_AGE_DAYS, 365)


def _count(name: str, default: int) -> int:
    value = read(name)
    if value is None:
        return default
    if not value.isdecimal() or int(value) < 1:
        raise ProjectInvalid(f"{name} must be a whole number of at least 1")
    return int(value)


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Make processes that are started meanwhile use one thread each in polars: they share the cores among them."""
    variable = "POLARS_MAX_THREADS"
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def child_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process with some variables more, for one that it starts."""
    return {**os.environ, **added}
