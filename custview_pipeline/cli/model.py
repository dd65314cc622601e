"""The commands about match models: ``custview model list``, ``show``, ``train``, ``compare``, ``use``, ``export``, ``import``."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.held_lake import HeldLake
from custview_pipeline.cli.model_files import read_text, write_text
from custview_pipeline.cli.model_pages import (
    model_as_json,
    models_as_json_list,
    print_comparison,
    print_model,
    print_models,
    print_trained,
)
from custview_pipeline.cli.terminal import messages, results
from custview_pipeline.contracts.project import Project
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.match_state import settings_of
from custview_pipeline.flows.model_exchange import models_as_json, read_models
from custview_pipeline.flows.models import StoredModel, active_models, find_model, is_usable, put_to_use, stored_models
from custview_pipeline.flows.rescore_edges import count_decisions
from custview_pipeline.flows.train_model import store_trained, train
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import ProjectInvalid, UnknownModel
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.matching.match import comparisons_that_count
from custview_pipeline.protection.keyring import Keyring

app: Final = typer.Typer(
    no_args_is_help=True,
    help="Match models: what agreement is worth as evidence. Look at them, learn one, compare two, take one to another lake.",
    epilog="Example: custview model show",
)

VersionArgument = Annotated[
    str, typer.Argument(metavar="VERSION", help="Version of a model, or how it begins.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_NEXT: Final = "next: custview run matches with it"


@app.command("list", epilog="Example: custview model list --project my-project")
def list_models(project: ProjectOption = None, *, as_json: JsonOption = False) -> None:
    """List the models of the lake: when they were learned and put to use, from how many records and answers."""
    with told_errors():
        snapshot = _snapshot(*open_project(project))
        models, in_use = stored_models(snapshot), active_models(snapshot)
        if as_json:
            results().print(models_as_json_list(models, in_use), soft_wrap=True, markup=False)
        else:
            print_models(models, in_use)


@app.command(epilog="Example: custview model show 4f1c --json")
def show(
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="Version of a model, or how it begins; else those in use.", show_default=False),
    ] = None,
    project: ProjectOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print a model: what each level of agreement is worth in bits, and how often it occurs in each class of pairs."""
    with told_errors():
        opened, keyring = open_project(project)
        rules = opened.rulebook.matching
        for stored in _chosen(_snapshot(opened, keyring), [] if version is None else [version]):
            if as_json:
                results().print(model_as_json(stored), soft_wrap=True, markup=False)
            else:
                print_model(stored, match_weight=rules.match_weight, review_weight=rules.review_weight)


@app.command("train", epilog="Example: custview model train --dry-run")
def train_models(
    project: ProjectOption = None,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Store the models without putting them to use: custview model use.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing.")] = False,
) -> None:
    """Learn models from the records and the answers of stewards, tell what they change, and put them to use."""
    with told_errors(), settings.secrets_withheld():
        opened, keyring = open_project(project)
        run_id = _run_id()
        if dry_run:
            print_trained(train(_snapshot(opened, keyring), opened.rulebook))
            messages().print("nothing was stored")
            return
        with HeldLake(
            opened, keyring, run_id
        ).writer() as writer:  # held from the first count on, so that no erasure comes between
            trained = train(writer.snapshot(), opened.rulebook)
            if trained:
                store_trained(writer, trained, run_id=run_id, now=datetime.now(UTC), is_kept_only=keep)
        print_trained(trained)
        if not trained:
            messages().print("nothing was stored")
            return
        messages().print("stored; custview model use puts one to use" if keep else _NEXT)


@app.command(epilog="Example: custview model compare 4f1c 9a02")
def compare(one: VersionArgument, other: VersionArgument, project: ProjectOption = None) -> None:
    """Print two models side by side, in bits by level, and what either decides of the stored pairs."""
    with told_errors():
        opened, keyring = open_project(project)
        snapshot, rules = _snapshot(opened, keyring), opened.rulebook.matching
        before, after = find_model(snapshot, one), find_model(snapshot, other)
        if before.model.entity_type is not after.model.entity_type:
            raise ProjectInvalid(f"one is a model of {before.model.entity_type} records, the other of {after.model.entity_type}")
        counted = count_decisions(
            snapshot, before.model, after.model, match_weight=rules.match_weight, review_weight=rules.review_weight
        )
        print_comparison(before, after, counted)


@app.command(epilog="Example: custview model use 4f1c")
def use(version: VersionArgument, project: ProjectOption = None) -> None:
    """Put a stored model to use again; the next run matches with it."""
    with told_errors(), settings.secrets_withheld():
        opened, keyring = open_project(project)
        _put_to_use(opened, keyring, [find_model(_snapshot(opened, keyring), version)])


@app.command("export", epilog="Example: custview model export models.json")
def export_models(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="File to write.", show_default=False)],
    versions: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERSION", help="Versions, or how they begin; else the models in use.", show_default=False),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Write models to a file, for another lake to score with. No value, no token and no term frequency is in it."""
    with told_errors():
        chosen = _chosen(_snapshot(*open_project(project)), versions or [])
        if len({stored.model.entity_type for stored in chosen}) != len(chosen):
            raise ProjectInvalid("a file holds one model of each entity type: name one of them only")
        write_text(file, models_as_json(chosen))
        messages().print(f"wrote {_named(chosen)} to {escape(str(file))}")


@app.command("import", epilog="Example: custview model import models.json")
def import_models(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.json", help="What custview model export wrote.", exists=True, dir_okay=False)
    ],
    project: ProjectOption = None,
) -> None:
    """Take models of another lake, or earlier ones of this, from a file and put them to use.

    They stay in use however this lake grows, until others are: custview model train, use or import. How common a value is stays
    counted in this lake.
    """
    with told_errors(), settings.secrets_withheld():
        models = read_models(read_text(file), file=str(file))
        _put_to_use(*open_project(project), models)


def _put_to_use(opened: Project, keyring: Keyring, models: Sequence[StoredModel]) -> None:
    run_id, settings_now = _run_id(), settings_of(opened.rulebook)
    for model in (stored.model for stored in models):
        if model.comparisons != comparisons_that_count(model.entity_type, settings_now):
            raise ProjectInvalid(
                f"model {model.version} does not compare what matching.compare lets count: a run would learn another one"
            )
    with HeldLake(opened, keyring, run_id).writer() as writer:
        _assert_not_outgrown(writer.snapshot(), models)
        put_to_use(writer, models, run_id=run_id, now=datetime.now(UTC))
    results().print(f"in use: {_named(models)}")
    messages().print(_NEXT)


def _assert_not_outgrown(snapshot: Snapshot, models: Sequence[StoredModel]) -> None:
    counts = dict(current_records(snapshot).group_by("entity_type").len().rows())
    for model in (stored.model for stored in models):
        held = counts.get(str(model.entity_type), 0)
        if not is_usable(model, model.comparisons, held):
            raise ProjectInvalid(
                f"model {model.version} was learned from {model.record_count} records and there are {held}: a run would learn"
                " another one; export and import it to keep it in use"
            )


def _chosen(snapshot: Snapshot, versions: Sequence[str]) -> tuple[StoredModel, ...]:
    if versions:
        return tuple(find_model(snapshot, version) for version in versions)
    in_use = {model.version for model in active_models(snapshot).values()}
    found = tuple(stored for stored in stored_models(snapshot) if stored.model.version in in_use)
    if not found:
        raise UnknownModel("no model is in use yet: custview run learns one where it can compare records")
    return found


def _named(models: Sequence[StoredModel]) -> str:
    return ", ".join(f"{stored.model.entity_type} {stored.model.version}" for stored in models)


def _snapshot(opened: Project, keyring: Keyring) -> Snapshot:
    return DeltaLake(opened.lake, keyring).snapshot()


def _run_id() -> str:
    return f"model-{secrets.token_hex(8)}"
