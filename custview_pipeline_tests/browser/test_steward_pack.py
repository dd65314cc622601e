"""The page of a steward pack in a browser: decided by keyboard alone, on a phone, in the dark, and without any network."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from custview_pipeline_tests.steward_packs import asking_world, export, review
from custview_pipeline_tests.worlds import World, people

BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]
SECRETS = ("@example.org", "Abernathy", "Maple Street", "Harbour", "555-0", "Oscar")
HOSTILE = "</script><img src=x onerror=alert(1)>"  # as a key of a source may be
CONTRAST = """(selectors) => {
  const parse = (colour) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour[3] > 230) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const selector of selectors) for (const element of document.querySelectorAll(selector)) {
    if (!element.offsetParent || element.disabled) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    found[selector] = Math.min(found[selector] || 99, ratio);
  }
  return found;
}"""
TEXTS = [
    "h1", "h2", ".facts", ".progress p", ".place", ".why", ".label", ".value", ".none", ".pill", ".words", ".source", ".key",
    ".cuid", ".quiet", ".primary", ".strip button", ".hint", ".evidence p", ".evidence th", ".bits", "[data-decide]", ".verdict",
    "select", ".counts dt", ".command",
]  # fmt: skip
LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3


@dataclass
class Desk:
    """A page that is open, and what went wrong or out of it meanwhile."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def decided(self) -> str:
        """Return how many pairs are decided, as the page says it."""
        return self.page.locator("#decided-count").inner_text()

    def place(self) -> str:
        """Return which pair is shown, as the page says it."""
        return self.page.locator(".item:visible .place").inner_text().split(",")[0]

    def save(self, name: str = "ada") -> Path:
        """Save by keyboard, and return the file."""
        with self.page.expect_download() as download:
            self.press("s")
            self.page.keyboard.type(name)
            self.press("Enter")
        return Path(download.value.path())


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """Return a world and the page of its pack."""
    first, *others = people(6, of="crm")
    world = asking_world(tmp_path_factory.mktemp("asking") / "world", [first | {"ref": HOSTILE}, *others])
    path = world.root / "exports" / "pack.html"
    export(world, path)
    return world, path


@pytest.fixture(scope="module")
def browser(asked: tuple[World, Path]) -> Iterator[Browser]:  # noqa: ARG001 -- a run starts event loops, so it goes first
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


def opened(browser: Browser, path: Path, **context: Any) -> Desk:
    page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
    desk = Desk(page)
    page.on("request", lambda request: desk.requests.append(request.url))
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    page.on("console", lambda message: desk.complaints.append(message.text))
    page.on("dialog", lambda dialog: (desk.complaints.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    return desk


@pytest.fixture
def desk(browser: Browser, asked: tuple[World, Path]) -> Iterator[Desk]:
    desk = opened(browser, asked[1])
    yield desk
    desk.page.context.close()
    assert desk.complaints == []


def test_everything_can_be_done_with_the_keyboard_and_comes_back(desk, asked, tmp_path):
    world, _ = asked
    desk.press("1", "n", "3")
    assert (desk.decided(), desk.place()) == ("3", "Pair 4 of 6")
    desk.press("z")
    assert (desk.decided(), desk.place()) == ("2", "Pair 3 of 6")
    desk.press("ArrowLeft", "ArrowLeft")
    assert desk.place() == "Pair 1 of 6"
    assert desk.page.locator(".item:visible .verdict").inner_text() == "You said: match"
    desk.press("r")
    desk.page.keyboard.type("same p")
    desk.press("Tab")
    desk.page.keyboard.type("1 unsure zebra s?")
    desk.press("Escape", "ArrowRight", "ArrowRight", "U")
    assert desk.decided() == "3"
    saved = desk.save()
    content = json.loads(saved.read_text(encoding="utf-8"))
    assert [each["decision"] for each in content["decisions"]] == ["match", "not_a_match", "unsure"]
    assert content["decisions"][0]["reason_code"] == "same_person"
    assert content["decisions"][0]["note"] == "1 unsure zebra s?"
    shutil.copytree(world.root, tmp_path / "world")
    copy = World(tmp_path / "world", world.sources)
    outcome = review(copy, "import", saved)
    assert outcome.code == 0, outcome
    assert "kept 3 decisions (1 match, 1 not a match, 1 unsure)" in outcome.out


def test_every_control_is_reached_by_tab_and_shows_it(desk):
    seen = []
    for _ in range(16):
        desk.press("Tab")
        seen.append(desk.page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.id || e.dataset.decide || e.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
        ))  # fmt: skip
    names = [name for name, *_ in seen]
    assert {"help-button", "save-button", "match", "not_a_match", "unsure", "next", "SELECT", "SUMMARY"} <= set(names)
    assert all(style == "solid" and width >= 2 for name, style, width in seen if name != "BODY"), seen


def test_the_last_decision_asks_to_save(desk):
    desk.press(*"111111")
    assert desk.page.locator("#save-dialog").is_visible()
    assert desk.page.locator("#save-summary").inner_text() == "All 6 pairs are decided."
    assert desk.page.locator("#count-match").inner_text() == "6"
    desk.press("Enter")
    assert "Give your name" in desk.page.locator("#name-error").inner_text() or desk.page.locator("#name:invalid").count()
    desk.press("Escape", "z")
    assert desk.decided() == "5"


def test_a_mind_can_be_changed_and_undone_step_by_step(desk):
    desk.press("1", "ArrowLeft", "2")
    assert desk.page.locator("[data-go='0']").get_attribute("data-decision") == "not_a_match"
    desk.press("z")
    assert desk.page.locator("[data-go='0']").get_attribute("data-decision") == "match"
    desk.press("z")
    assert desk.page.locator("[data-go='0']").get_attribute("data-decision") == ""
    desk.press("z")
    assert desk.decided() == "0"


def test_shortcuts_can_be_switched_off(desk):
    desk.press("?")
    desk.page.locator("#keys-on").uncheck()
    desk.press("Escape", "1")
    assert desk.decided() == "0"
    desk.press("ArrowRight")
    assert desk.place() == "Pair 2 of 6"


def test_progress_is_kept_by_the_browser_and_no_value_with_it(desk):
    desk.press("1", "2")
    desk.page.reload()
    assert (desk.decided(), desk.place()) == ("2", "Pair 3 of 6")
    kept = desk.page.evaluate("JSON.stringify(localStorage)")
    assert "not_a_match" in kept
    assert "***" not in kept


def test_two_windows_of_one_pack_agree(desk):
    other = desk.page.context.new_page()
    other.goto(desk.page.url)
    desk.press("1")
    other.wait_for_function("document.getElementById('decided-count').textContent === '1'")
    assert other.locator("[data-go='0']").get_attribute("data-decision") == "match"


def test_nothing_is_loaded_or_sent_and_nothing_could_be(desk):
    desk.press("1", "2", "?", "Escape")
    desk.save()
    assert [url for url in desk.requests if not url.startswith(("file:", "blob:"))] == []
    assert desk.complaints == []
    refused = desk.page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    desk.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.org/x.png'}))")
    desk.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.owned = 1'}))")
    assert desk.page.evaluate("window.owned") is None
    said, desk.complaints = desk.complaints, []
    assert len(said) >= 3
    assert all("Content Security Policy" in each for each in said if "Failed to load" not in each), said


def test_what_a_source_writes_is_shown_and_never_run(desk):
    assert HOSTILE in desk.page.content().replace("&lt;", "<").replace("&gt;", ">")
    assert desk.page.locator("img").count() == 0
    assert desk.page.locator(".key", has_text="onerror").count() == 1


def test_no_value_is_readable_on_it(desk, asked):
    for text in (asked[1].read_text(encoding="utf-8"), desk.page.evaluate("document.documentElement.outerHTML")):
        assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 2200])
def test_it_fits_the_screen(browser, asked, width):
    desk = opened(browser, asked[1], viewport={"width": width, "height": 740})
    desk.press("1")
    for dialog in ("", "s", "?"):
        desk.press(*dialog)
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), dialog
        desk.press("Escape")
    sizes = desk.page.locator("[data-decide], .step, .tools button").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left >= 0 && r.right <= innerWidth, r.height])"
    )
    assert all(is_inside and height >= 44 for is_inside, height in sizes), sizes
    desk.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough(browser, asked, scheme):
    desk = opened(browser, asked[1], color_scheme=scheme)
    background = desk.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(246, 246, 243)") is (scheme == "light")
    desk.press("1", "2", "3", "ArrowLeft", "s")
    found = desk.page.evaluate(CONTRAST, TEXTS)
    assert set(TEXTS) - set(found) == set()
    assert {selector: ratio for selector, ratio in found.items() if ratio < LEAST_CONTRAST} == {}
    desk.page.context.close()


def test_on_paper_all_pairs_are_there_and_no_control(desk):
    desk.page.emulate_media(media="print")
    assert desk.page.locator(".item:visible").count() == 6
    assert desk.page.locator("button:visible").count() == 0


def test_a_blind_page_shows_no_score(browser, asked):
    world, _ = asked
    path = world.root / "exports" / "blind.html"
    export(world, path, "--blind")
    desk = opened(browser, path)
    text = desk.page.locator("main").inner_text()
    assert "bits" not in text
    assert "CU " not in text
    assert desk.page.locator(".badge").inner_text() == "Blind: scores are hidden"
    desk.page.context.close()
