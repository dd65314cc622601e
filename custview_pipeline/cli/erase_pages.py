"""Pages about erasures: what was erased, the ledger, the certificate that a lawyer reads."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from rich.table import Table

from custview_pipeline.cli.terminal import messages, printable, results
from custview_pipeline.contracts.erasure import CarriedOut, Erasure, LedgerLine
from custview_pipeline.contracts.key_backups import BackupNote
from custview_pipeline.flows.certificate import Certificate
from custview_pipeline.flows.erase import Carried
from custview_pipeline.flows.erasure_copies import SearchedCopy
from custview_pipeline.flows.erasure_search import Place

OUTSIDE: Final = (
    "the source systems themselves, and the files that they deliver",
    "files that somebody exported, and what was printed or copied from a screen",
    "the access log, which keeps the customer's id where its values were revealed, and no value",
    "the ledger of erasures, which keeps who asked, when and why, and keyed marks that recognise the records again",
    "blocks that a disk has not overwritten yet; they hold sealed rows without a key",
)

_RECORDS_IT: Final = "custview keys destroyed NUMBER records it"


def print_carried(carried: Sequence[Carried], *, by_other: bool = False) -> None:
    """Print what was erased, by table.

    Args:
        carried: What was done now.
        by_other: What was asked for was done by the run that was writing before.
    """
    console = results()
    if by_other:
        console.print("carried out by the run that was writing")
    elif not carried:
        console.print("nothing to carry out: this lake has done all that the ledger asks for")
    for each in carried:
        ended = f"{_counted(each.record_count, 'record')}, {_counted(each.customer_count, 'customer')} ended"
        console.print(f"carried out {_counted(len(each.erasure_ids), 'erasure')}: {ended}")
        for table, count in each.rows.items():
            console.print(f"  {table}: {_counted(count, 'row')} erased or cleared")


def print_queued() -> None:
    """Print that a run is writing the lake, and what that means."""
    results().print(
        "queued: a run is writing the lake; the erasure takes effect before its next stage, at the latest with the next run"
    )


def print_next(erasure_id: str, *, is_later: bool) -> None:
    """Print what to do after an erasure."""
    if is_later:
        messages().print("next: custview run matches and elects anew those whom the records held together")
    messages().print(f"next: custview erase --verify {erasure_id} proves it")
    messages().print("next: custview keys backup, for a key backup of before does not open all that is stored now")


def print_ledger(lines: Sequence[LedgerLine], done: Collection[str]) -> None:
    """Print what was asked to be erased.

    Args:
        lines: The ledger.
        done: Erasures that this lake has carried out.
    """
    if not lines:
        results().print("nothing was ever asked to be erased")
        return
    table = Table("id", "asked (UTC)", "by", "records", "carried out (UTC)", "run", box=None, header_style="bold", pad_edge=False)
    table.add_column("reason", min_width=12, overflow="fold")
    for row in _ledger_rows(lines, done):
        when = (row["carried_out_at"] or "in this lake") if row["is_carried_out"] else "not in this lake yet"
        table.add_row(
            row["erasure_id"],
            _minute(row["requested_at"]),
            printable(row["who"]),
            f"{row['record_count']:,}",
            when if isinstance(when, str) else _minute(when),
            row["run_id"] or "",
            printable(_ground(row["reason"], row["legal_basis"])),
        )
    results().print(table)


def ledger_as_json(lines: Sequence[LedgerLine], done: Collection[str]) -> str:
    """Return what was asked to be erased as JSON; marks are left out."""
    return _json(list(_ledger_rows(lines, done)))


def print_certificate(certificate: Certificate) -> None:
    """Print what was searched and found, and from when on the erasure is final."""
    console, erasure = results(), certificate.erasure
    console.print(f"[bold]Certificate of erasure {erasure.erasure_id}[/]")
    for line in (*_asked(certificate), "", _verdict(certificate), ""):
        console.print(line)
    console.print(_places_table(certificate.places))
    for lines in (_copies(certificate), _backups(certificate), _limits(certificate)):
        console.print()
        for line in lines:
            console.print(line)


def certificate_as_json(certificate: Certificate) -> str:
    """Return the certificate as JSON; marks are left out."""
    erasure = certificate.erasure.model_dump(exclude={"kind", "record_marks", "customer_marks"})
    return _json(
        {
            "erasure": {**erasure, "record_count": len(certificate.erasure.record_marks)},
            "carried_out": certificate.carried_out and certificate.carried_out.model_dump(exclude={"kind", "erasure_id"}),
            "is_carried_out": certificate.is_carried_out,
            "is_proven": certificate.is_proven,
            "found_count": certificate.found_count,
            "returned_count": certificate.returned_count,
            "unreadable_count": certificate.unreadable_count,
            "continuing_count": certificate.continuing_count,
            "places": [asdict(place) for place in certificate.places],
            "copies": [asdict(copy) for copy in certificate.copies],
            "is_final": _is_final(certificate),
            "final_at": certificate.finality.final_at,
            "key_backups_outstanding": [_backup(note) for note in certificate.finality.backups],
            "refused_rows_without_key": asdict(certificate.keyless),
            "outside": OUTSIDE,
            "searched_at": certificate.searched_at,
            "package_version": certificate.package_version,
            "rule_sets": certificate.rule_sets,
        }
    )


def _ledger_rows(lines: Sequence[LedgerLine], done: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield what was asked for, the newest first, with when and in which run it was carried out last."""
    carried = {line.erasure_id: line for line in lines if isinstance(line, CarriedOut)}
    for line in reversed(lines):
        if isinstance(line, Erasure):
            noted = carried.get(line.erasure_id)
            yield {
                **line.model_dump(exclude={"kind", "record_marks", "customer_marks"}),
                "record_count": len(line.record_marks),
                "is_carried_out": line.erasure_id in done,
                "carried_out_at": noted and noted.carried_out_at,
                "run_id": noted and noted.run_id,
            }


def _asked(certificate: Certificate) -> Iterator[str]:
    erasure, done = certificate.erasure, certificate.carried_out
    yield f"asked for      {_minute(erasure.requested_at)} UTC by {printable(erasure.who)}"
    yield f"reason         {printable(_ground(erasure.reason, erasure.legal_basis))}"
    yield f"source records {len(erasure.record_marks):,}"
    if certificate.is_carried_out:
        yield f"carried out    {f'{_minute(done.carried_out_at)} UTC, run {done.run_id}' if done else 'in this lake'}"
    else:
        yield "carried out    not in this lake yet: custview erase --replay"
    yield (
        f"searched       {_minute(certificate.searched_at)} UTC by custview-pipeline {certificate.package_version}, "
        f"rule sets {certificate.rule_sets}"
    )


def _verdict(certificate: Certificate) -> str:
    found, opened = _counted(certificate.found_count, "row"), _counted(certificate.opened_count, "sealed row")
    if not certificate.is_carried_out:
        return "[bold red]NOT ERASED[/]: the erasure was not carried out in this lake yet"
    if certificate.found_count:
        return f"[bold red]FOUND[/]: {found} of what was erased"
    if certificate.continuing_count:
        records = _counted(certificate.continuing_count, "record")
        return f"[bold red]NOT ERASED[/]: the customer goes on with {records} that came after the request: erase it again"
    if certificate.opened_count:
        return f"[bold red]READABLE[/]: {opened} of a copy can be opened with the keys of now"
    if certificate.unreadable_count:
        files = _counted(certificate.unreadable_count, "file")
        return f"[bold red]NOT PROVEN[/]: {files} could not be searched; nothing was found in the others"
    return "[bold green]NOTHING FOUND[/]: every table, every file of the lake and the key table were searched"


def _places_table(places: Sequence[Place]) -> Table:
    table = Table("searched", box=None, header_style="bold", pad_edge=False)
    for column in ("files", "rows", "found", "came back", "not readable"):
        table.add_column(column, justify="right", no_wrap=True)
    for place in places:
        counts = (place.file_count, place.row_count, place.found_count, place.returned_count, place.unreadable_count)
        table.add_row(place.name, *(f"{count:,}" for count in counts))
    return table


def _copies(certificate: Certificate) -> Iterator[str]:
    if not certificate.copies:
        yield "copies of the lake: none was named with --copy; what is sealed in those of before has lost its keys"
    for copy in certificate.copies:
        yield (
            f"copy {printable(copy.name)}: {_counted(copy.sealed_count, 'sealed row')} of the records, "
            f"{copy.opened_count:,} of them opened with the keys of now{_unsealed(copy)}"
        )
        if copy.unreadable_count:
            yield f"  {_counted(copy.unreadable_count, 'file')} of it could not be searched, so it proves nothing"
        if copy.closed_count:
            closed = _counted(copy.closed_count, "segment")
            yield f"  {closed} of its match index closed: that version of the key index is destroyed"


def _unsealed(copy: SearchedCopy) -> str:
    left = [f"{place.name} {place.found_count:,}" for place in copy.places]
    return f"; what is not sealed lies there as before, so destroy it ({'; '.join(left)})" if left else ""


def _backups(certificate: Certificate) -> Iterator[str]:
    finality, now = certificate.finality, certificate.searched_at
    for note in finality.backups:
        until = f"expires {_day(note.expires_at)}"
        if note.is_expired(now):
            until = f"expired {_day(note.expires_at)} and is not recorded as destroyed"
        made = f"key backup {note.number} of {_minute(note.created_at)} UTC, which {until}"
        yield f"{made}: with a copy of the lake, both of before, it opens what was erased"
    if not certificate.is_carried_out:
        yield "[bold]not final[/]: the keys were not destroyed yet"
    elif finality.is_final:
        yield "[bold]final[/]: no key backup of before is outstanding"
    elif finality.final_at is not None:
        yield f"[bold]final on {_day(finality.final_at)}[/], provided that these backups are destroyed by then; {_RECORDS_IT}"
    else:
        yield f"[bold]not final[/] until these backups are destroyed; {_RECORDS_IT}"


def _limits(certificate: Certificate) -> Iterator[str]:
    if certificate.returned_count:
        yield (
            f"{_counted(certificate.returned_count, 'row')} came after the erasure: their sources delivered the records again, "
            "and their contracts say on_erased: report"
        )
    keyless = certificate.keyless
    if keyless.kept_until is not None:
        yield (
            f"{_counted(keyless.row_count, 'refused row')} in quarantine without a key: nobody can tell whose they are; "
            f"the last of them is shredded by {_day(keyless.kept_until)}"
        )
    yield "not searched, for it is outside of the lake:"
    yield from (f"  {what}" for what in OUTSIDE)


def _is_final(certificate: Certificate) -> bool:
    return certificate.is_carried_out and certificate.finality.is_final


def _backup(note: BackupNote) -> dict[str, Any]:
    return note.model_dump(include={"number", "created_at", "expires_at"})


def _ground(reason: str, legal_basis: str | None) -> str:
    return f"{reason} ({legal_basis})" if legal_basis else reason


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    raise TypeError(f"{type(value).__name__} is not written as JSON here")
