"""The command ``custview sample-review``: draw a blind sample of pairs, and take in what people answered."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.written_rows import read_rows
from custview_pipeline.adapters.written_tables import TableFormat, write_table
from custview_pipeline.audit.blind_sample import Thresholds
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.permission import AsOption, PurposeOption, ReasonOption, Said, log_reveal, os_user
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.sample_pages import print_drawn, print_rates, rates_as_json
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.reclustering import near_misses
from custview_pipeline.flows.sample_answers import check_answers, rates_of_answers, store_answers
from custview_pipeline.flows.sample_review import SAID, Request, draw_sample, lay_out, store_sample
from custview_pipeline.flows.weighing import scales_of
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.permission import Act, Wish

EPILOG: Final = (
    "Example: custview sample-review 200 --out pairs.csv; and when it is filled in: custview sample-review --answers pairs.csv"
)
_MOST_PAIRS: Final = 10_000
_LARGEST_SEED: Final = 2**31


def sample_review(  # noqa: PLR0913 -- each is an option of the command
    count: Annotated[
        int | None, typer.Argument(metavar="N", min=1, max=_MOST_PAIRS, help="Pairs to draw.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="CSV file for the pairs, for people to answer.", show_default=False),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The same file, answered: check it, keep the answers, print the rates.",
            exists=True,
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=_LARGEST_SEED, help="The same seed draws the same pairs; else chance decides.", show_default=False
        ),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="With --out: the values that access.yaml lets you see, in full; logged.")
    ] = False,
    user: AsOption = None,
    purpose: PurposeOption = None,
    reason: ReasonOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="With --answers: print JSON, for scripts.")] = False,
) -> None:
    """Measure matching where nobody knows the truth: people judge a blind sample of pairs.

    The file has both records of each pair side by side, values masked, and beside them whether they are equal; no score, and no
    hint of what matching decided. Fill in answer (same, different or unsure) and reviewer, and hand it back with --answers: that
    prints the false-merge and the missed-merge rate with 95 % confidence intervals, and keeps the answers as decisions, by which
    later runs link.
    """
    with told_errors(), settings.secrets_withheld():
        _assert_usable(count, out, answers, is_drawing=reveal or seed is not None, as_json=as_json)
        opened, keyring = open_project(project)
        if answers is not None:
            _take_in(opened, keyring, answers, as_json=as_json)
        elif count is not None and out is not None:
            drawn_by = secrets.randbelow(_LARGEST_SEED) if seed is None else seed
            said = Said(user, purpose, reason) if reveal else None
            _draw(opened, keyring, out, (count, drawn_by), said)


def _assert_usable(count: int | None, out: Path | None, answers: Path | None, *, is_drawing: bool, as_json: bool) -> None:
    """Refuse what is not one of both, or has options that would do nothing.

    Raises:
        ProjectInvalid: It is.
    """
    if answers is None:
        if count is None or out is None:
            raise ProjectInvalid("say how many pairs to draw and where to write them, N --out FILE; or --answers FILE")
        if as_json:
            raise ProjectInvalid("--json goes with --answers only")
    elif count is not None or out is not None or is_drawing:
        raise ProjectInvalid("--answers takes no N, --out, --seed or --reveal: draw a sample, or hand in its answers")


def _draw(opened: Project, keyring: Keyring, out: Path, wanted: tuple[int, int], said: Said | None) -> None:
    """Draw a sample, keep what its answers will need, and write the file."""
    run_id = f"sample-{secrets.token_hex(8)}"
    matching = opened.rulebook.matching
    thresholds = Thresholds(matching.match_weight, matching.review_weight)
    with LiveProgress() as progress:
        snapshot = DeltaLake(opened.lake, keyring).snapshot()
        weak = near_misses(scales_of(snapshot, opened.rulebook, opened.contracts), progress)
    with HeldLake(opened, keyring, run_id).writer() as writer:
        snapshot = writer.snapshot()
        sample = draw_sample(snapshot, Request(*wanted, thresholds, weak), run_id=run_id)
        sample_id = sample["sample_id"][0]
        in_full: tuple[str, ...] = ()
        if said is not None:
            in_full = log_reveal(opened, keyring, f"sample-review {sample_id}", Wish(Act.EXPORT), said).full
        write_table(lay_out(snapshot, keyring, sample, in_full=in_full), out, TableFormat.CSV)
        store_sample(writer, sample, run_id=run_id)
    print_drawn(sample, str(out))


def _take_in(opened: Project, keyring: Keyring, file: Path, *, as_json: bool) -> None:
    """Check answers, keep them, and print what they say."""
    run_id, rows = f"answers-{secrets.token_hex(8)}", read_rows(file, SAID)
    with HeldLake(opened, keyring, run_id).writer() as writer:
        answers = check_answers(writer.snapshot(), rows, file=str(file))
        stored = store_answers(writer, answers, os_user(), datetime.now(UTC), run_id=run_id, file=str(file))
    rates = rates_of_answers(answers)
    if as_json:
        results().print(rates_as_json(answers, rates), soft_wrap=True, markup=False)
    else:
        print_rates(answers, rates)
    kept = f"kept {stored:,} answers as decisions: custview run links by them" if stored else "the answers were kept before"
    messages().print(escape(kept))
