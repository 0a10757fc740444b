"""The viewer as a browser meets it: pages, filters, wrong addresses, a run that grows, hostile texts."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from learnact.errors import BadInput
from learnact.pages.episodes import episode_view, sent_prompts
from learnact.viewer import reading, searching
from learnact.viewer.app import application
from learnact.viewer.reading import RunReaders
from learnact.viewer.serving import serve
from tests.pages.conftest import EVIL, EVIL_LIBRARY
from tests.pages.test_report import Page
from tests.report.conftest import write
from tests.results import material

TOKEN = "right-token"


class Browser:
    """Gets pages of a viewer."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    async def get(self, path: str, status: int = 200, token: str = TOKEN, host: str = "127.0.0.1") -> Page:
        answer = await self.client.get(f"/{token}{path}", headers={"Host": host})
        text = await answer.text()
        assert answer.status == status, Page(text).flat[-600:]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        page = Page(text)
        page.headers = answer.headers
        return page


def links(page: Page) -> list[str]:
    return [a["href"] or "" for tag, a in page.tags if tag == "a"]


def link(page: Page, *parts: str) -> str:
    """The first link with all of these, as `Browser.get` takes it."""
    found = [one for one in links(page) if all(part in one for part in parts)]
    assert found, f"no link with {parts} among {links(page)}"
    return found[0].removeprefix(f"/{TOKEN}").partition("#")[0]


async def browse(results: Path) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(application(results, TOKEN))) as client:
        yield Browser(client)


@pytest.fixture
async def browser(folder: Path) -> AsyncIterator[Browser]:
    async for one in browse(folder.parent):
        yield one


async def test_from_the_list_of_runs_to_the_prompt_of_a_turn(browser: Browser, folder: Path) -> None:
    runs = await browser.get("/")
    assert f"run/{folder.name}/" in links(runs)
    assert "28" in runs.flat.split(), "episodes of all phases, from the manifests"
    run = await browser.get(f"/run/{folder.name}/")
    assert "Simulated models" in run.flat
    episodes = await browser.get(link(run, "outcome=failed", "method=act"))
    assert "3 episodes." in episodes.flat
    episode = await browser.get(link(episodes, "#first-failure"))
    assert "first-failure" in episode.ids
    assert "Prompt as sent in turn 1" in episode.flat
    call = await browser.get(link(episode, "/call/1"))
    assert "User message as sent" in call.flat
    assert material.INSTRUCTION.splitlines()[3] in call.text
    assert "sim-strong" in call.flat


def test_a_prompt_is_rebuilt_as_it_was_sent(folder: Path) -> None:
    with RunReaders(folder.parent).open(folder.name) as reader:
        (row,) = reader.rows("SELECT key FROM episodes WHERE phase = 'test' ORDER BY turns DESC, key LIMIT 1")
        view = episode_view(reader.connection, row["key"])
        asked = reader.rows(
            'SELECT ordinal, system, "user", request FROM prompts WHERE unit = ? ORDER BY ordinal',
            [row["key"]],
        )
        assert len(asked) == 20
        prompts = sent_prompts(reader.connection, view)
        for one in asked:
            sent = prompts[one["ordinal"]]
            assert (sent.system, sent.user, sent.request) == (one["system"], one["user"], one["request"])
            text = f"{sent.system}\n\n{sent.user}"
            assert hashlib.sha256(text.encode()).hexdigest()[:24] == sent.request


async def test_two_episodes_of_a_task_stand_side_by_side(browser: Browser, folder: Path) -> None:
    page = await browser.get(f"/run/{folder.name}/episodes?domain=gripper&phase=test&task=gripper-002")
    keys = dict.fromkeys(re.findall(r"episode/([0-9a-f]{24})", " ".join(links(page))))
    assert len(keys) == 2
    one, two = keys
    choice = await browser.get(f"/run/{folder.name}/episode/{one}")
    assert ("option", {"value": two}) in choice.tags
    pair = await browser.get(f"/run/{folder.name}/pair?a={one}&b={two}")
    assert "They differ from turn" in pair.flat
    assert "ended" in pair.flat, "the longer one goes on"
    assert "first-difference" in pair.ids
    same = await browser.get(f"/run/{folder.name}/pair?a={one}&b={one}")
    assert "The two episodes are the same." in same.flat


async def test_libraries_and_trials(browser: Browser, folder: Path) -> None:
    libraries = await browser.get(f"/run/{folder.name}/libraries")
    ids = list(dict.fromkeys(re.findall(r"library/([0-9a-f]{24})", " ".join(links(libraries)))))
    assert material.LIBRARY.id in ids
    one = await browser.get(f"/run/{folder.name}/library/{material.LIBRARY.id}")
    assert "Descent" in one.flat
    assert "def carry(ball, start, end, hand):" in one.flat
    pair = await browser.get(f"/run/{folder.name}/library-pair?a={ids[0]}&b={ids[1]}")
    assert {"ins", "del"} <= {tag for tag, _ in pair.tags}
    trial = await browser.get(f"/run/{folder.name}/trial/learnact-gripper")
    assert "misses a step" in trial.flat


async def test_filters_text_and_pages(browser: Browser, folder: Path) -> None:
    episodes = f"/run/{folder.name}/episodes"
    assert "12 episodes." in (await browser.get(f"{episodes}?phase=test&outcome=solved")).flat
    word = "left holds"
    found = await browser.get(f"{episodes}?text={word.upper()}&phase=test")
    page = await browser.get(link(found, "/episode/", "text="))
    assert "mark" in {tag for tag, _ in page.tags}
    assert "No episode fits." in (await browser.get(f"{episodes}?text=%25nowhere_")).flat
    assert "No episode fits." in (await browser.get(f"{episodes}?page=7")).flat
    for wrong in ("0", "-1", "x", "9" * 30, "%D9%A1"):
        assert "pages are numbered from 1" in (await browser.get(f"{episodes}?page={wrong}", 404)).flat


async def test_a_long_search_goes_on_in_steps_and_finds_each_episode_once(
    browser: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little a page searches or shows, following the links finds what one page finds."""
    episodes = f"/run/{folder.name}/episodes"
    whole = await browser.get(f"{episodes}?text=LEFT+holds&phase=test")
    assert "turns searched; " in whole.flat
    expected = set(re.findall(r"episode/([0-9a-f]{24})", " ".join(links(whole))))
    assert len(expected) > 3
    monkeypatch.setattr(searching, "STEP", 5)
    monkeypatch.setattr(reading, "PAGE", 2)
    monkeypatch.setattr(searching, "SECONDS", 0.0)
    found: list[str] = []
    page, steps = await browser.get(f"{episodes}?text=LEFT+holds&phase=test"), 1
    while "Search on" in page.flat:
        shown = list(dict.fromkeys(re.findall(r"episode/([0-9a-f]{24})", " ".join(links(page)))))
        assert len(shown) <= 2
        assert "turns searched so far" in page.flat
        refreshes = any(attributes.get("http-equiv") == "refresh" for _, attributes in page.tags)
        assert refreshes == (not shown), "a page without a find goes on by itself"
        found += shown
        page, steps = await browser.get(link(page, "/episodes?", "after=")), steps + 1
    found += dict.fromkeys(re.findall(r"episode/([0-9a-f]{24})", " ".join(links(page))))
    assert sorted(found) == sorted(expected)
    assert steps > 3
    nothing = await browser.get(f"{episodes}?text=left&after=nowhere", 404)
    assert "no place that a search can go on from" in nothing.flat


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/run/nothing/", "no run 'nothing'"),
        ("/run/{run}/episode/ffffffffffff", "there is no episode"),
        ("/run/{run}/episode/ffffffffffff/call/0", "there is no episode"),
        ("/run/{run}/library/ffffffffffff", "there is no library"),
        ("/run/{run}/trial/nowhere", "there is no trial"),
        ("/run/{run}/pair?a=ff", "there is no episode"),
        ("/run/{run}/library-pair?a=&b=", "choose two libraries"),
        ("/run/..%2F..%2Fetc/", "no run"),
        ("/run/{run}/nothing", "There is no such page"),
        ("/nothing", "There is no such page"),
        ("/run/{run}/episode/%00'; DROP TABLE x", "there is no episode"),
    ],
)
async def test_wrong_addresses_get_clear_pages(browser: Browser, folder: Path, path: str, told: str) -> None:
    page = await browser.get(path.format(run=folder.name), 404)
    assert told in page.flat
    assert f"/{TOKEN}/" in links(page)


async def test_only_the_right_address_is_answered(browser: Browser, folder: Path) -> None:
    for token in ("wrong", "right-toke", "right-token2", "%C3%A9"):
        page = await browser.get("/", 403, token=token)
        assert "lacks the token" in page.flat
        assert folder.name not in page.flat
    page = await browser.get("/", 403, host="evil.example:80")
    assert folder.name not in page.flat
    assert (await browser.client.get("/", headers={"Host": "127.0.0.1"})).status == 403
    assert (await browser.client.post(f"/{TOKEN}/", headers={"Host": "localhost:1"})).status == 405


async def test_a_run_that_grows_is_read_again_and_refreshed_when_asked(tmp_path: Path) -> None:
    growing = await write(tmp_path, "growing", missing=2)
    async for browser in browse(tmp_path):
        run = f"/run/{growing.name}/"
        assert "Refresh" not in (await browser.get(run)).headers
        assert (await browser.get(f"{run}?live=1")).headers["Refresh"] == "5"
        assert "18 episodes." in (await browser.get(f"{run}episodes?phase=test")).flat
        grown = await write(tmp_path / "more", "growing")
        shutil.rmtree(growing)
        shutil.copytree(grown, growing)
        (growing / "part.0000099.json").write_text('{"schema_version":1,"number":99,"level":0,"rows":{}}')
        assert "20 episodes." in (await browser.get(f"{run}episodes?phase=test")).flat


async def test_a_damaged_run_is_listed_with_the_reason(tmp_path: Path, folder: Path) -> None:
    copied = shutil.copytree(folder, tmp_path / folder.name)
    for part in copied.glob("part.*.json"):
        part.write_text("{")
    async for browser in browse(tmp_path):
        assert "cannot be used" in (await browser.get("/")).flat or "damaged" in (await browser.get("/")).flat
        await browser.get(f"/run/{folder.name}/", 404)


async def test_what_models_wrote_is_text(hostile: Path) -> None:
    async for browser in browse(hostile.parent):
        run = f"/run/{hostile.name}"
        list_page = await browser.get(f"{run}/episodes")
        key = re.findall(r"episode/([0-9a-f]{24})", " ".join(links(list_page)))[0]
        paths = (
            "", f"{run}/", f"{run}/libraries", f"{run}/library/{EVIL_LIBRARY.id}", f"{run}/trial/t",
            f"{run}/episode/{key}", f"{run}/episode/{key}?text=script", f"{run}/pair?a={key}&b={key}",
            f"{run}/library-pair?a={EVIL_LIBRARY.id}&b={EVIL_LIBRARY.id}",
            f"{run}/episodes?text=%3Cscript%3Ealert(1)%3C/script%3E&task=%22%3E%3Cimg%20src=x%3E",
            f"{run}/episodes?method=%3Cscript%3E", f"{run}/episode/{key}/call/0",
        )  # fmt: skip
        for path in paths:
            page = await browser.get(path or "/")
            assert not {"script", "img", "iframe", "object"} & {tag for tag, _ in page.tags}, path
            assert not [n for _, a in page.tags for n in a if n.startswith("on") or n == "style"], path
            assert "\x1b" not in page.text
            assert "\u202e" not in page.text
        wrong = await browser.get(f"{run}/episode/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404)
        assert "script" not in {tag for tag, _ in wrong.tags}
        assert "alert(1)" in wrong.text
        assert EVIL[:20] in (await browser.get("/")).text


def test_it_serves_on_loopback_until_it_is_cancelled(folder: Path) -> None:
    told: list[str] = []

    async def run() -> int:
        ready = asyncio.Event()
        task = asyncio.create_task(serve(folder.parent, 0, lambda url: (told.append(url), ready.set())))
        await ready.wait()
        from aiohttp import ClientSession

        async with ClientSession() as session, session.get(told[0]) as answer:
            status = answer.status
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return status

    assert asyncio.run(run()) == 200
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", told[0])
    assert threading.active_count() < 50


def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="--port"):
            asyncio.run(serve(folder.parent, taken.getsockname()[1], print))
