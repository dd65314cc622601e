"""What the documentation says of the code is true."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import typer
import yaml

import custview_pipeline
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.cli.app import app
from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.odcs import parse_contract
from custview_pipeline.contracts.odcs_quality import METRICS
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.kernel import settings

ROOT = Path(custview_pipeline.__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LARGEST_PICTURE = 400_000  # bytes; a page of the README loads several


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands_in(text: str) -> list[list[str]]:
    """Return the words of every ``custview`` command that a page shows."""
    shown = [*re.findall(r"`(custview [^`]+)`", text), *re.findall(r"^ *(custview [^#\n]+)", text, re.MULTILINE)]
    return [shlex.split(command) for command in shown]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_and_pictures_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_and_their_options_exist(page):
    group = typer.main.get_command(app)
    for _, command, *rest in commands_in(page.read_text(encoding="utf-8")):
        assert command in group.commands, command
        found = group.commands[command]
        found = found.commands[rest[0]] if hasattr(found, "commands") and rest else found
        known = {option for parameter in found.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= known, command


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_targets_of_make_exist(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_modules_and_folders_named_in_code_exist(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:contracts|defs|flows|adapters|kernel|custview_pipeline)/[\w/.*-]+)`", text)
    assert [name for name in named if not is_there(name)] == []


def is_there(name: str) -> bool:
    """Tell whether a path, or the module of ``path.function``, is in the package or beside it."""
    places = (ROOT, ROOT / "custview_pipeline")
    meant = (name.rstrip("/"), f"{name.rpartition('.')[0]}.py")
    return any(any(place.glob(path)) for place in places for path in meant)


def test_pictures_are_small_enough_to_load():
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert {"asset_graph.png", "checks.png", "flow.svg"} <= set(sizes)
    assert [name for name, size in sizes.items() if size > LARGEST_PICTURE] == []


def test_the_readme_lists_every_environment_variable_as_the_code_describes_it():
    rows = dict(re.findall(r"^\| `(CUSTVIEW_\w+)` \| (.+) \|$", README, re.MULTILINE))
    assert rows == settings.DESCRIPTIONS


def test_no_page_names_a_variable_that_does_not_exist():
    for page in PAGES:
        assert set(re.findall(r"CUSTVIEW_[A-Z_]+", page.read_text(encoding="utf-8"))) <= set(settings.DESCRIPTIONS), page.name


def test_the_readme_states_the_exit_codes_as_the_command_does():
    stated = (app.info.epilog or "").removeprefix("Exit codes: ")
    assert stated
    assert " ".join(stated.split()) in " ".join(README.split())


def test_the_readme_tells_settle_time_tries_and_schedule_as_they_are():
    from custview_pipeline.defs.jobs import NIGHTLY
    from custview_pipeline.defs.sensors import SETTLE_SECONDS
    from custview_pipeline.defs.tries import MOST_TRIES

    text = " ".join(README.split())
    assert f"have been still for {SETTLE_SECONDS:.0f}" in text
    assert MOST_TRIES == 3
    assert "three times at most for one content" in text
    minute, hour = str(NIGHTLY.cron_schedule).split()[:2]
    assert f"at {int(hour):02d}:{int(minute):02d} UTC" in text


def test_tables_and_attributes_are_those_of_the_code():
    for path, text in load_script("make_tables").made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run python docs/make_tables.py"


def test_the_dictionary_is_in_english_and_chinese():
    lines = (DOCS / "dictionary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(ATTRIBUTES)
    assert all(row[1].isascii() and not row[2].isascii() for row in rows)


def test_every_table_and_attribute_is_described():
    tables = (DOCS / "tables.md").read_text(encoding="utf-8")
    contracts = (DOCS / "contracts.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", tables, re.MULTILINE) == list(CONTRACTS)
    assert set(re.findall(r"^\| `(\w+)` \|", contracts, re.MULTILINE)) >= set(ATTRIBUTES)
    assert all(f"`{metric}`" in contracts for metric in METRICS)


def test_the_contract_of_the_documentation_can_be_used():
    whole, *parts = re.findall(r"```yaml\n(.+?)```", (DOCS / "contracts.md").read_text(encoding="utf-8"), re.DOTALL)
    assert parse_contract(whole, file="contracts.md").source_system == "crm"
    head = whole[: whole.index("schema:")]
    key = whole[whole.index("      - name: id") : whole.index("      - name: customer_name")]
    for part in (part for part in parts if not part.startswith("servers:")):  # these are tried in contracts.test_servers_page
        schema = part if part.startswith("schema:") else f"schema:\n  - name: customers\n    properties:\n{part}"
        assert parse_contract(head + schema.replace("    properties:\n", f"    properties:\n{key}"), file="contracts.md").columns[
            1:
        ]


def test_the_architecture_names_every_part_of_the_house():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    parts = [path.stem for path in (ROOT / "custview_pipeline").iterdir() if not path.name.startswith(("_", "."))]
    assert [part for part in parts if part != "py" and not re.search(rf"^  {part}[/.]", text, re.MULTILINE)] == []


def test_a_commented_key_of_the_rulebook_of_a_new_project_is_a_key_of_the_rulebook(tmp_path):
    from typer.testing import CliRunner

    CliRunner().invoke(app, ["init", str(tmp_path / "mine")])
    rulebook = tmp_path / "mine" / "rulebook.yaml"
    lines = [line.removeprefix("# ") for line in rulebook.read_text(encoding="utf-8").splitlines()[1:] if line.startswith("# ")]
    rulebook.write_text("\n".join(lines), encoding="utf-8")
    assert set(yaml.safe_load(rulebook.read_text(encoding="utf-8"))) == {
        "matching", "survivorship", "trust", "quality_targets", "continuity_target",
    }  # fmt: skip
    assert load_project(tmp_path / "mine").rulebook


def test_the_script_of_the_pictures_expands_every_group_and_shows_a_check_that_exists():
    from custview_pipeline.validation.rules import rules_of
    from custview_pipeline_tests.defs.test_graph import GROUPS

    script = load_script("take_screenshots")
    contract = load_project(ROOT / "custview_pipeline" / "demo" / "project").contract_of("crm")
    assert script.GROUPS == GROUPS
    assert script.CHECK in {rule.name for rule in rules_of(contract)}
