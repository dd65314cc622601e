"""No library's error text can get out: how errors are raised again, what is said of them, who logs, what becomes metadata."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import custview_pipeline
from custview_pipeline.kernel import errors

HOUSE: Final = Path(custview_pipeline.__file__).parent
MODULES: Final = {path.relative_to(HOUSE).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(HOUSE.rglob("*.py"))}
EACH_MODULE: Final = pytest.mark.parametrize("module", MODULES)
OURS: Final = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.CustviewError)}

# What may be asked of an error that a library raised: things that are no text of its message.
DISCREET: Final = frozenset(
    {
        "__traceback__",
        "errno",
        "start",  # of a UnicodeDecodeError: a position
        "strerror",  # the system's own words for an errno
        "schema_errors",  # of pandera: objects, of which name and positions are taken
    }
)
# Functions that are given an error, each reviewed: what they take from it is names, kinds and positions.
REVIEWED: Final = frozenset(
    {"type", "isinstance", "_redacted", "_reason", "_unreadable", "_places", "invalid_model", "kind_and_place"}
)
# Uses of one error in one module, each reviewed, and why nothing of a row can come along.
REVIEWED_USES: Final = {
    ("adapters/delivery_file.py", "error.object"): "its length",
    ("adapters/project_directory.py", "error.object"): "line breaks in it are counted",
    ("adapters/sniffed_file.py", "error.object"): "its length",
    ("adapters/erasure_ledger.py", "{error}"): "a ValueError of our own, which has the number of a line",
    ("contracts/odcs.py", "str(error)"): "a ValueError of our own about what the contract says; no row is at hand there",
    ("contracts/odcs_limits.py", "str(error)"): "a ValueError of our own about what the contract says; no row is at hand there",
    ("contracts/yaml_text.py", "getattr(error, 'reason', 'unreadable text')"): "one of three sentences of the reader's",
}
SPEAKING: Final = frozenset(
    {"print", "breakpoint", "warnings.warn", "traceback.print_exc", "traceback.format_exc", "dg.get_dagster_logger"}
)
LOGS: Final = {
    "kernel/silent_process.py": {"logging", "sys.stderr.write"},  # makes log records silent, and says what nobody caught
    "adapters/excel_files.py": {"logging"},  # turns a library's own log off
    "defs/resources.py": {"dg.get_dagster_logger"},  # since when another run has been writing
    "defs/sensors.py": {"context.log.info"},  # that a source can be looked at again: its name
    "defs/alerts.py": {"context.log.error", "context.log.warning"},  # alerts: names and counts, for whoever gets no e-mail
}
METADATA_OF_DAGSTER: Final = frozenset(
    {"MetadataValue", "TableRecord", "TableSchema", "TableColumn", "TableMetadataValue", "Output", "AssetObservation"}
)
DAGSTER: Final = [module for module in MODULES if module.startswith(("defs/", "launch/")) or module == "definitions.py"]


def handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


def caught(handler: ast.ExceptHandler) -> set[str]:
    """Return the names of the types that a handler catches."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind).split(".")[-1] for kind in types if kind is not None}


def line(module: str, node: ast.AST) -> str:
    return f"{module}:{getattr(node, 'lineno', 0)} {ast.unparse(node)}"


def chained(tree: ast.AST) -> list[ast.AST]:
    """Return the raising of errors that show another one: as their cause, or because they do not say that they have none."""
    with_cause = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.cause is not None]
    in_handlers = [node for each in handlers(tree) for node in ast.walk(each) if isinstance(node, ast.Raise) and node.exc]
    return [node for node in {*with_cause, *in_handlers} if not isinstance(node.cause, ast.Constant)]


@EACH_MODULE
def test_an_error_that_takes_the_place_of_another_does_not_bring_it_along(module):
    assert [line(module, node) for node in chained(MODULES[module])] == []


def uses(handler: ast.ExceptHandler) -> Iterator[ast.AST]:
    """Yield what is done with a caught error, one node a use, without what is known to be discreet."""
    parents = {child: node for node in ast.walk(handler) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(handler):
        if isinstance(node, ast.Name) and node.id == handler.name:
            around = parents[node]
            is_attribute = isinstance(around, ast.Attribute) and around.attr in DISCREET
            is_given = isinstance(around, ast.Call) and ast.unparse(around.func) in REVIEWED
            if not (is_attribute or is_given):
                yield around


def taken(tree: ast.AST) -> list[ast.AST]:
    """Return what is taken from errors of libraries, without what is known to be discreet."""
    return [use for each in handlers(tree) if each.name and not caught(each) <= OURS for use in uses(each)]


@EACH_MODULE
def test_of_an_error_of_a_library_nothing_is_taken_that_may_quote(module):
    strange = [use for use in taken(MODULES[module]) if (module, ast.unparse(use)) not in REVIEWED_USES]
    assert [line(module, use) for use in strange] == []


def test_no_reviewed_use_is_gone():
    found = {
        (module, ast.unparse(use))
        for module, tree in MODULES.items()
        for each in handlers(tree)
        if each.name
        for use in uses(each)
    }
    assert set(REVIEWED_USES) <= found


def said(tree: ast.AST) -> set[str]:
    """Return what a module says past its results: imports of logging, calls that print, warn or log."""
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    spoken = {call for call in calls if call in SPEAKING or call.startswith(("context.log.", "sys.stdout.", "sys.__std"))}
    return spoken | imported & {"logging", "pdb"} | {call for call in calls if call.startswith("sys.stderr.write")}


@EACH_MODULE
def test_nobody_logs_prints_or_warns(module):
    assert said(MODULES[module]) <= LOGS.get(module, set())


FORBIDDEN: Final = {
    "try: f()\nexcept ValueError as error: raise LakeError('x') from error": chained,
    "try: f()\nexcept ValueError: raise LakeError('x')": chained,
    "raise LakeError('x') from OSError()": chained,
    "try: f()\nexcept ValueError as error: raise LakeError(f'bad: {error}') from None": taken,
    "try: f()\nexcept ValueError as error: raise LakeError(str(error)) from None": taken,
    "try: f()\nexcept ValueError as error: raise LakeError(repr(error)) from None": taken,
    "try: f()\nexcept ValueError as error: raise LakeError(error.args[0]) from None": taken,
    "try: f()\nexcept (LakeError, KeyError) as error: said = '%s' % error": taken,
    "try: f()\nexcept pl.exceptions.PolarsError as error: raise LakeError('x', error) from None": taken,
    "import logging": said,
    "print(row)": said,
    "context.log.info(row)": said,
    "warnings.warn(row)": said,
    "sys.stderr.write(row)": said,
}


@pytest.mark.parametrize("source", FORBIDDEN)
def test_these_rules_see_what_they_forbid(source):
    assert FORBIDDEN[source](ast.parse(source))


@EACH_MODULE
def test_no_report_of_failing_values_is_asked_for(module):
    asked = {node.attr for node in ast.walk(MODULES[module]) if isinstance(node, ast.Attribute)}
    assert not asked & {"failure_cases", "add_output_metadata", "add_asset_metadata", "log_event"}


@pytest.mark.parametrize("module", [module for module in DAGSTER if module != "defs/metadata.py"])
def test_metadata_are_made_in_one_place(module):
    tree = MODULES[module]
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "dg"}
    assert not used & METADATA_OF_DAGSTER
    given = [
        word.value for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords if word.arg == "metadata"
    ]
    made = {"told", "validation_metadata"}
    named = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in made
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    strangers = [
        line(module, value)
        for value in given
        if not (isinstance(value, ast.Call) and ast.unparse(value.func) in made)
        and not (isinstance(value, ast.Name) and value.id in named)
    ]
    assert strangers == []


@pytest.mark.parametrize("module", DAGSTER)
def test_what_dagster_calls_is_silenced_from_its_first_line(module):
    for function in (node for node in ast.walk(MODULES[module]) if isinstance(node, ast.FunctionDef)):
        made_by = {ast.unparse(made.func if isinstance(made, ast.Call) else made) for made in function.decorator_list}
        if made_by & {"dg.multi_asset", "dg.asset", "dg.op", "dg.asset_check", "dg.definitions", "dg.schedule"}:
            body = [node for node in function.body if not isinstance(node, ast.Expr)]
            assert isinstance(body[0], ast.With), function.name
            assert ast.unparse(body[0].items[0].context_expr).startswith(("stage(", "silenced(")), function.name


def test_a_failure_is_made_where_a_stage_ends_and_nowhere_else():
    failing = [module for module, tree in MODULES.items() if "dg.Failure" in ast.unparse(tree)]
    assert failing == ["defs/stages.py"]
