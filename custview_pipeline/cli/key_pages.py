"""Pages about keys: how they stand, which backups there are, what a rotation or a restore did."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from custview_pipeline.adapters.key_backup_files import Restored
from custview_pipeline.adapters.key_status import KeyLine, KeyStatus
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.kernel import settings


def print_status(status: KeyStatus) -> None:
    """Print how the keys stand."""
    console = results()
    console.print(f"keys in {escape(str(status.directory))}, root key: {escape(status.provider)}", soft_wrap=True)
    if not status.is_root_settled:
        console.print(
            "[yellow]warning[/] a rotation of the root key is on its way: custview keys rotate root, where it was not run yet; "
            f"else move the value of {settings.NEXT_ROOT_KEY} to {settings.ROOT_KEY}, and unset the former",
            soft_wrap=True,
        )
    if status.is_beside_lake:
        console.print(
            f"[yellow]warning[/] the keys are beside the lake: whoever copies the volume has both. "
            f"Point {settings.KEYS} elsewhere; for a demo it does no harm.",
            soft_wrap=True,
        )
    console.print()
    console.print(_key_table(status.lines))
    console.print()
    console.print(f"due for rotation after {status.due_days:,} days: {settings.KEY_AGE_DAYS} sets another number")
    console.print(_shards(status))
    _print_backup_lines(status)


def print_backups(notes: Iterable[BackupNote]) -> None:
    """Print the register of key backups."""
    console, now, noted = results(), datetime.now(UTC), tuple(notes)
    if not noted:
        console.print("no key backup was made yet: custview keys backup -o FILE makes one")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("backup", "made", "expires", "state"):
        table.add_column(column, no_wrap=True, justify="right" if column == "backup" else "left")
    for note in noted:
        table.add_row(str(note.number), _moment(note.created_at), _day(note.expires_at), _state_of(note, now))
    console.print(table)


def print_made(note: BackupNote, path: str, *, holds_root_key: bool) -> None:
    """Print what a backup that was just made holds, and how to keep it."""
    console = results()
    console.print(f"wrote key backup {note.number} to {escape(path)}; it expires on {_day(note.expires_at)}", soft_wrap=True)
    if not holds_root_key:
        console.print("it holds the wrapped keys without the root key: that is with its provider, and must be kept there")
    console.print(
        "keep it apart from the lake and from its passphrase. Until it is destroyed it opens what is erased from now on: "
        f"custview keys destroyed {note.number} records that it was",
        soft_wrap=True,
    )


def print_restored(restored: Restored, directory: str) -> None:
    """Print what a restored backup brought, and what to do next."""
    console = results()
    keys = "restored the keys in" if restored.is_keyring else "the keys were there already and were kept:"
    console.print(f"{keys} {escape(directory)}", soft_wrap=True)
    if restored.ledger_lines:
        console.print(f"{restored.ledger_lines:,} new lines in the ledger of erasures: custview erase --replay carries them out")


def status_as_json(status: KeyStatus) -> str:
    """Return how the keys stand, for scripts."""
    lines = [
        {
            "purpose": line.purpose,
            "version": line.version,
            "state": line.state,
            "created_at": line.created_at.isoformat(timespec="seconds"),
            "age_days": line.age_days,
            "is_due": line.is_due,
            "remark": line.remark,
        }
        for line in status.lines
    ]
    facts = {
        "directory": str(status.directory),
        "provider": status.provider,
        "is_root_settled": status.is_root_settled,
        "is_beside_lake": status.is_beside_lake,
        "due_days": status.due_days,
        "keys": lines,
        "shards": {"count": status.shard_count, "unfinished": status.unfinished_shards},
        "is_backed_up": status.is_backed_up,
    }
    return json.dumps(facts | {"backups": _as_facts(status.backups)}, indent=1)


def backups_as_json(notes: Iterable[BackupNote]) -> str:
    """Return the register of key backups, for scripts."""
    return json.dumps(_as_facts(notes), indent=1)


def _as_facts(notes: Iterable[BackupNote]) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    return [
        note.model_dump(mode="json", exclude={"keyring_digest"})
        | {"is_outstanding": note.is_outstanding, "is_expired": note.is_expired(now)}
        for note in notes
    ]


def _key_table(lines: Iterable[KeyLine]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("key", no_wrap=True)
    table.add_column("version", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("made", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for line in lines:
        remark = f"[yellow]{line.remark}[/]" if line.is_due else line.remark
        version = "" if line.version is None else str(line.version)
        table.add_row(line.purpose, version, line.state, _day(line.created_at), f"{line.age_days:,} d", remark)
    return table


def _shards(status: KeyStatus) -> str:
    if not status.unfinished_shards:
        return f"key table: {status.shard_count} shards, each with one key"
    if status.unfinished_shards == status.shard_count:
        return (
            f"key table: {status.shard_count} shards, all with a former key still: a renewal was interrupted: "
            "custview keys rotate keytable ends it"
        )
    return (
        f"key table: {status.shard_count} shards, {status.unfinished_shards} of them with a former key still: "
        "an erasure is on its way, and the next run ends it"
    )


def _print_backup_lines(status: KeyStatus) -> None:
    console, now = results(), datetime.now(UTC)
    for note in status.outstanding:
        console.print(f"key backup {note.number} of {_day(note.created_at)}: {_state_of(note, now)}")
    if not status.is_backed_up:
        made = "have changed since the last key backup" if status.backups else "have no backup"
        console.print(f"[yellow]warning[/] the keys {made}: custview keys backup -o FILE makes one")


def _state_of(note: BackupNote, now: datetime) -> str:
    if note.destroyed_at is not None:
        return f"destroyed on {_day(note.destroyed_at)}"
    if note.is_expired(now):
        return f"[yellow]expired on {_day(note.expires_at)}[/]: destroy it, then custview keys destroyed {note.number}"
    return f"outstanding, expires on {_day(note.expires_at)}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
