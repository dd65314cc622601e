"""The commands of the review queue: ``custview review list``, ``show``, ``assign``; others of ``review`` are registered here."""

from datetime import UTC, date, datetime
from typing import Annotated, Final

import polars as pl
import typer

from custview_pipeline.cli import review_decide, review_pack
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.handing_in import hand_in, lake_as_decided
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal, os_user
from custview_pipeline.cli.review_item_pages import print_delivery, print_item_head, print_pair, print_value
from custview_pipeline.cli.review_pages import as_blind, print_assigned, print_queue, queue_as_json
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.access import LONGEST_NAME
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.answer_effect import Rules
from custview_pipeline.flows.review_item import Item, open_delivery, open_pair, open_value
from custview_pipeline.flows.review_queue import assignment_rows, find_items, review_queue
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.permission import Act, Wish
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.stewardship.queue import WAITING, ItemKind, ItemStatus

app: Final = typer.Typer(
    no_args_is_help=True,
    help="What asks for a person: pairs of records, suspicious customers, contested values, held deliveries; and the decisions.",
    epilog="Example: custview review list --kind pair",
)

ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="Id of an item, as the list shows it.", show_default=False)]
BlindOption = Annotated[bool, typer.Option("--blind", help="Without what matching thinks: no weight, no effect, no verdict.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command("list", epilog="Example: custview review list --kind pair --assigned-to ada --limit 50")
def list_items(  # noqa: PLR0913 -- each is an option of the command
    project: ProjectOption = None,
    *,
    kind: Annotated[ItemKind | None, typer.Option(help="Items of this kind only.", show_default=False)] = None,
    status: Annotated[
        ItemStatus | None, typer.Option(help="Items of this status only; else those that wait.", show_default=False)
    ] = None,
    assigned_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="Items that this person is to decide.", show_default=False)
    ] = None,
    blind: BlindOption = False,
    limit: Annotated[int, typer.Option(min=0, help="Most items to list, the largest effect first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a decision, ranked by what a decision would change. No value is shown."""
    with told_errors():
        opened, keyring = open_project(project)
        queue = review_queue(lake_as_decided(opened, keyring), is_all=status is not None)
        wanted = [pl.col("status").is_in(WAITING) if status is None else pl.col("status") == status.value]
        wanted += [] if kind is None else [pl.col("kind") == kind.value]
        wanted += [] if assigned_to is None else [pl.col("assigned_to") == assigned_to]
        matching = queue.filter(*wanted)
        listed = as_blind(matching.head(limit)) if blind else matching.head(limit)
        if as_json:
            results().print(queue_as_json(listed, is_blind=blind), soft_wrap=True, markup=False)
        else:
            print_queue(listed, matching, is_blind=blind)


@app.command(epilog='Example: custview review show M4F2K9Q7M1X --reveal --as ada --purpose data_quality --reason "ticket 4711"')
def show(  # noqa: PLR0913 -- each is an option of the command
    item: ItemArgument,
    project: ProjectOption = None,
    *,
    blind: BlindOption = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what access.yaml lets you see in full; logged.")] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
) -> None:
    """Print one item: both records side by side, masked, what differs, why it is asked, and what either answer would change."""
    with told_errors():
        opened, keyring = open_project(project)
        snapshot = lake_as_decided(opened, keyring)
        known = Item.of(find_items(snapshot, [item]).row(0, named=True))
        in_full: tuple[str, ...] = ()
        if reveal:
            _assert_has_values(known)
            in_full = log_reveal(
                opened, keyring, f"review show {known.item_id}", Wish(Act.SHOW), Said(user, purpose, reason)
            ).full
        _print_item(opened, keyring, snapshot, (known, in_full), is_blind=blind)


@app.command(epilog="Example: custview review assign M4F2K9Q7M1X V0T6D3HNWQ2 --to ada --due 2026-12-01")
def assign(
    items: Annotated[
        list[str], typer.Argument(metavar="ITEM...", help="Ids of items, as the list shows them.", show_default=False)
    ],
    project: ProjectOption = None,
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="Who is to decide; else they go back.", show_default=False)
    ] = None,
    due: Annotated[
        datetime | None, typer.Option("--due", metavar="DATE", formats=["%Y-%m-%d"], help="Until when.", show_default=False)
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who assigns; else the system's user.", show_default=False)
    ] = None,
) -> None:
    """Give items to somebody, or back to the queue; a run that holds the lake is not waited for."""
    with told_errors(), settings.secrets_withheld():
        now, due_on = datetime.now(UTC), None if due is None else due.date()
        said_by, owner = _name(by, "--by") or os_user(), _name(to, "--to")
        _assert_assignable(owner, due_on, now.date())
        opened, keyring = open_project(project)
        found = find_items(lake_as_decided(opened, keyring), items)
        rows = assignment_rows(found, to=owner, due_on=due_on, by=said_by, now=now)
        is_stored = hand_in(opened, keyring, DecisionBatch.of_assignments(rows, said_by=said_by, said_at=now))
        print_assigned(found["item_id"].to_list(), owner, due_on, is_stored=is_stored)


app.command(epilog=review_decide.DECIDE_EPILOG, context_settings=review_decide.CONTEXT)(review_decide.decide)
app.command(epilog=review_decide.WITHDRAW_EPILOG)(review_decide.withdraw)
app.command(epilog=review_decide.DECISIONS_EPILOG)(review_decide.decisions)
app.command("export", epilog=review_pack.EXPORT_EPILOG)(review_pack.export_pack)
app.command("import", epilog=review_pack.IMPORT_EPILOG)(review_pack.import_decisions)


def _print_item(
    opened: Project, keyring: Keyring, snapshot: Snapshot, asked: tuple[Item, tuple[str, ...]], *, is_blind: bool
) -> None:
    item, in_full = asked
    match ItemKind(item.kind):
        case ItemKind.DELIVERY:
            row = open_delivery(snapshot, item)
            print_item_head(item, is_blind=is_blind)
            print_delivery(item, row)
        case ItemKind.VALUE:
            rivals = open_value(snapshot, keyring, item, in_full=in_full)
            print_item_head(item, is_blind=is_blind)
            print_value(item, rivals)
        case _:
            scales = scales_of(snapshot, opened.rulebook, opened.contracts)
            rules = None if is_blind else Rules(opened.rulebook, opened.contracts, keyring.current(Purpose.ID)[1])
            seen = open_pair(scales, keyring, item, in_full=in_full, rules=rules)
            print_item_head(item, is_blind=is_blind)
            print_pair(item, seen, is_blind=is_blind)


def _assert_has_values(item: Item) -> None:
    """Refuse a reveal that would do nothing.

    Raises:
        ProjectInvalid: The item is about a delivery.
    """
    if item.kind == ItemKind.DELIVERY:
        raise ProjectInvalid("--reveal goes with items that hold values; a delivery is told by counts alone")


def _assert_assignable(to: str | None, due_on: date | None, today: date) -> None:
    """Refuse a day that is over, and one for nobody.

    Raises:
        ProjectInvalid: It is.
    """
    if due_on is not None and to is None:
        raise ProjectInvalid("--due goes with --to NAME: items that go back to the queue are due to nobody")
    if due_on is not None and due_on < today:
        raise ProjectInvalid("--due is over: name today or a day to come")


def _name(written: str | None, option: str) -> str | None:
    if written is None:
        return None
    name = written.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ProjectInvalid(f"{option} must be a name of at most {LONGEST_NAME} characters, on one line")
    return name
