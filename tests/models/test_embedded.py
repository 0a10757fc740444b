"""The embedded server's life: one for a node, ended with its parent, started anew when it dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from learnact.errors import ProviderFailure
from learnact.models.embedded import Embedded
from learnact.models.pool import ModelPool
from learnact.records import ModelSpec, Prompt
from tests.models.test_pool import PROMPT, QUICK

COMMAND = (sys.executable, "-m", "tests.models.tiny_server")
SIMULATED = ModelSpec("sim", simulated=True)


def gone(pid: int, seconds: float = 300.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


async def test_it_starts_at_first_use_and_ends_with_the_pool(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path / "node", command=COMMAND)
    async with ModelPool(embedded, QUICK) as pool:
        replies = await asyncio.gather(*(pool.complete(SIMULATED, PROMPT, s, str(s)) for s in range(8)))
        pid = json.loads((tmp_path / "node" / "server.json").read_text())["pid"]
        assert not gone(pid, 0.1)
    assert {e.reply.text for e in replies} == {"look()"}
    assert gone(pid)


async def test_the_processes_of_a_node_share_one(tmp_path: Path) -> None:
    one, two = (Embedded(tmp_path, parent=os.getpid(), command=COMMAND) for _ in range(2))
    urls = await asyncio.gather(one.url(), two.url())
    assert urls[0] == urls[1]
    two.close()
    one.close()


async def test_a_killed_server_is_started_anew(tmp_path: Path) -> None:
    async with ModelPool(Embedded(tmp_path, command=COMMAND), QUICK) as pool:
        await pool.complete(SIMULATED, PROMPT, 1, "e")
        pid = json.loads((tmp_path / "server.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        reply = (await pool.complete(SIMULATED, PROMPT, 1, "e")).reply
        assert reply.text == "look()"
        assert json.loads((tmp_path / "server.json").read_text())["pid"] != pid


async def test_it_ends_with_the_process_named_as_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    embedded = Embedded(tmp_path, parent=parent.pid, command=COMMAND)
    await embedded.url()
    pid = json.loads((tmp_path / "server.json").read_text())["pid"]
    parent.kill()
    parent.wait()
    assert gone(pid)


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path, command=(sys.executable, "-c", "raise SystemExit('no room for models')"))
    with pytest.raises(ProviderFailure, match="no room for models"):
        await embedded.url()


async def test_the_simulated_model_is_served(tmp_path: Path) -> None:
    """The real server: the same question gets the same answer from either of its processes, and it leaves
    with the pool."""
    model = ModelSpec("sim-strong", simulated=True)
    prompt = Prompt("", ("Say: hello",), "")
    async with ModelPool(Embedded(tmp_path, processes=2), QUICK) as pool:
        replies = await asyncio.gather(*(pool.complete(model, prompt, 1, str(n)) for n in range(12)))
        pid = json.loads((tmp_path / "server.json").read_text())["pid"]
    assert len({e.reply.text for e in replies}) == 1
    assert {e.reply.model for e in replies} != {""}
    assert all(e.reply.tokens.prompt > 0 for e in replies)
    assert gone(pid)
