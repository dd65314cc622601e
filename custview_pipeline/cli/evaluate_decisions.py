"""What ``custview evaluate --decisions`` does: holds model and rules against what people decided, before they go live."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from custview_pipeline.cli.entry import FAILED, open_project
from custview_pipeline.cli.evaluate_decisions_pages import Held, held_as_json, print_held
from custview_pipeline.cli.handing_in import lake_as_decided
from custview_pipeline.cli.model_files import read_text
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.rulebook import read_rulebook
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.flows.decision_cases import Tried, judge_cases, weigh_against
from custview_pipeline.flows.model_exchange import read_models
from custview_pipeline.flows.models import find_model
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.model import MatchModel


class Asked(NamedTuple):
    """What is asked of the decisions.

    Attributes:
        rulebook: File of a rulebook to try; None: the project's.
        model: File of models to try, or the version of a stored one; None: those in use.
        at_least: Share of the decisions, 0 to 1, that is to come out; None: as many as with rulebook and models in use.
        limit: How many of those that do not are listed.
        as_json: Whether to print JSON.
    """

    rulebook: Path | None = None
    model: str | None = None
    at_least: float | None = None
    limit: int = 20
    as_json: bool = False


def evaluate_decisions(project: Path | None, asked: Asked) -> int:
    """Print whether model and rules alone come to what people decided, and return the exit code: 1 where too few do."""
    opened, keyring = open_project(project)
    snapshot = lake_as_decided(opened, keyring)
    in_use = Tried(opened.rulebook, opened.contracts)
    rulebook = in_use.rulebook if asked.rulebook is None else read_rulebook(asked.rulebook, opened)
    tried = Tried(rulebook, opened.contracts, {} if asked.model is None else _models(snapshot, asked.model))
    with LiveProgress() as progress:
        now = judge_cases(snapshot, tried, progress)
        before = now if (rulebook, tried.models) == (in_use.rulebook, {}) else judge_cases(snapshot, in_use, progress)
        held = Held(now, before, asked.at_least)
        against = weigh_against(now, held.listed(asked.limit)["decision_id"].to_list())
    if asked.as_json:
        results().print(held_as_json(held, against, asked.limit), soft_wrap=True, markup=False)
    else:
        print_held(held, against, asked.limit)
    return 0 if held.is_enough else FAILED


def _models(snapshot: Snapshot, named: str) -> Mapping[EntityType, MatchModel]:
    """Return the models of a file, or the stored one of a version."""
    path = Path(named)
    found = read_models(read_text(path), file=named) if path.is_file() else (find_model(snapshot, named),)
    return {stored.model.entity_type: stored.model for stored in found}
