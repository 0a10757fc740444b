"""The report and the viewer in headless Chromium: no error, nothing cut off or overlapping on a desk and a
telephone, every control reached by the keyboard, no serious fault found by axe; screenshots in
build/screenshots.

axe-core (MPL-2.0) comes with the package axe-playwright-python; nothing of it is part of learnact.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from learnact.pages.report import write_report
from learnact.report.data import ReportData
from learnact.results.reader import connect_folders
from learnact.viewer.serving import serve
from tests.browser import chromium
from tests.pages.conftest import write_hostile
from tests.report.conftest import write

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.skipif(chromium.find() is None, reason=chromium.MISSING)
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
LAYOUT = (Path(__file__).parent / "layout.js").read_text()
SCREENS = [(1440, "light"), (390, "dark")]


class Tab:
    """A tab of the browser that keeps what its console said."""

    def __init__(self, context) -> None:
        self.page = context.new_page()
        self.told: list[str] = []
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("requestfailed", lambda request: self.told.append(f"not loaded: {request.url}"))


@pytest.fixture(scope="module")
def browser(places) -> Iterator:
    """Started after `places`: Playwright's loop stays in this thread, which has none before."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.find(), args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module", params=SCREENS, ids=lambda screen: f"{screen[0]}-{screen[1]}")
def screen(request, browser) -> Iterator:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield width, f"{width}-{scheme}", context
    context.close()


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Addresses of pages by name: of a report and a viewer over an ordinary and a hostile run."""
    results = tmp_path_factory.mktemp("browser")
    ordinary, hostile = asyncio.run(write(results)), asyncio.run(write_hostile(results))
    found: dict[str, str] = {}
    for name, folder in ("report", ordinary), ("hostile", hostile):
        with connect_folders([folder]) as connection:
            index = write_report(ReportData(connection, results), results / name, 5).index
        found[name] = index.as_uri()
        found[f"{name}-trial"] = next((results / name / "learned").iterdir()).as_uri()
        found[f"{name}-episode"] = next((results / name / "episodes").iterdir()).as_uri()
    with connect_folders([ordinary]) as connection:
        rows = connection.execute(
            "SELECT key FROM episodes WHERE phase = 'test' AND task = 'gripper-004' ORDER BY method"
        ).fetchall()
        libraries = connection.execute("SELECT DISTINCT library FROM libraries ORDER BY 1").fetchall()
    with serving(results) as home:
        run, (one, two) = f"{home}run/{ordinary.name}", [row[0] for row in rows]
        found |= {
            "runs": home,
            "run": f"{run}/",
            "episodes": f"{run}/episodes",
            "episode": f"{run}/episode/{two}",
            "call": f"{run}/episode/{two}/call/1",
            "pair": f"{run}/pair?a={one}&b={two}",
            "trial": f"{run}/trial/learnact-gripper",
            "libraries": f"{run}/libraries",
            "library": f"{run}/library/{libraries[0][0]}",
            "library-pair": f"{run}/library-pair?a={libraries[0][0]}&b={libraries[1][0]}",
            "hostile-run": f"{home}run/{hostile.name}/",
            "hostile-episodes": f"{home}run/{hostile.name}/episodes",
        }
        yield found


class serving:  # noqa: N801 - used as a function
    """The viewer in a thread of its own; gives its address."""

    def __init__(self, results: Path) -> None:
        self._results, self._urls, self._ready = results, list[str](), threading.Event()
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> str:
        def told(url: str) -> None:
            self._urls.append(url)
            self._ready.set()

        self._task = self._loop.create_task(serve(self._results, 0, told))
        self._thread = threading.Thread(target=self._until_cancelled)
        self._thread.start()
        assert self._ready.wait(600)
        return self._urls[0]

    def _until_cancelled(self) -> None:
        self._loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))
        self._loop.close()

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()


NAMES = (
    "report", "report-trial", "report-episode", "hostile", "hostile-trial", "hostile-episode", "runs", "run",
    "episodes", "episode", "call", "pair", "trial", "libraries", "library", "library-pair", "hostile-run",
    "hostile-episodes",
)  # fmt: skip


AXE_ON_A_TELEPHONE = ("report", "report-trial", "episodes", "episode", "pair", "library-pair")
"""These have every kind of part and colour."""


def serious_faults(tab: Tab) -> list[str]:
    """What axe-core finds that is serious or critical."""
    tab.page.evaluate((files(axe) / "axe.min.js").read_text())
    found = tab.page.evaluate("() => axe.run(document, {preload: false, resultTypes: ['violations']})")
    return [
        f"axe {fault['id']} ({fault['impact']}): "
        + "; ".join(node["html"][:120] for node in fault["nodes"][:3])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_pages_look_right_and_axe_finds_no_serious_fault(screen, places) -> None:
    width, name, context = screen
    SHOTS.mkdir(parents=True, exist_ok=True)
    assert set(NAMES) == set(places)
    problems = []
    for place in NAMES:
        tab = Tab(context)
        tab.page.goto(places[place])
        tab.page.screenshot(path=SHOTS / f"{place}-{name}.png", full_page=True)
        problems += [f"{place}: {problem}" for problem in tab.page.evaluate(LAYOUT)]
        tab.page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
        problems += [f"{place}, all open: {problem}" for problem in tab.page.evaluate(LAYOUT)]
        if width > 1000 or place in AXE_ON_A_TELEPHONE:
            problems += [f"{place}: {fault}" for fault in serious_faults(tab)]
        problems += [f"{place}: console: {text}" for text in tab.told]
        tab.page.close()
    assert not problems, "\n".join(problems)


def test_the_measure_of_the_layout_finds_what_is_wrong(browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    wrong = {
        "lies over": "<p style='position:absolute'>one</p><p style='position:absolute'>two</p>",
        "cut off": "<main><p style='width:40px;overflow:hidden;white-space:nowrap'>a long text</p></main>",
        "wide in a window": "<p style='width:500px'>wide</p>",
        "beyond the page": "<p style='position:absolute;left:-60px'>some text to the left</p>",
    }
    for told, content in wrong.items():
        page.set_content(content)
        assert told in " ".join(page.evaluate(LAYOUT))
    page.set_content("<main><p>one</p><p>two</p></main>")
    assert page.evaluate(LAYOUT) == []
    page.close()


@pytest.mark.parametrize("place", ["report", "episodes", "episode", "libraries"])
def test_the_keyboard_reaches_every_control(place, browser, places) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(places[place])
    controls = page.evaluate(
        """() => {
            const kinds = "a[href], summary, button, select, input:not([type=hidden])";
            const seen = [...document.querySelectorAll(kinds)].filter(e => e.checkVisibility());
            seen.forEach((e, i) => { e.dataset.place = i; });
            return seen.length;
        }"""
    )
    reached = set()
    for _ in range(controls + 40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.dataset.place ?? ''"))
        if len(reached - {""}) == controls:
            break
    page.close()
    assert {str(number) for number in range(controls)} <= reached


def test_the_keyboard_opens_a_chart_s_data(browser, places) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(places["report"])
    summary = page.locator("figure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("figure details").first.get_attribute("open") is not None
    assert "SELECT" in page.locator("figure pre").first.inner_text()
    page.close()


def test_a_failed_episode_is_two_clicks_away(browser, places) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(places["runs"])
    page.get_by_role("link", name=re.compile("^small")).click()
    page.get_by_role("link", name=re.compile("failed of act on gripper")).click()
    page.get_by_role("link", name="failed").first.click()
    assert page.evaluate("() => document.querySelector(':target').id") == "first-failure"
    assert "failed" in page.locator(":target h3").inner_text()
    page.close()


def test_the_report_prints(browser, places, tmp_path) -> None:
    page = browser.new_page()
    page.goto(places["report"])
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert not page.locator("nav").first.is_visible()
    page.set_viewport_size({"width": 700, "height": 900})  # what A4 leaves between its margins
    assert page.locator("thead").first.is_visible()
    cut_off = page.evaluate(
        "() => [...document.querySelectorAll('table, pre, figure, td')].filter("
        "e => e.getBoundingClientRect().right > innerWidth).map(e => e.innerText.slice(0, 80))"
    )
    assert cut_off == []
    page.close()
