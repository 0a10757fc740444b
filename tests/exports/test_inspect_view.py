"""Exported logs opened in Inspect AI's own viewer and data frames, in a virtual environment of its own:
$LEARNACT_INSPECT_VENV, or one that is made in build/ (pip's index must be reachable once).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnact.results.reader import connect_folders
from tests.browser import chromium
from tests.installed.conftest import ROOT, dependencies
from tests.report.conftest import folder  # noqa: F401 - a fixture

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.find() is None, reason=chromium.MISSING),
]
INSPECT = ("inspect-ai>=0.3.200,<0.4", "pandas")
FRAMES = """
import json, sys
from inspect_ai.analysis import events_df, messages_df, samples_df
samples, messages = samples_df(sys.argv[1], quiet=True), messages_df(sys.argv[1], quiet=True)
events = events_df(sys.argv[1], quiet=True)
print(json.dumps({
    "success": dict(zip(samples.sample_id, samples.score_success.astype(float))),
    "tokens": int(samples.total_tokens.sum()),
    "roles": messages.role.value_counts().to_dict(),
    "events": events.event.value_counts().to_dict(),
}))
"""


@pytest.fixture(scope="module")
def tools() -> Path:
    """The programs of an environment with inspect-ai and this checkout."""
    place = Path(os.environ.get("LEARNACT_INSPECT_VENV") or ROOT / "build" / "inspect-environment")
    python = place / "bin" / "python"
    if not (place / "bin" / "inspect").exists():
        venv.create(place, with_pip=True, symlinks=True, clear=True)
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *INSPECT],
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"inspect-ai cannot be installed here: {done.stderr[-300:]}")
    (site,) = (place / "lib").glob("python*/site-packages")
    # At the end of the path: packages of the environment come first.
    (site / "zz-learnact.pth").write_text("\n".join([str(ROOT), *dict.fromkeys(dependencies())]) + "\n")
    return place / "bin"


@pytest.fixture(scope="module")
def logs(tools: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    place = tmp_path_factory.mktemp("inspect") / "logs"
    words = ("export", folder.name, "--to", "inspect", "--output", place, "--results", folder.parent)
    command = "import sys; from learnact.cli import main; sys.exit(main())"
    done = subprocess.run(
        [str(tools / "python"), "-c", command, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def viewer(tools: Path, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `inspect view`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = tmp_path_factory.mktemp("view") / "log"
    serve = (str(tools / "inspect"), "view", "start")
    with told.open("w") as out:
        server = subprocess.Popen(
            [*serve, "--log-dir", str(logs), "--host", "127.0.0.1", "--port", str(port)],
            stdout=out,
            stderr=out,
            env={**os.environ, "HOME": str(told.parent)},
        )
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(1500):
            if answers(address) or server.poll() is not None:
                break
            time.sleep(0.2)  # between two questions whether it listens
        assert answers(address), told.read_text()[-2000:]
        yield address
    finally:
        server.terminate()
        server.wait(300)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_the_viewer_shows_a_sample_with_its_messages(
    viewer: str,
    logs: Path,
    folder: Path,  # noqa: F811
) -> None:
    with connect_folders([folder]) as connection:
        ((key, task, goal),) = connection.execute(
            "SELECT key, task, goal FROM episodes WHERE phase = 'test' AND method = 'learnact' AND "
            "domain = 'gripper' ORDER BY task LIMIT 1"
        ).fetchall()
        turns = connection.execute(
            "SELECT said, observation, learned FROM turns WHERE episode = ? ORDER BY turn", [key]
        ).fetchall()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=arguments)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(300_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(viewer)
        page.locator("[role=row]", has_text="learnact/gripper").filter(has_text="learnact").first.wait_for()
        for name in ("learnact/gripper", "learnact/blockworld", "simulated/sim-strong"):
            page.get_by_text(name).first.wait_for()  # the headers are read after the list is shown
        log = next(path.name for path in sorted(logs.iterdir()) if "learnact-gripper" in path.name)
        page.goto(f"{viewer}#/tasks/{log}")
        page.get_by_text(task).first.click()
        page.get_by_text("MESSAGES", exact=False).first.wait_for()
        page.get_by_text(goal[:40]).first.wait_for()
        page.get_by_text("Tool:", exact=False).first.wait_for()
        page.get_by_role("tab", name="Messages").first.click()
        page.get_by_text(turns[0][0]).first.wait_for()
        page.get_by_text(turns[0][1][:40]).first.wait_for()
        page.get_by_text("assistant", exact=False).first.wait_for()
        shots = ROOT / "build" / "screenshots"
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / "inspect-view.png")
        assert errors == []
        browser.close()


def test_its_data_frames_hold_what_the_run_holds(tools: Path, logs: Path, folder: Path) -> None:  # noqa: F811
    done = subprocess.run(
        [str(tools / "python"), "-c", FRAMES, str(logs)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    with connect_folders([folder]) as connection:
        tested = "FROM episodes WHERE phase = 'test'"
        ((number, solved, tokens),) = connection.execute(
            f"SELECT count(*), count(*) FILTER (success), sum(prompt_tokens + completion_tokens) {tested}"
        ).fetchall()
        ((turns, actions, learned),) = connection.execute(
            f"SELECT count(*), count(*) FILTER (kind = 'action'), count(*) FILTER (learned) FROM turns "
            f"WHERE episode IN (SELECT key {tested})"
        ).fetchall()
    assert len(found["success"]) == number
    assert sum(found["success"].values()) == solved
    assert found["tokens"] == tokens
    assert found["roles"]["assistant"] == turns
    assert found["roles"]["system"] == number
    assert found["events"] == {"model": turns, "tool": actions, "sandbox": learned}
