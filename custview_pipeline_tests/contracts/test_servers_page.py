"""The servers that docs/contracts.md shows can be used, and its program gives rows."""

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

import custview_pipeline
from custview_pipeline.adapters import python_source
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.odcs import parse_contract

PAGE = (Path(custview_pipeline.__file__).parents[1] / "docs" / "contracts.md").read_text(encoding="utf-8")
WHOLE, *PARTS = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
SERVERS = [part for part in PARTS if part.startswith("servers:")]
KINDS = ["ObjectFiles", "SqlSource", "SqlSource", "SqlSource", "PythonSource"]


def with_servers(servers: str) -> str:
    return WHOLE[: WHOLE.index("servers:")] + servers + WHOLE[WHOLE.index("schema:") :]


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_every_server_of_the_page_can_be_used(place):
    contract = parse_contract(with_servers(SERVERS[place]), file="contracts.md")
    assert type(open_source(Path(), contract)).__name__ == KINDS[place]


def test_every_server_of_the_page_is_tried():
    assert len(SERVERS) == len(KINDS)


def test_the_program_of_the_page_gives_rows(monkeypatch):
    name, place = re.findall(r'^(\w+) = "(.+:\w+)"$', PAGE, re.MULTILINE)[0]
    (code,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    package, api, module = ModuleType("our_package"), ModuleType("our_package.api"), ModuleType("our_package.crm")
    api.pages = lambda _what, changed_since: [[{"id": 1, "customer_name": "Ann"}], [{"id": 2, "customer_name": changed_since}]]
    package.api = api
    for each in (package, api, module):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    exec(compile(code, "docs/contracts.md", "exec"), module.__dict__)  # noqa: S102 -- our own page
    monkeypatch.setattr(python_source, "entry_points", lambda *, group: [EntryPoint(name, place, group)])

    contract = parse_contract(with_servers(SERVERS[-1]), file="contracts.md")
    (batch,) = open_source(Path(), contract).batches()
    assert batch.frame.rows() == [("1", "Ann"), ("2", None)]
