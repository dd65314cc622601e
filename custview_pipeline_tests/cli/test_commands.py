"""The commands themselves: help, version, demo, init, up, which project they are about."""

import re
import socket
from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner

from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.cli.app import app

COMMANDS = [command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands]

GROUPS = {
    group.name: [
        command.name or command.callback.__name__.replace("_", "-") for command in group.typer_instance.registered_commands
    ]
    for group in app.registered_groups
}


def invoke(*arguments, **environment):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "100", **environment})


def test_the_commands_are_these():
    assert {"demo", "init", "validate", "run", "up", "show", "reveal", "export", "dictionary"} <= set(COMMANDS)
    assert list(typer.main.get_command(app).commands) == [*COMMANDS, *GROUPS]
    assert GROUPS["quarantine"] == ["list", "show", "release"]
    assert GROUPS["access"] == ["verify", "log", "check"]


def test_the_help_names_every_command_and_the_exit_codes():
    said = invoke("--help").output
    assert all(re.search(rf"^. {command} ", said, re.MULTILINE) for command in [*COMMANDS, *GROUPS])
    assert "Exit codes: 0 good; 1 the run failed or a blocking check failed; 2" in said


@pytest.mark.parametrize(
    "command", [*COMMANDS, *GROUPS, *(f"{group} {command}" for group, commands in GROUPS.items() for command in commands)]
)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_of_a_command_has_an_example(command, flag):
    result = invoke(*command.split(), flag)
    assert result.exit_code == 0
    assert f"Example: custview {command}" in result.output


def test_the_examples_use_options_that_exist():
    for each in (app, *(group.typer_instance for group in app.registered_groups)):
        for command in typer.main.get_group(each).commands.values():
            known = {option for parameter in command.params for option in parameter.opts}
            if not hasattr(command, "commands"):
                assert set(re.findall(r"(?<= )--[a-z-]+", command.epilog or "")) <= known, command.name


def test_the_version_is_that_of_the_package():
    assert invoke("--version").output == f"custview {version('custview-pipeline')}\n"


@pytest.mark.parametrize("arguments", [["--wrong"], ["paint"], ["run", "--paint"], ["show"], ["demo", "x", "--records", "many"]])
def test_wrong_use_is_exit_code_2(arguments):
    assert invoke(*arguments).exit_code == 2


def test_a_demo_is_a_project_with_four_sources(tmp_path):
    result = invoke("demo", tmp_path / "demo", "--records", "200", "--seed", "3")
    assert result.exit_code == 0
    assert re.fullmatch(r"demo world in .*demo: 200 records of \d+ customers \(.*web_shop \d+.*\)\n", result.output)
    assert len(load_project(tmp_path / "demo").contracts) == 4


def test_init_writes_a_project_says_what_is_next_and_never_writes_over_one(tmp_path):
    place = tmp_path / "mine"
    result = invoke("init", place)
    assert result.exit_code == 0
    assert f"custview run --project {place}" in result.output
    assert [contract.source_system for contract in load_project(place).contracts] == ["crm"]
    again = invoke("init", place)
    assert again.exit_code == 2
    assert "nothing was written" in again.output


def test_init_drafts_a_contract_from_a_file_that_stays_where_it_is(tmp_path):
    invoke("demo", tmp_path / "demo", "--records", "200")
    (file,) = (tmp_path / "demo/data/crm").glob("*.csv")
    result = invoke("init", tmp_path / "mine", "--from", file)
    assert result.exit_code == 0, result.output
    assert "stays where it is, the contract refers to it" in result.output
    assert "what names no country is read as of US" in result.output
    assert sorted(path.name for path in (tmp_path / "mine").rglob("*.*")) == [
        "access.yaml", "customers.odcs.yaml", "custview.yaml", "rulebook.yaml",
    ]  # fmt: skip
    run = invoke("run", "--project", tmp_path / "mine", CUSTVIEW_KEYS=str(tmp_path / "keys"))
    assert run.exit_code == 0, run.output
    assert invoke("init", tmp_path / "mine", "--from", file).exit_code == 2
    assert invoke("init", tmp_path / "other", "--from", tmp_path / "absent.csv").exit_code == 2


def test_the_project_that_init_writes_runs_as_it_is(tmp_path):
    invoke("init", tmp_path / "mine")
    result = invoke("run", "--project", tmp_path / "mine", CUSTVIEW_KEYS=str(tmp_path / "keys"))
    assert result.exit_code == 0, result.output
    assert "customers out of 3 records" in result.output


def test_a_directory_that_is_no_project_is_exit_code_2(tmp_path):
    result = invoke("run", "--project", tmp_path)
    assert result.exit_code == 2
    assert "no custview.yaml here; `custview init" in result.output


def test_the_project_may_be_named_by_the_environment_or_be_the_working_directory(tmp_path, monkeypatch):
    invoke("init", tmp_path / "mine")
    (tmp_path / "mine" / "custview.yaml").write_text("name: [")
    assert "custview.yaml:1" in invoke("run", CUSTVIEW_PROJECT=str(tmp_path / "mine")).output
    monkeypatch.delenv("CUSTVIEW_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path / "mine")
    assert "custview.yaml:1" in invoke("run").output


def test_up_refuses_a_port_that_is_taken(tmp_path):
    invoke("init", tmp_path / "mine")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("up", "--project", tmp_path / "mine", "--port", port)
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.output
    assert "choose another with --port" in result.output


def test_a_paragraph_of_help_is_as_wide_as_the_terminal_and_broken_nowhere_else(monkeypatch):
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1000)
    said = CliRunner().invoke(app, ["review", "decide", "--help"]).output
    (paragraph,) = (line for line in said.splitlines() if "match and not-a-match say" in line)
    assert "Only override waits for a run that holds the lake." in paragraph
