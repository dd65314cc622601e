"""Pages about access: the check of the log, its entries, the policy."""

import json
from collections.abc import Iterable, Set
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from custview_pipeline.cli.terminal import printable, results
from custview_pipeline.contracts.access import ALL, AccessPolicy, Level, Role
from custview_pipeline.protection.access_chain import Entry
from custview_pipeline.protection.access_check import Broken, ChainReport


def print_access(report: ChainReport, known: Set[int]) -> None:
    """Print what the check of the log found.

    Args:
        report: What it found.
        known: Numbers of the entries whose gaps somebody has looked into.
    """
    console = results()
    _print_entry_counts(report)
    for gap in report.gaps:
        kind = "known gap" if gap.sequence in known else "[bold red]gap[/]"
        console.print(f"{kind} told by entry {gap.sequence:,}: {escape(gap.says)}")
    if report.broken is not None:
        console.print(f"[bold red]broken[/] {_break(report.broken)}")
        return
    if report.is_unfinished:
        console.print("the last line is unfinished, as a crash leaves it, and the anchor knows of no entry in it")
    if not report.gaps:
        console.print("the log is whole: every entry is as it was written, and none is missing")
    elif all(gap.sequence in known for gap in report.gaps):
        gaps = "gap" if len(report.gaps) == 1 else f"{len(report.gaps):,} gaps"
        console.print(f"the log is whole but for the known {gaps}: every entry in it is as it was written")


def _print_entry_counts(report: ChainReport) -> None:
    console = results()
    if not report.entries:
        console.print("no entries")
    else:
        console.print(f"{_count(report.entries)}, {_minute(report.first_at)} to {_minute(report.last_at)} UTC")
        for user, count in sorted(report.users.items()):
            console.print(f"  {printable(user)}: {count:,}")
    if report.torn:
        console.print(f"{_count(report.torn)} found a former one unfinished, as a crash leaves it; nothing was revealed under it")


def print_entries(entries: Iterable[Entry | None], *, user: str | None, since: datetime | None, as_json: bool) -> None:
    """Print entries of the log, one a line, as they come.

    Args:
        entries: The entries; None for a line that is none.
        user: Whose, by the name they gave or the system's; None for everybody's.
        since: From when on; None for all.
        as_json: Whether to print them as JSON.
    """
    console = results()
    for line, entry in enumerate(entries, 1):
        if entry is None:
            if not as_json:
                console.print(f"[bold red]line {line:,} is no entry[/]: custview access verify")
        elif _is_wanted(entry, user, since):
            said = json.dumps(entry, sort_keys=True) if as_json else _in_words(entry)
            console.print(said, soft_wrap=True, markup=not as_json)


def print_policy(policy: AccessPolicy | None, file: Path) -> None:
    """Print who may see what; nobody, where there is no policy."""
    console = results()
    if policy is None:
        console.print(f"nobody may see values: there is no {escape(str(file))}")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("user", "role"):
        table.add_column(column, no_wrap=True)
    for column in ("purposes", "in full", "masked", "export", "refused rows"):
        table.add_column(column, min_width=6, overflow="fold")
    holders = [(user, role) for user, roles in policy.users.items() for role in roles]
    free = [("(nobody)", role) for role in policy.roles if role not in {role for _, role in holders}]
    for user, role in [*holders, *free]:
        table.add_row(printable(user), role, *_allowed(policy.roles[role]))
    console.print(table if table.row_count else "nobody may see values: the policy names no role")


def _count(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries:,} entries"


def _minute(moment: str) -> str:
    return escape(moment[:16].replace("T", " "))


def _break(broken: Broken) -> str:
    place = "at the end" if broken.line is None else f"in line {broken.line:,}"
    return f"{place}, where entry {broken.sequence:,} belongs: {broken.fault}: {escape(broken.says)}"


def _is_wanted(entry: Entry, user: str | None, since: datetime | None) -> bool:
    if user is not None and user not in {entry.get("who"), entry.get("os_user")}:
        return False
    return since is None or _written_at(entry) >= since


def _written_at(entry: Entry) -> datetime:
    """Return when an entry was written; the latest time there is where that cannot be read, so that it is never hidden."""
    try:
        moment = datetime.fromisoformat(str(entry.get("at")))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_words(entry: Entry) -> str:
    names = ("fields", "masked_fields")
    full, masked = (", ".join(map(str, entry.get(name) or ())) for name in names)
    said = {
        "outcome": entry.get("outcome", "granted"),
        "as": ", ".join(map(str, entry.get("roles") or ())),
        "for": entry.get("purpose", ""),
        "fields": full,
        "masked": masked,
    }
    told = "; ".join(f"{name} {printable(str(text))}" for name, text in said.items() if text)
    who = f"{printable(str(entry.get('who')))} ({printable(str(entry.get('os_user', 'unknown')))})"
    at = _minute(str(entry.get("at")))
    return (
        f"{entry['sequence']:>6}  {at}  {who}  {printable(str(entry.get('what')))}; {told}; {printable(str(entry.get('reason')))}"
    )


def _allowed(role: Role) -> tuple[str, str, str, str, str]:
    full, masked = (_attributes(role, level) for level in (Level.FULL, Level.MASKED))
    return ", ".join(role.purposes), full, masked, _yes(allowed=role.may_export), _yes(allowed=role.may_see_refused_rows)


def _attributes(role: Role, level: Level) -> str:
    named = [name for name, each in role.attributes.items() if each is level and name != ALL]
    if role.attributes.get(ALL) is level:
        others = len(role.attributes) > 1
        named.append("all others" if others else ALL)
    return ", ".join(named) or "-"


def _yes(*, allowed: bool) -> str:
    return "yes" if allowed else "no"
