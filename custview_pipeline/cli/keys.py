"""The commands about keys: ``custview keys status``, ``rotate``, ``backup``, ``restore``, ``backups``, ``destroyed``."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from custview_pipeline.adapters.current_project import find_project
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_backup_files import make_backup, read_backup, restore_backup
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import FileKeyProvider, existing_keys, key_directory, refuse_keys_in_lake
from custview_pipeline.adapters.key_providers import EnvironmentKeyProvider, key_provider
from custview_pipeline.adapters.key_status import key_status
from custview_pipeline.adapters.lake_files import is_lake
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.project_keys import open_keyring
from custview_pipeline.cli.entry import ProjectOption, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.key_pages import (
    backups_as_json,
    print_backups,
    print_made,
    print_restored,
    print_status,
    status_as_json,
)
from custview_pipeline.cli.passphrases import passphrase
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.rotation import rotate as rotate_purpose
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import BackupUnusable, LakeError, ProjectInvalid
from custview_pipeline.protection.key_backup import read_label
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT, Purpose

app: Final = typer.Typer(
    no_args_is_help=True,
    help="The keys: see how they stand, rotate them, back them up, restore them.",
    epilog="Example: custview keys status",
)

_ROOT: Final = "root"
_IN_LAKE: Final = frozenset({Purpose.VAULT, Purpose.TOKEN, Purpose.INDEX})  # what is sealed under them is renewed

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        help="File whose first line is the passphrase, readable by you alone; else CUSTVIEW_BACKUP_PASSPHRASE, else it is asked.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command(epilog="Example: custview keys status --json")
def status(project: ProjectOption = None, *, as_json: JsonOption = False) -> None:
    """Print every version of every key with its age, the provider of the root key, and the key backups. No key is shown."""
    with told_errors():
        opened = load_project(find_project(project))
        stands = key_status(opened.name, opened.lake, due_days=settings.key_age_days())
        if as_json:
            results().print(status_as_json(stands), soft_wrap=True, markup=False)
        else:
            print_status(stands)


@app.command(epilog="Example: custview keys rotate vault")
def rotate(
    key: Annotated[str, typer.Argument(metavar="KEY", help="vault, token, index, keytable, log, or root.", show_default=False)],
    project: ProjectOption = None,
) -> None:
    """Replace a key. Runs go on meanwhile; what is killed in between is finished by the same command, or by later runs.

    vault, token, index: a new version is in use from now on, what is stored is made anew, and the former version is destroyed.

    keytable: all shards of the key table are sealed under new keys, then the key that wraps those is replaced.

    log: a new version is in use; former ones stay, to verify older entries of the access log.

    root: every key is wrapped under another root key. A file provider makes it; else set CUSTVIEW_NEXT_ROOT_KEY first.

    The key id never rotates. Make a key backup afterwards: those of before lack the new keys.
    """
    with told_errors(), settings.secrets_withheld():
        opened, keyring = _open_keys(project)
        if key == _ROOT:
            _rotate_root(opened, keyring)
        else:
            _rotate(opened, keyring, _purpose(key))


@app.command(epilog="Example: custview keys backup --output /media/safe/keys-2026-03.cvkb")
def backup(
    project: ProjectOption = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write; a new one for each backup.")],
    passphrase_file: PassphraseFileOption = None,
) -> None:
    """Write a backup of the keys, sealed by a passphrase of at least 12 characters, numbered, to be destroyed after 30 days.

    It holds the root key where that is a file, the wrapped keys, the ledger of erasures and the register of backups. Keep it
    apart from the lake. Until it is destroyed it opens, in an old copy of the lake, what is erased after it was made.
    """
    with told_errors():
        opened = load_project(find_project(project))
        directory = _existing(opened)
        provider = key_provider(directory)
        secret = passphrase(passphrase_file, is_new=True)
        note = make_backup(directory, provider, output.expanduser(), secret, lake=opened.lake)
        print_made(note, str(output), holds_root_key=isinstance(provider, FileKeyProvider))


@app.command(epilog="Example: custview keys restore /media/safe/keys-2026-03.cvkb")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The key backup.", show_default=False)],
    project: ProjectOption = None,
    *,
    passphrase_file: PassphraseFileOption = None,
    although_expired: Annotated[bool, typer.Option("--although-expired", help="Restore a backup that has expired.")] = False,
) -> None:
    """Put the keys of a backup back into the key directory, and add the erasures and backups that it knows of.

    Keys that are there are never replaced: a directory with other keys is refused, and of the same keys those that are there
    stay. Erasures that the restored ledger names and the lake lacks are carried out by the next run.
    """
    with told_errors():
        opened = load_project(find_project(project))
        directory = key_directory(opened.name)
        refuse_keys_in_lake(directory, opened.lake)
        blob = read_backup(file.expanduser())
        expires_at = read_label(blob).expires_at
        if expires_at <= datetime.now(UTC) and not although_expired:
            raise BackupUnusable(
                f"{file}: expired on {expires_at:%Y-%m-%d}, and should have been destroyed: it opens what was erased since. "
                "--although-expired restores it"
            )
        secret = passphrase(passphrase_file, is_new=False)
        restored = restore_backup(directory, key_provider(directory), blob, secret)
        print_restored(restored, str(directory))
        _check_lake(opened)


@app.command(epilog="Example: custview keys backups")
def backups(project: ProjectOption = None, *, as_json: JsonOption = False) -> None:
    """List the key backups that were made: when, until when, and which are recorded as destroyed."""
    with told_errors():
        notes = KeyBackups(key_directory(load_project(find_project(project)).name)).notes()
        if as_json:
            results().print(backups_as_json(notes), soft_wrap=True, markup=False)
        else:
            print_backups(notes)


@app.command(epilog="Example: custview keys destroyed 3 --file /media/safe/keys-2026-03.cvkb")
def destroyed(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the backup.", show_default=False)],
    project: ProjectOption = None,
    *,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The backup itself, to be deleted now.", show_default=False)
    ] = None,
    made: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="When it was made, where two have one number: 2026-03-01T12:30.", show_default=False),
    ] = None,
) -> None:
    """Record that no copy of a key backup exists any more; erasures become final by it.

    Destroy every copy first, on every medium: nothing checks it, and the certificates of erasures rest on it.
    """
    with told_errors():
        register = KeyBackups(key_directory(load_project(find_project(project)).name))
        note = register.find(number, made)
        if file is not None:
            _delete(file.expanduser(), number, note.created_at)
        register.record_destroyed(note)
        deleted = "" if file is None else f"deleted {file}; "
        results().print(f"{escape(deleted)}key backup {number} is recorded as destroyed: no copy of it may be left anywhere")


def _purpose(name: str) -> Purpose:
    try:
        return Purpose(name)
    except ValueError:
        known = ", ".join(purpose for purpose in Purpose if purpose is not Purpose.ID)
        raise ProjectInvalid(f"no key of this name; there are: {known}, {_ROOT}") from None


def _existing(opened: Project) -> Path:
    """Return the key directory; nothing is made where there is none.

    Raises:
        ProjectInvalid: It is inside the lake.
        KeyUnavailable: It holds no keys.
    """
    directory = key_directory(opened.name)
    existing_keys(directory, opened.lake)
    return directory


def _open_keys(project: Path | None) -> tuple[Project, Keyring]:
    opened = load_project(find_project(project))
    _existing(opened)
    return opened, open_keyring(opened.name, opened.lake)


def _rotate(opened: Project, keyring: Keyring, purpose: Purpose) -> None:
    if purpose in _IN_LAKE:
        _rotate_stored(opened, keyring, purpose)
    elif purpose is Purpose.KEYTABLE:
        _rotate_keytable(opened, keyring)
    else:
        version = keyring.renew(purpose)  # id has no versions side by side, which is said there
        results().print(f"{purpose}: version {version} is in use; former ones stay, to verify older entries of the access log")


def _rotate_stored(opened: Project, keyring: Keyring, purpose: Purpose) -> None:
    if not is_lake(opened.lake):
        raise LakeError(f"nothing is stored yet in {opened.lake}: its keys are new, and nothing is sealed under them")
    run_id = _run_id()
    lake = HeldLake(opened, keyring, run_id)
    with LiveProgress() as progress:
        report = rotate_purpose(lake, keyring, opened.contracts, opened.region, purpose, run_id=run_id, progress=progress)
    renewed = f"{report.records:,} records and {report.segments:,} segments of the match index were made anew"
    results().print(f"{purpose}: version {report.to_version} took the place of version {report.from_version}; {renewed}")


def _rotate_keytable(opened: Project, keyring: Keyring) -> None:
    if not is_lake(opened.lake):
        keyring.rotate_keytable()
        results().print("keytable: replaced; nothing is sealed under the keys of the shards yet, and they stay")
        return
    run_id = _run_id()
    with HeldLake(opened, keyring, run_id).writer() as writer:
        with writer.commit(run_id) as commit:
            commit.reseal_keys()
        keyring.rotate_keytable()  # last, so that its version says that all of it is done
    results().print("keytable: replaced, and every shard of the key table is sealed under a new key")


def _rotate_root(opened: Project, keyring: Keyring) -> None:
    keyring.rotate_root()
    provider = key_provider(key_directory(opened.name))
    results().print(f"every key is wrapped under another root key: {escape(provider.describe())}", soft_wrap=True)
    if isinstance(provider, EnvironmentKeyProvider):
        results().print(
            f"now move the value of {settings.NEXT_ROOT_KEY} to {settings.ROOT_KEY}, and unset the former", soft_wrap=True
        )
    results().print(
        "key backups and copies of the key directory made before hold the former root key and open with it: make a new backup, "
        "then destroy them",
        soft_wrap=True,
    )


def _check_lake(opened: Project) -> None:
    """Open the lake with the keys that are there now, and say how they fit."""
    keyring = open_keyring(opened.name, opened.lake)
    if not is_lake(opened.lake):
        return
    floors, shard_keys = DeltaLake(opened.lake, keyring).snapshot().shard_floors(), keyring.shard_keys()
    newer = sum(shard_keys.newest(shard)[0] < floor for shard, floor in floors.items())
    results().print(f"the lake {escape(str(opened.lake))} was made under these keys", soft_wrap=True)
    if newer:
        results().print(
            f"[yellow]warning[/] the lake is newer than the backup: in {newer} of {SHARD_COUNT} shards of its key table the keys "
            "were renewed since. Restore a newer key backup, or the lake as it was when this one was made",
            soft_wrap=True,
        )


def _delete(file: Path, number: int, created_at: datetime) -> None:
    """Delete the file of a backup.

    Raises:
        BackupUnusable: It is another backup, or none, or cannot be deleted.
    """
    label = read_label(read_backup(file))
    if (label.number, label.created_at) != (number, created_at):
        raise BackupUnusable(
            f"{file}: key backup {label.number} of {label.created_at:%Y-%m-%d %H:%M:%S} UTC, not {number} of "
            f"{created_at:%Y-%m-%d %H:%M:%S} UTC; nothing was deleted"
        )
    try:
        file.unlink()
    except OSError as error:
        raise BackupUnusable(f"{file}: cannot be deleted ({error.strerror})") from None


def _run_id() -> str:
    return f"keys-{secrets.token_hex(8)}"
