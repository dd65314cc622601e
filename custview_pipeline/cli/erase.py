"""The command ``custview erase``: ask for an erasure, carry it out, list what was asked for, prove it."""

import getpass
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from custview_pipeline.adapters.delta_lake import DeltaLake, LakeWriter
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_backups import KeyBackups
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.adapters.stored_files import StoredFiles
from custview_pipeline.cli.entry import FAILED, ProjectOption, open_project, told_errors
from custview_pipeline.cli.erase_pages import (
    certificate_as_json,
    ledger_as_json,
    print_carried,
    print_certificate,
    print_ledger,
    print_next,
    print_queued,
)
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.certificate import Holdings, certify, find_erasure
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.flows.erasure_request import Chosen, NamedRecord, Stated, ask_for, choose_customer, choose_records
from custview_pipeline.flows.link import link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import LakeBusy, ProjectInvalid, UnknownCustomer, UnknownErasure
from custview_pipeline.kernel.identifiers import parse_cuid
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose

_PATIENCE_SECONDS: Final = 5.0  # for a run to give the lake back; the erasure waits in the ledger, not the person

_MEANT_FOR: Final = {
    "--reason": ("erase",),
    "--legal-basis": ("erase",),
    "--yes": ("erase",),
    "--later": ("erase", "--replay"),
    "--copy": ("--verify",),
    "--json": ("--verify", "--list"),
}

EPILOG: Final = 'Example: custview erase CUQM8403JRZBQKMZVAM --reason "request of 2026-03-01" --legal-basis "GDPR Art. 17(1)(b)"'


class _House(NamedTuple):
    """A project that is open: its keys, its lake, and the ledger beside the keys."""

    project: Project
    keyring: Keyring
    lake: DeltaLake
    ledger: ErasureLedger

    @property
    def id_key(self) -> bytes:
        return self.keyring.current(Purpose.ID)[1]


def erase(  # noqa: PLR0913 -- each is an option of the command
    cuid: Annotated[
        str | None, typer.Argument(metavar="CUID", help="Customer to erase; case and dashes are free.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    *,
    record: Annotated[
        list[str] | None,
        typer.Option(
            "--record", metavar="SOURCE:KEY", help="Erase this record instead of a customer; may be repeated.", show_default=False
        ),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept, so name no person in it.")] = "",
    legal_basis: Annotated[
        str | None, typer.Option("--legal-basis", metavar="TEXT", help="On what ground; kept as well.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go on.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Leave matching and electing anew to the next run.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Carry out what this lake has not done yet, and do no more.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List what was asked to be erased, and what came of it.")] = False,
    verify: Annotated[
        str | None,
        typer.Option("--verify", metavar="ID", help="Prove an erasure: search, and print a certificate.", show_default=False),
    ] = None,
    copy: Annotated[
        list[Path] | None,
        typer.Option(
            "--copy", metavar="DIR", help="With --verify: a copy of the lake to try as well; may be repeated.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --verify and --list: print JSON, for scripts.")] = False,
) -> None:
    """Erase a customer from tables, index and keys, and so from every copy of the lake; or prove that it was done.

    All source records of the customer are shredded, those too that their sources have deleted. Whom they held together is matched
    anew. Their sources may not bring them back, unless a contract says on_erased: report. While a run is writing the erasure is
    queued and takes effect before its next stage. Whoever holds a key backup and a copy of the lake, both of before, can still
    read the customer: --verify names those backups and the day from which on the erasure is final.
    """
    with told_errors(), settings.secrets_withheld():
        actions = {"erase": bool(cuid or record), "--replay": replay, "--list": show_list, "--verify": verify is not None}
        given = {
            "--reason": reason,
            "--legal-basis": legal_basis,
            "--yes": yes,
            "--later": later,
            "--copy": copy,
            "--json": as_json,
        }
        _assert_usable([name for name, is_meant in actions.items() if is_meant], [name for name, value in given.items() if value])
        opened, keyring = open_project(project)
        house = _House(opened, keyring, DeltaLake(opened.lake, keyring), ErasureLedger(key_directory(opened.name)))
        if show_list:
            code = _list(house, as_json=as_json)
        elif verify is not None:
            code = _verify(house, verify, copy or [], as_json=as_json)
        elif replay:
            code = _carry_out(house, is_later=later)
        else:
            stated = Stated(getpass.getuser(), reason.strip(), legal_basis)
            code = _erase(house, partial(_choose, house, cuid, record or []), stated, is_sure=yes, is_later=later)
    raise typer.Exit(code)


def _assert_usable(actions: list[str], options: list[str]) -> None:
    """Refuse what is not one action, or has options that would do nothing.

    Raises:
        ProjectInvalid: It is.
    """
    if len(actions) != 1:
        raise ProjectInvalid("say what to do, and one thing: a CUID, --record, --replay, --list or --verify ID")
    for option in options:
        if actions[0] not in _MEANT_FOR[option]:
            meant = " and ".join("a CUID or --record" if action == "erase" else action for action in _MEANT_FOR[option])
            raise ProjectInvalid(f"{option} goes with {meant} only")


def _choose(house: _House, cuid: str | None, records: list[str]) -> Chosen:
    """Return what is to be erased.

    Raises:
        ProjectInvalid: It is named in a way that cannot be understood.
        UnknownCustomer: There is nothing of that name.
    """
    snapshot = house.lake.snapshot()
    if cuid is None:
        return choose_records(snapshot, house.id_key, [_named(written) for written in records])
    if records:
        raise ProjectInvalid("a CUID or records, not both: erase one after the other")
    try:
        known = parse_cuid(cuid)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None
    return choose_customer(snapshot, known)


def _named(written: str) -> NamedRecord:
    source, colon, key = written.partition(":")
    if not (source and colon and key.strip()):
        raise ProjectInvalid("--record takes SOURCE:KEY, such as crm:4711")
    return NamedRecord(source, key)


def _erase(house: _House, choose: Callable[[], Chosen], stated: Stated, *, is_sure: bool, is_later: bool) -> int:
    """Note the erasure in the ledger, then carry it out, or leave it to the run that is writing; return the exit code."""
    if not stated.reason:
        raise ProjectInvalid("an erasure needs --reason TEXT; it is kept, so name no person in it")
    chosen = choose() if is_sure or not _is_terminal() else _confirmed(choose)
    if chosen is None:
        results().print("nothing was erased")
        return FAILED
    entry = ask_for(chosen, house.id_key, stated, now=datetime.now(UTC))
    house.ledger.append(entry)
    results().print(f"erasure {entry.erasure_id}: {_told(chosen)}")
    return _carry_out(house, is_later=is_later, asked=entry.erasure_id)


def _confirmed(choose: Callable[[], Chosen]) -> Chosen | None:
    """Return what is to be erased once somebody has agreed to just that; None where they do not."""
    chosen = choose()
    while typer.confirm(f"erase {_told(chosen)} for good?"):
        again = choose()
        if _is_same(chosen, again):
            return again
        results().print(f"meanwhile other records are concerned: it was {_told(chosen)}, and is {_told(again)} now")
        chosen = again
    return None


def _is_same(chosen: Chosen, other: Chosen) -> bool:
    return set(chosen.record_ids) == set(other.record_ids) and set(chosen.cuids) == set(other.cuids)


def _told(chosen: Chosen) -> str:
    return f"{len(chosen.record_ids):,} source record{'' if len(chosen.record_ids) == 1 else 's'}"


def _is_terminal() -> bool:
    """Return whether somebody is there to be asked."""
    return sys.stdin.isatty()


def _carry_out(house: _House, *, is_later: bool, asked: str | None = None) -> int:
    """Carry out what the ledger asks for, unless a run is writing, which will do it before its next stage; return 0.

    Args:
        house: The project.
        is_later: Matching anew is left to the next run.
        asked: The erasure that was asked for just now; the run that was writing may have carried it out.
    """
    run_id = f"erasure-{secrets.token_hex(8)}"
    try:
        with house.lake.writer(wait_seconds=_PATIENCE_SECONDS) as writer:
            carried = carry_out_pending(writer, house.keyring, house.ledger, run_id=run_id)
            done = [erasure_id for each in carried for erasure_id in each.erasure_ids]
            by_other = asked is not None and asked not in done and asked in writer.snapshot().erasures()
            print_carried(carried, by_other=by_other)
            if (done or by_other) and not is_later:
                _cluster_anew(house, writer, run_id)
    except LakeBusy:
        print_queued()
        return 0
    if done or by_other:
        print_next(asked or done[-1], is_later=is_later)
    return 0


def _cluster_anew(house: _House, writer: LakeWriter, run_id: str) -> None:
    """Match, elect and publish as the job does: those whom an erased record held together part."""
    own = house.project
    with LiveProgress() as progress:
        bring_up_to_date(writer, Renewal(house.keyring, own.contracts, own.region, settings.worker_count(), run_id, progress))
        progress.done("matching", link(writer, own.rulebook, house.id_key, run_id=run_id, progress=progress))
        progress.done("survivorship", survive(writer, own.contracts, own.rulebook, run_id=run_id, progress=progress))
        progress.done("views", publish(writer, run_id=run_id))


def _list(house: _House, *, as_json: bool) -> int:
    lines, done = house.ledger.lines(), house.lake.snapshot().erasures()
    if as_json:
        results().print(ledger_as_json(lines, done), soft_wrap=True, markup=False)
    else:
        print_ledger(lines, done)
    return 0


def _verify(house: _House, erasure_id: str, copies: list[Path], *, as_json: bool) -> int:
    """Print the certificate and return the exit code: 0 where everything was searched and nothing was found."""
    lines = house.ledger.lines()
    try:
        find_erasure(lines, erasure_id)
    except UnknownErasure as error:
        raise ProjectInvalid(str(error)) from None
    searched = {str(folder): StoredFiles(folder, house.keyring) for folder in copies}
    if missing := [name for name, files in searched.items() if not files.exists()]:
        raise ProjectInvalid(f"no lake in {', '.join(missing)}")
    contracts = house.project.contracts
    holdings = Holdings(house.lake.snapshot(), StoredFiles(house.lake.root, house.keyring), searched, house.keyring, contracts)
    backups = KeyBackups(key_directory(house.project.name)).notes()
    certificate = certify(erasure_id, holdings, lines, backups, now=datetime.now(UTC))
    if as_json:
        results().print(certificate_as_json(certificate), soft_wrap=True, markup=False)
    else:
        print_certificate(certificate)
    return 0 if certificate.is_proven else FAILED
