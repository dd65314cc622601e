"""The commands ``custview rulebook show`` and ``diff``: what the rulebook says, and what another one would do."""

from pathlib import Path
from typing import Annotated, Final

import typer

from custview_pipeline.adapters.current_project import find_project
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.cli.entry import ProjectOption, open_project, told_errors
from custview_pipeline.cli.handing_in import lake_as_decided
from custview_pipeline.cli.model_files import read_text
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.cli.rulebook_pages import effect_as_json, print_effect, print_rules, rules_as_json
from custview_pipeline.cli.terminal import results
from custview_pipeline.contracts.project import PROJECT_FILE, Project, parse_project
from custview_pipeline.contracts.rulebook import Rulebook, parse_rulebook
from custview_pipeline.contracts.survivorship_text import spell_out
from custview_pipeline.contracts.yaml_text import YamlText, parse_yaml
from custview_pipeline.flows.effect_examples import examples_of
from custview_pipeline.flows.effective_rules import changed_rules, effective_rules
from custview_pipeline.flows.rulebook_effect import Wanted, foretell
from custview_pipeline.kernel import settings
from custview_pipeline.protection.wrapped_keys import Purpose

HAS_EFFECT: Final = 3
"""Exit code of ``diff`` where the rulebook would change anything."""

app: Final = typer.Typer(
    no_args_is_help=True,
    help="The rulebook: the rules that hold, and what another rulebook would do, before it is applied.",
    epilog="Example: custview rulebook diff new-rulebook.yaml",
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command(epilog="Example: custview rulebook show --project my-project")
def show(project: ProjectOption = None, *, as_json: JsonOption = False) -> None:
    """Print the rules that hold, and where each comes from: a line of the rulebook, a contract, or the defaults."""
    with told_errors():
        opened = load_project(find_project(project))
        rules = effective_rules(opened.rulebook, _written(opened), opened.contracts)
        if as_json:
            results().print(rules_as_json(opened.rulebook, rules), soft_wrap=True, markup=False)
        else:
            print_rules(opened.rulebook, rules)


@app.command(epilog="Exit codes: 0 nothing would change; 3 something would. Example: custview rulebook diff new-rulebook.yaml")
def diff(
    file: Annotated[
        Path, typer.Argument(metavar="NEW.yaml", help="The rulebook to try.", exists=True, dir_okay=False, show_default=False)
    ],
    project: ProjectOption = None,
    *,
    limit: Annotated[int, typer.Option(min=0, help="Examples of each kind.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Tell what the next run would do under another rulebook: merges, splits, records that move, values that change.

    The run is rehearsed in memory and nothing is stored. Counts and ids are told, never a value. Exit code 3 where anything would
    change, so that a script can stop there.
    """
    with told_errors(), settings.secrets_withheld():
        opened, keyring = open_project(project)
        wanted = read_rulebook(file, opened)
        snapshot = lake_as_decided(opened, keyring)
        with LiveProgress() as progress:
            effect = foretell(snapshot, Wanted(wanted, opened.contracts, keyring.current(Purpose.ID)[1]), progress)
        examples = examples_of(snapshot, effect, limit)
        changes = changed_rules(opened.rulebook, wanted)
        if as_json:
            results().print(effect_as_json(effect, examples, changes, wanted.version), soft_wrap=True, markup=False)
        else:
            print_effect(effect, examples, changes)
    raise typer.Exit(HAS_EFFECT if effect.has_any else 0)


def read_rulebook(file: Path, project: Project) -> Rulebook:
    """Return a rulebook to try on a project.

    Raises:
        ProjectInvalid: It cannot be read or used; names file and line.
    """
    sources = [contract.source_system for contract in project.contracts]
    return parse_rulebook(read_text(file), file=str(file), source_systems=sources)


def _written(project: Project) -> YamlText | None:
    """Return the project's rulebook as it is written; None where there is none."""
    name = parse_project(read_text(project.directory / PROJECT_FILE), file=PROJECT_FILE).rulebook
    path = project.directory / name
    return spell_out(parse_yaml(read_text(path), file=name)) if path.exists() else None
