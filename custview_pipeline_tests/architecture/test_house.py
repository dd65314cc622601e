"""The rules of the house that no linter knows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import custview_pipeline

HOUSE = Path(custview_pipeline.__file__).parent
TESTS = Path(__file__).parents[1]
MODULES = sorted(HOUSE.rglob("*.py"))
ROOMS = (
    "ingestion", "standardisation", "validation", "protection", "matching", "survivorship", "stewardship", "audit", "views",
)  # fmt: skip
WITHOUT_DAGSTER = ("kernel", "contracts", *ROOMS, "adapters", "flows", "demo")
LONGEST_MODULE_LINES = 400


def modules_of(layer):
    """Return the dotted names of all modules of a layer."""
    paths = (path.relative_to(HOUSE.parent).with_suffix("") for path in sorted((HOUSE / layer).rglob("*.py")))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_module_can_be_read_in_one_sitting_and_opens_with_its_charter(module):
    text = module.read_text("utf-8")

    assert len(text.splitlines()) <= LONGEST_MODULE_LINES
    assert ast.get_docstring(ast.parse(text)), "a module opens with one sentence on what lives here"


def test_the_rooms_open_without_dagster():
    imports = ", ".join(name for layer in WITHOUT_DAGSTER for name in modules_of(layer))
    program = f"import sys; sys.modules['dagster'] = None; import {imports}"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_no_other_room_and_nothing_above(room):
    allowed = {"kernel", "contracts", room}
    for path in (HOUSE / room).rglob("*.py"):
        parts = [name.split(".") for name in imported_by(path) if name.startswith("custview_pipeline.")]
        assert {part[1] for part in parts} <= allowed, path.name


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_reads_no_file_and_no_environment(room):
    forbidden = {"os", "pathlib", "shutil", "tempfile", "subprocess", "socket", "urllib", "requests", "logging"}
    # The keyring and its kin draw random bytes from the system, which is no state of the world outside.
    if room == "protection":
        forbidden -= {"os"}
    for path in (HOUSE / room).rglob("*.py"):
        assert not {name.split(".")[0] for name in imported_by(path)} & forbidden, path.name


def test_every_room_and_layer_has_its_tests_under_the_same_name():
    folders = {path.name for path in HOUSE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}

    assert folders - {"cli"} <= {path.name for path in TESTS.iterdir() if path.is_dir()}
