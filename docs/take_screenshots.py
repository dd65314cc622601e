"""Takes the pictures of the README: a demo in a temporary folder, the main job, a live UI, headless Chromium."""

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from custview_pipeline.kernel import settings

IMAGES: Final = Path(__file__).parent / "images"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
GROUPS: Final = ("ingestion", "validation", "protection", "matching", "survivorship", "views", "audit")
START_SECONDS: Final = 180
PAGE_MS: Final = 60_000
DRAW_MS: Final = 4_000
CANVAS_CORNER: Final = (300, 660)
LATE_ROWS: Final = 60  # of the CRM, which come with the second delivery
CHECK: Final = "completeness__full_name__required"


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--records", type=int, default=5000, help="source records of the demo")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory, keys = Path(temporary) / "demo", Path(temporary) / "keys"
        environment = settings.child_environment({settings.KEYS: str(keys)})
        custview("demo", str(directory), "--records", str(arguments.records), environment=environment)
        deliver_twice(directory, environment)
        pack = directory / "pack.html"
        custview("review", "export", "--project", str(directory), "--output", str(pack), environment=environment)
        with served(directory, environment) as url, chromium() as browser:
            take_all(browser, url, arguments.output)
            take_pack(browser, pack, arguments.output)


def deliver_twice(directory: Path, environment: dict[str, str]) -> None:
    """Run the job on a part of the CRM and then on the whole, so that there is a history to see."""
    (file,) = (directory / "data" / "crm").glob("*.csv")
    whole = file.read_bytes()
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:-LATE_ROWS]))
    custview("run", "--project", str(directory), environment=environment)
    file.write_bytes(whole)
    custview("run", "--project", str(directory), environment=environment)


def take_pack(browser: Browser, pack: Path, folder: Path) -> None:
    """Take the first pair of a steward pack."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
    page = context.new_page()
    page.goto(pack.as_uri())
    page.wait_for_timeout(DRAW_MS)
    page.screenshot(path=folder / "steward_pack.png")
    context.close()


def take_all(browser: Browser, url: str, folder: Path) -> None:
    """Take the asset graph, the checks of a source and the columns of a table."""
    folder.mkdir(parents=True, exist_ok=True)
    with window(browser, url, width=1580, height=700) as page:
        expanded = ",".join(f"global@global:{group}" for group in GROUPS)
        page.goto(f"{url}/asset-groups/?expanded={expanded}", wait_until="domcontentloaded")
        page.get_by_text("audit_findings").first.wait_for(timeout=PAGE_MS)
        page.get_by_placeholder("Jump to").locator("xpath=following::button[1]").click(timeout=PAGE_MS)
        page.mouse.dblclick(*CANVAS_CORNER)  # fits the graph into the room that the panel left
        page.wait_for_timeout(DRAW_MS)
        page.set_viewport_size({"width": 1650, "height": 700})  # room for the buttons on the right
        take(page, "audit_findings", folder / "asset_graph.png")
    with window(browser, url, width=1400, height=860) as page:
        page.goto(f"{url}/assets/crm_validation?view=checks&checkDetail={CHECK}", wait_until="domcontentloaded")
        take(page, "failed_count", folder / "checks.png")
        page.goto(f"{url}/assets/crm_protected", wait_until="domcontentloaded")
        take(page, "payload_sealed", folder / "asset.png")


def take(page: Page, awaited: str, path: Path) -> None:
    """Take a picture of a page when a text has come and everything around it was fetched and drawn."""
    page.get_by_text(awaited).first.wait_for(timeout=PAGE_MS)
    page.wait_for_timeout(DRAW_MS)
    page.mouse.move(1, 1)
    page.screenshot(path=path)


@contextmanager
def window(browser: Browser, url: str, *, width: int, height: int) -> Iterator[Page]:
    """Open a page of its own, its navigation folded away; pictures have three pixels for two."""
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=1.5)
    page = context.new_page()
    page.goto(f"{url}/asset-groups", wait_until="domcontentloaded")
    page.get_by_text("Hide navigation").click(timeout=PAGE_MS)
    yield page
    context.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is installed."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit(f"no browser found: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def custview(*arguments: str, environment: dict[str, str]) -> None:
    """Run a command of ours to its end."""
    subprocess.run([sys.executable, "-m", "custview_pipeline", *arguments], env=environment, check=True)  # noqa: S603 -- ours


@contextmanager
def served(directory: Path, environment: dict[str, str]) -> Iterator[str]:
    """Serve the UI of a project on a free port of this machine; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "custview_pipeline", "up", "--project", str(directory), "--port", str(port)]
    with subprocess.Popen(command, env=environment) as server:  # noqa: S603 -- our own interpreter and arguments
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/server_info")
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def wait_for(url: str) -> None:
    """Wait until a page of this machine answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 -- on the loopback
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    raise SystemExit(f"the UI did not answer within {START_SECONDS} s")


if __name__ == "__main__":
    main()
