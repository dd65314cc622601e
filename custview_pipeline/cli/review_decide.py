"""The commands of steward decisions: ``custview review decide``, ``withdraw``, ``decisions``; registered on ``review``."""

import getpass
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import polars as pl
import typer

from custview_pipeline.adapters.decision_inbox import DecisionInbox
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.key_files import key_directory
from custview_pipeline.adapters.private_files import read_private
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.handing_in import hand_in, lake_and_waiting
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.permission import LONGEST_REASON, os_user
from custview_pipeline.cli.review_decide_pages import Listed, decisions_as_json, print_decided, print_decisions, print_withdrawn
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.access import LONGEST_NAME
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.project import Project
from custview_pipeline.contracts.stewardship_tables import PAIR_DECISIONS, REASON_CODES, REVIEW_DECISIONS
from custview_pipeline.contracts.yaml_text import suggest
from custview_pipeline.flows.decision_rows import Stated, about_pair, lock, pin, split_off
from custview_pipeline.flows.decision_subjects import subjects_of
from custview_pipeline.flows.decisions import standing_answers, stored_decisions
from custview_pipeline.flows.named_records import Member, Registry, find_record
from custview_pipeline.flows.override import Desk, Entry, override
from custview_pipeline.flows.review_queue import find_items
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownCustomer, UnknownRecord
from custview_pipeline.kernel.identifiers import Cuid, parse_cuid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.queue import parse_item_id

DECIDE_EPILOG: Final = "Example: custview review decide not-a-match crm:4711 web:0815 --reason-code family_member --by ada"
WITHDRAW_EPILOG: Final = "Example: custview review withdraw 9f3a5c0e7b1d2468 --by ada"
DECISIONS_EPILOG: Final = "Example: custview review decisions --limit 50 --json"
CONTEXT: Final = {"ignore_unknown_options": True}  # record ids may begin with a minus
_PLACES: Final = ("the first record", "the second record")


class Kind(StrEnum):
    """What can be decided, as the command line names it."""

    MATCH = "match"
    NOT_A_MATCH = "not-a-match"
    UNSURE = "unsure"
    SPLIT_OFF = "split-off"
    LOCK = "lock"
    PIN = "pin"
    OVERRIDE = "override"

    @property
    def decision(self) -> str:
        """Return the word that is stored."""
        return self.value.replace("-", "_")


_ASKED: Final = {
    Kind.MATCH: "RECORD RECORD, or ITEM",
    Kind.NOT_A_MATCH: "RECORD RECORD, or ITEM",
    Kind.UNSURE: "RECORD RECORD, or ITEM",
    Kind.SPLIT_OFF: "RECORD",
    Kind.LOCK: "CUID",
    Kind.PIN: "CUID ATTRIBUTE RECORD",
    Kind.OVERRIDE: "CUID ATTRIBUTE",
}
_COUNTS: Final = {Kind.SPLIT_OFF: 1, Kind.LOCK: 1, Kind.PIN: 3, Kind.OVERRIDE: 2}

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who decides; else the system's user.", show_default=False)
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words; it is kept, so name no person.")]


def decide(  # noqa: PLR0913 -- each is an option of the command
    kind: Annotated[Kind, typer.Argument(help="What is decided.", show_default=False)],
    about: Annotated[
        list[str],
        typer.Argument(
            metavar="ABOUT...",
            help="match, not-a-match, unsure: two RECORDs, or an ITEM of the queue; split-off: a RECORD; lock: a CUID; pin: CUID "
            "ATTRIBUTE RECORD; override: CUID ATTRIBUTE. A RECORD is SOURCE:KEY or a record id.",
            show_default=False,
        ),
    ],
    project: ProjectOption = None,
    *,
    reason_code: Annotated[
        str | None, typer.Option(metavar="CODE", help=f"Why: {', '.join(REASON_CODES)}.", show_default=False)
    ] = None,
    reason: ReasonOption = "",
    by: ByOption = None,
    supersede: Annotated[bool, typer.Option("--supersede", help="Take back a standing decision that says the opposite.")] = False,
    slot: Annotated[
        int | None, typer.Option(min=0, help="pin: which of the record's values; else any.", show_default=False)
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(metavar="SCHEME", help="override: of an identifier or code, such as us.ssn.", show_default=False),
    ] = None,
    value_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="override: a private file that holds the value; else it is asked for.", show_default=False
        ),
    ] = None,
) -> None:
    """Decide about two records, a customer or a value; it holds through every run until it is withdrawn.

    match and not-a-match say whether two records are one customer; unsure keeps the question off the queue until the evidence
    changes. split-off parts a record from the others of its customer. lock keeps a customer as it is. pin makes what a record
    says the value of its customer; override enters a new value, which is never an argument: it is typed, or read from
    --value-file or standard input. The next run links and elects by it. Only override waits for a run that holds the lake.
    """
    with told_errors(), settings.secrets_withheld():
        _assert_usable(kind, about, _Options(slot, scheme, value_file, supersede=supersede))
        stated = Stated(_name(by), datetime.now(UTC), _code(reason_code), _text(reason) or None)
        opened, keyring = open_project(project)
        if kind is Kind.OVERRIDE:
            decision_id = _enter(opened, keyring, Entry(_customer(about[0]), about[1], _value(value_file), scheme), stated)
            print_decided(kind.decision, decision_id, is_stored=True)
            return
        rows = _rows(opened, keyring, kind, about, (stated, slot))
        batch = DecisionBatch.of(rows, said_by=stated.decided_by, said_at=stated.decided_at, supersede=supersede)
        is_stored = hand_in(opened, keyring, batch)
        print_decided(kind.decision, rows["decision_id"][0], is_stored=is_stored)


def withdraw(
    decisions: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of decisions.", show_default=False)],
    project: ProjectOption = None,
    *,
    by: ByOption = None,
) -> None:
    """Take decisions back: the next run links and elects without them; a value that was entered goes with its decision."""
    with told_errors(), settings.secrets_withheld():
        ids = tuple(dict.fromkeys(_decision_id(each) for each in decisions))
        opened, keyring = open_project(project)
        batch = DecisionBatch(said_by=_name(by), said_at=datetime.now(UTC), withdrawals=ids)
        print_withdrawn(ids, is_stored=hand_in(opened, keyring, batch))


def decisions(
    project: ProjectOption = None,
    *,
    kind: Annotated[Kind | None, typer.Option(help="Decisions of this kind only.", show_default=False)] = None,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Those too that were withdrawn.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Most decisions to list, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """List decisions: who decided what, when and why; which wait for a run to end, and what was refused of those that did."""
    with told_errors():
        opened, keyring = open_project(project)
        refusals, lake = DecisionInbox(opened.lake).refusals(), lake_and_waiting(opened, keyring)
        known = stored_decisions(lake.decided) if withdrawn else standing_answers(lake.decided)
        wanted = known if kind is None else known.filter(pl.col("decision") == kind.decision)
        newest_first = wanted.sort("decided_at", "decision_id", descending=[True, False]).head(limit)
        listed = Listed(
            rows=_marked(lake.stored, newest_first),
            total=wanted.height,
            subjects=subjects_of(lake.stored, newest_first),
            waiting_count=lake.batch_count,
            refusals=refusals,
        )
        if as_json:
            results().print(decisions_as_json(listed), soft_wrap=True, markup=False)
        else:
            print_decisions(listed)


class _Options(NamedTuple):
    """Options that go with some kinds only."""

    slot: int | None
    scheme: str | None
    value_file: Path | None
    supersede: bool


def _assert_usable(kind: Kind, about: Sequence[str], options: _Options) -> None:
    """Refuse what looks like an option, another number of names, and options that would do nothing.

    Raises:
        ProjectInvalid: It is.
    """
    if any(each.startswith("-") and not each[1:].isdecimal() for each in about):
        raise ProjectInvalid("no such option: custview review decide --help lists them")
    is_item = kind.decision in PAIR_DECISIONS and len(about) == 1
    if not is_item and len(about) != _COUNTS.get(kind, len(_PLACES)):
        raise ProjectInvalid(f"{kind.value} is about {_ASKED[kind]}")
    if options.slot is not None and kind is not Kind.PIN:
        raise ProjectInvalid("--slot goes with pin")
    if kind is not Kind.OVERRIDE and (options.scheme is not None or options.value_file is not None):
        raise ProjectInvalid("--scheme and --value-file go with override")
    if options.supersede and kind in {Kind.UNSURE, Kind.PIN, Kind.OVERRIDE}:
        raise ProjectInvalid(f"--supersede does nothing for {kind.value}: it contradicts no decision")


def _rows(opened: Project, keyring: Keyring, kind: Kind, about: Sequence[str], said: tuple[Stated, int | None]) -> pl.DataFrame:
    """Return what is decided as rows of review_decisions."""
    (stated, slot), snapshot = said, DeltaLake(opened.lake, keyring).snapshot()
    erased = ErasureLedger(key_directory(opened.name)).record_marks()
    registry = Registry(snapshot, keyring.current(Purpose.ID)[1], erased)
    match kind:
        case Kind.SPLIT_OFF:
            return split_off(snapshot, _record(registry, about[0]), stated)
        case Kind.LOCK:
            return lock(snapshot, _customer(about[0]), stated)
        case Kind.PIN:
            return pin(snapshot, _customer(about[0]), about[1], (_record(registry, about[2]), slot), stated)
        case _:
            names = _pair_of(snapshot, about[0]) if len(about) == 1 else list(about)
            left, right = (_record(registry, each, nth) for each, nth in zip(names, _PLACES, strict=True))
            return about_pair(kind.decision, left, right, stated)


def _pair_of(snapshot: Snapshot, written: str) -> list[str]:
    """Return the names of the two records that an item of the queue is about."""
    if parse_item_id(written) is None:
        raise ProjectInvalid("name two records, or an item of the queue as custview review list shows it")
    item = find_items(snapshot, [written]).row(0, named=True)
    if item["left_id"] is None or item["right_id"] is None:
        raise ProjectInvalid("this item is about no pair of records: custview review show says what to do about it")
    return [str(item["left_id"]), str(item["right_id"])]


def _enter(opened: Project, keyring: Keyring, entry: Entry, stated: Stated) -> str:
    """Seal and store a value; a run that holds the lake is waited for, for nothing readable may wait in a file."""
    run_id = f"override-{secrets.token_hex(8)}"
    with HeldLake(opened, keyring, run_id).writer() as writer:
        return override(writer, Desk(keyring, opened.region, run_id), entry, stated)


def _value(file: Path | None) -> str:
    """Return the value: of a private file, of standard input, or typed unseen."""
    if file is not None:
        content = read_private(file, "the value")
        if content is None:
            raise ProjectInvalid("no such file", file=file)
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise ProjectInvalid("the value must be text in UTF-8", file=file) from None
    else:
        text = _typed() if sys.stdin.isatty() else sys.stdin.read()
    value = text.strip()
    if not value or not value.isprintable():
        raise ProjectInvalid("the value must be text on one line; nothing was stored")
    return value


def _typed() -> str:
    try:
        return getpass.getpass("new value (not shown): ")
    except EOFError:
        return ""


def _record(registry: Registry, written: str, nth: str = "the record") -> Member:
    try:
        return find_record(registry, written, nth)
    except UnknownRecord as error:
        raise ProjectInvalid(str(error)) from None


def _customer(written: str) -> Cuid:
    try:
        return parse_cuid(written)
    except UnknownCustomer as error:
        raise ProjectInvalid(str(error)) from None


def _decision_id(written: str) -> str:
    text = written.strip().lower()
    if not text or not set(text) <= set("0123456789abcdef"):
        raise ProjectInvalid("an id of a decision is hexadecimal digits: custview review decisions lists them")
    return text


def _marked(stored: Snapshot, listed: pl.DataFrame) -> pl.DataFrame:
    """Add ``is_waiting``: whether a decision, or that it was taken back, is not stored yet."""
    key = list(REVIEW_DECISIONS.key)
    known = stored.read(REVIEW_DECISIONS.name, key).with_columns(is_waiting=pl.lit(value=False))
    marked = listed.join(known, on=key, how="left", nulls_equal=True, maintain_order="left")
    return marked.with_columns(pl.col("is_waiting").fill_null(value=True))


def _name(written: str | None) -> str:
    name = os_user() if written is None else written.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ProjectInvalid(f"--by must be a name of at most {LONGEST_NAME} characters, on one line")
    return name


def _code(written: str | None) -> str | None:
    if written is not None and written not in REASON_CODES:
        raise ProjectInvalid(f"no reason code of this name{suggest(written, REASON_CODES)}; there are {', '.join(REASON_CODES)}")
    return written


def _text(written: str) -> str:
    text = written.strip()
    if len(text) > LONGEST_REASON or (text and not text.isprintable()):
        raise ProjectInvalid(f"--reason must be a text of at most {LONGEST_REASON} characters, on one line")
    return text
