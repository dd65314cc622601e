"""``custview up`` on a live project: UI, sensors, a refresh that nobody started, and an end that leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil
import pytest
from playwright.sync_api import sync_playwright

from custview_pipeline_tests.worlds import SourceSpec, World, make_world, people

pytestmark = [pytest.mark.slow, pytest.mark.browser]

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 180.0  # seconds; how long something may take on a machine that others use too


def until(what: str, found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.5)
    pytest.fail(f"waited in vain: {what}")


@dataclass(frozen=True)
class Server:
    """A running ``custview up``."""

    world: World
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Return the address of its UI."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str) -> dict[str, Any]:
        """Return the answer of GraphQL; nothing while it does not answer."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
                connection.request("POST", "/graphql", json.dumps({"query": query}), {"Content-Type": "application/json"})
                return json.load(connection.getresponse())["data"]
        except (OSError, HTTPException):
            return {}

    def runs(self) -> list[dict[str, Any]]:
        """Return its last runs."""
        answer = self.ask("{runsOrError(limit: 10) {... on Runs {results {runId status tags {key value}}}}}")
        return answer.get("runsOrError", {}).get("results", [])

    def ticks(self) -> dict[str, int]:
        """Return how often each sensor has ticked, up to 3."""
        place = '{repositoryName: "__repository__", repositoryLocationName: "custview"}'
        wanted = "{... on Sensors {results {name sensorState {ticks(limit: 3) {status}}}}}"
        sensors = self.ask(f"{{sensorsOrError(repositorySelector: {place}) {wanted}}}").get("sensorsOrError", {})
        return {sensor["name"]: len(sensor["sensorState"]["ticks"]) for sensor in sensors.get("results", [])}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    world = make_world(tmp_path_factory.mktemp("up"), SourceSpec("crm"))
    world.deliver("crm", people(30, of="crm"))
    assert world.refresh().code == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "custview_pipeline", "up", "--project", str(world.directory), "--port", str(port)]
    environment = {name: value for name, value in {**os.environ, **world.environment}.items() if value is not None}
    # As a shell script starts it: with SIGINT ignored, which a careless server would inherit.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        signal.signal(signal.SIGINT, before)
        running = Server(world, process, port)
        try:
            until("the UI answers", running.runs)
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)


def test_the_ui_shows_the_run_of_the_command_line(server):
    (run,) = server.runs()
    assert run["status"] == "SUCCESS"
    assert {"key": "custview/started_by", "value": "cli"} in run["tags"]


def test_it_listens_on_the_loopback_alone(server):
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    places = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert places == {"127.0.0.1"}


def test_sensors_tick(server):
    assert until("the sensor ticks", server.ticks)["crm_changed"] >= 1


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_the_graph_without_a_dialog_over_it(server, tmp_path):
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server.url}/asset-groups/?expanded=global@global:matching", wait_until="domcontentloaded")
        page.get_by_text("crosswalk").first.wait_for(timeout=60_000)
        page.screenshot(path=tmp_path / "graph.png")
        assert page.locator("[role=dialog]").count() == 0
        browser.close()
    assert errors == []


def test_a_changed_source_is_taken_in_without_anyone_starting_it(server):
    known = {run["runId"] for run in server.runs()}
    server.world.deliver("crm", people(35, of="crm"))

    def finished() -> list[dict[str, Any]]:
        return [run for run in server.runs() if run["runId"] not in known and run["status"] in {"SUCCESS", "FAILURE"}]

    (run,) = until("a run of the sensor ends", finished)
    assert run["status"] == "SUCCESS"
    assert {"key": "custview/source", "value": "crm"} in run["tags"]
    assert server.world.export("crosswalk").count(b"\n") == 36


def test_ctrl_c_ends_it_and_everything_it_started(server):
    family = psutil.Process(server.process.pid).children(recursive=True)
    assert len(family) >= 4
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(PATIENCE) == 0
    assert [process.name() for process in family if process.is_running()] == []
