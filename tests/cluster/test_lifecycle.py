"""Starting and ending Ray sessions: each test in a process of its own, as a user's run is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from learnact.models.temporary import remove_dead
from tests.chaos.harness import until


def script(text: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    source = (
        "import asyncio, os, sys, time\n"
        "from learnact.runners.ray.options import RayOptions\n"
        "from learnact.runners.ray.runner import RayRunner\n"
        "from learnact.errors import *\n"
        "from tests.cluster.workers import Scripted, refusing, unit\n" + text
    )
    return subprocess.run(
        [sys.executable, "-c", source, *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.slow
def test_a_session_ends_clean_and_another_can_follow(tmp_path: Path) -> None:
    done = script(
        """
async def main():
    for workers in (1, 2):
        async with RayRunner(RayOptions(workers=workers, in_flight=2), Scripted) as runner:
            texts = [o.result.text async for o in runner.run(unit(n) for n in range(20))]
            print(len(texts))
    print("RAY_AUTH_TOKEN" in os.environ)
asyncio.run(main())
""",
        LEARNACT_TEST_CLOSED=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["20", "20", "False"]
    slow = ("the machine is busy", "it is started again")
    assert [line for line in done.stderr.splitlines() if not any(word in line for word in slow)] == []
    assert len(list(tmp_path.iterdir())) >= 2


PLAY = """
import signal
async def main():
    async with RayRunner(RayOptions(workers=1), Scripted) as runner:
        print(len([o async for o in runner.run([unit(1)])]))
        if sys.argv[1] == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.slow
def test_nothing_of_ours_is_left_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after a clean end; and what a killed run has left is removed by the next, once its workers are
    gone too."""
    folder = tempfile.mkdtemp(prefix="lc", dir="/tmp")  # Ray's sockets need a short path
    environment = {"TMPDIR": folder, "RAY_TMPDIR": ""}
    try:
        assert script(PLAY, "ends", **environment).stdout.strip() == "1"
        assert os.listdir(folder) == []
        assert script(PLAY, "dies", **environment).returncode == -signal.SIGKILL
        assert any(name.startswith("lact-ray-") for name in os.listdir(folder))
        monkeypatch.setattr(tempfile, "tempdir", folder)
        for _ in until("the workers of the dead driver have gone, and with them their folders"):
            remove_dead()
            if os.listdir(folder) == []:
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_workers_that_cannot_start_say_why() -> None:
    done = script(
        """
async def main():
    try:
        async with RayRunner(RayOptions(workers=1), refusing):
            pass
    except HarnessFailure as failure:
        print(failure)
asyncio.run(main())
"""
    )
    assert "no engine here" in done.stdout, done.stderr


def test_an_address_where_no_cluster_answers() -> None:
    done = script(
        """
async def main():
    try:
        async with RayRunner(RayOptions(address="127.0.0.1:1"), Scripted):
            pass
    except JobError as error:
        print(error)
asyncio.run(main())
""",
        RAY_gcs_rpc_server_reconnect_timeout_s="2",
    )
    assert "ray start --head" in done.stdout, done.stderr
