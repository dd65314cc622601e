"""The commands ``custview review export`` and ``import``: pairs as one page for stewards, and their decisions brought back."""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import polars as pl
import typer
from rich.markup import escape

from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.handing_in import hand_in, lake_as_decided
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.model_files import read_text, write_text
from custview_pipeline.cli.pack_page import pack_as_json, pack_as_page
from custview_pipeline.cli.permission import os_user
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.contracts.decision_batch import DecisionBatch
from custview_pipeline.contracts.decision_file import MOST_ITEMS, read_decision_file
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.pack_answers import Checked, Desk, check_answers
from custview_pipeline.flows.review_queue import review_queue
from custview_pipeline.flows.steward_pack import Maker, StewardPack, make_pack, store_pack
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.stewardship.queue import ItemKind

EXPORT_EPILOG: Final = "Example: custview review export --output pack.html --limit 50; then open pack.html in any browser"
IMPORT_EPILOG: Final = "Example: custview review import custview-decisions-P4F2K9Q7M1X.json"
_LARGEST_FILE: Final = 5_000_000  # bytes of a decision file; one of a full pack has a tenth of that


class PackFormat(StrEnum):
    """What a pack is written as."""

    HTML = "html"
    JSON = "json"


class PackKind(StrEnum):
    """Kinds of items that a pack can show: those about two records."""

    PAIR = ItemKind.PAIR.value
    CUSTOMER = ItemKind.CUSTOMER.value


class _Wanted(NamedTuple):
    """What a pack is to hold."""

    limit: int
    kind: PackKind | None
    assigned_to: str | None
    is_blind: bool


def export_pack(  # noqa: PLR0913 -- each is an option of the command
    project: ProjectOption = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.", show_default=False)],
    pack_format: Annotated[
        PackFormat, typer.Option("--format", help="A page for people, or JSON for other programs.")
    ] = PackFormat.HTML,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ITEMS, help="Most pairs, those of the largest effect first.")] = 100,
    kind: Annotated[
        PackKind | None, typer.Option(help="Only pairs of two customers, or of one suspicious customer.", show_default=False)
    ] = None,
    assigned_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this person is to decide.", show_default=False)
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Hide what matching thinks: scores, verdicts, customer ids.")] = False,
) -> None:
    """Write pairs that wait for a decision as one page: masked, side by side, to be decided with the keyboard.

    The page needs no server and no network, and holds no value but masked. It hands back a file with the decisions, which
    custview review import takes in.
    """
    with told_errors(), settings.secrets_withheld():
        opened, keyring = open_project(project)
        wanted = _Wanted(limit, kind, assigned_to, blind)
        run_id = f"pack-{secrets.token_hex(8)}"
        with HeldLake(opened, keyring, run_id).writer() as writer:
            pack = _made(opened, keyring, writer.snapshot(), wanted)
            # A pack that is noted and was not written harms nobody; one that was written and is not known wastes a day's work.
            store_pack(writer, pack, run_id)
        write_text(output, pack_as_page(pack) if pack_format is PackFormat.HTML else pack_as_json(pack))
        _print_made(pack, output)


def import_decisions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the page handed back.", exists=True, dir_okay=False)],
    project: ProjectOption = None,
    *,
    skip_stale: Annotated[
        bool, typer.Option("--skip-stale", help="Leave out answers about records that changed since, instead of refusing all.")
    ] = False,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="Take back standing decisions that say the opposite, instead of refusing all.")
    ] = False,
) -> None:
    """Take in what was decided in a steward pack, all of it or nothing; the next run links by it.

    Refused are files of another lake's pack or of one that was altered, answers to unknown items or given twice, answers about
    records that changed since, and such that contradict one another or what was decided meanwhile.
    """
    with told_errors(), settings.secrets_withheld():
        if file.stat().st_size > _LARGEST_FILE:
            raise ProjectInvalid("is larger than any decision file", file=file)
        handed = read_decision_file(read_text(file), file=str(file))
        opened, keyring = open_project(project)
        user, now = os_user(), datetime.now(UTC)
        desk = Desk(user, now, skips_stale=skip_stale, supersedes=supersede)
        checked = check_answers(lake_as_decided(opened, keyring), keyring, handed, desk)
        is_stored = True
        if checked.rows.height:
            batch = DecisionBatch.of(checked.rows, said_by=user, said_at=now, supersede=supersede)
            is_stored = hand_in(opened, keyring, batch.model_copy(update={"skips_stale": skip_stale}))
        _print_taken(checked, is_stored=is_stored)


def _made(opened: Project, keyring: Keyring, snapshot: Snapshot, wanted: _Wanted) -> StewardPack:
    queue = review_queue(snapshot).filter(pl.col("left_id").is_not_null())
    chosen = [] if wanted.kind is None else [pl.col("kind") == wanted.kind.value]
    chosen += [] if wanted.assigned_to is None else [pl.col("assigned_to") == wanted.assigned_to]
    items = queue.filter(*chosen).head(wanted.limit)
    # The order of effects would tell what matching thinks.
    items = items.sort(pl.col("item_id").str.slice(1)) if wanted.is_blind else items
    maker = Maker(os_user(), datetime.now(UTC), wanted.is_blind)
    return make_pack(scales_of(snapshot, opened.rulebook, opened.contracts), keyring, items, maker)


def _print_made(pack: StewardPack, output: Path) -> None:
    console, count = results(), len(pack.pairs)
    pairs = "1 pair" if count == 1 else f"{count:,} pairs"
    blind = ", blind" if pack.maker.is_blind else ""
    console.print(f"pack {pack.name.pack_id}: {pairs}{blind} in {escape(str(output))}", soft_wrap=True)
    console.print("next: open it in a browser, decide, save the decisions, then")
    console.print(f"custview review import custview-decisions-{pack.name.pack_id}.json", soft_wrap=True)


def _print_taken(checked: Checked, *, is_stored: bool) -> None:
    """Print what was kept, and what was not and why."""
    counts = dict(checked.rows["decision"].value_counts().iter_rows())
    said = ", ".join(
        f"{counts[each]:,} {each.replace('_', ' ')}" for each in ("match", "not_a_match", "unsure") if each in counts
    )
    kept = f"kept {_decisions(checked.rows.height)} ({said})" if said else "nothing new to keep"
    results().print(f"pack {checked.pack_id}: {kept}")
    for count, what in (
        (checked.known_count, "were kept before"),
        (
            checked.reworded_count,
            "of these give another reason now, and the first one stays: withdraw and decide again to mend it",
        ),
        (checked.stale_count, "left out: their records changed since the pack was made"),
        (checked.unanswered_count, "of the pack are not decided yet"),
    ):
        if count:
            results().print(f"  {count:,} {what}")
    if said and is_stored:
        messages().print("custview run links by them")
    elif said:
        messages().print("a run holds the lake: it takes them in before its next stage")


def _decisions(count: int) -> str:
    return "1 decision" if count == 1 else f"{count:,} decisions"
