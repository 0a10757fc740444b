"""`action_format: tools` against two independent OpenAI-compatible servers that packages bring: llama.cpp's
(xllamacpp, with a tiny real model) and LiteLLM's proxy (with a mock reply). Slow: they are real programs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import learnact
from learnact.driver import Summary
from learnact.results.reader import connect
from tests.models.test_local import installed
from tests.results.compare import compare

ROOT = Path(__file__).parents[2]
LITELLM = ROOT / "build" / "litellm"
"""An environment of its own: LiteLLM's dependencies are many, and none of them is ours."""
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}
"""The proxy asks no other host for prices, and takes requests on loopback without a key."""
READY_SECONDS = 300.0
PICK = {"name": "pick", "arguments": json.dumps({"obj": "ball1", "room": "rooma", "gripper": "left"})}

pytestmark = pytest.mark.slow


def job(url: str, name: str, **changes: Any) -> dict[str, Any]:
    model = {"name": name, "base_url": url, "max_tokens": 24, "timeout": 1200.0}
    return {
        "name": "t",
        "domains": {"name": "gripper", "balls": 2, "train": 1, "test": 1},
        "methods": ["act"],
        "models": {"agent": model, "learner": model},
        "rules": {"action_format": "tools"},
        "repeats": {"learn": 1},
        "budget": {"test": {"turns": 3}},
        "limits": {"unreadable": None, **changes},
        "cluster": {"runner": "local"},
    }


async def played(url: str, name: str, results: Path) -> tuple[Summary, Summary]:
    """A run in one go, and one that is ended after a call and goes on."""

    async def run(folder: str, **limits: Any) -> Summary:
        wanted = job(url, name, **limits)
        return await asyncio.to_thread(learnact.run, wanted, results=results / folder, address="local")

    whole = await run("whole")
    assert not (await run("parts", calls=1)).done
    return whole, await run("parts")


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/models", timeout=READY_SECONDS).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"{url} did not answer")


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[str]:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "learnact.models.local", "smollm2", "--port-file", str(port_file)]
    process = subprocess.Popen([*command, "--parent", str(os.getpid())])
    try:
        end = time.monotonic() + READY_SECONDS
        while not port_file.exists() and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port_file.read_text()}/v1"
    finally:
        process.terminate()
        assert process.wait(READY_SECONDS) == 0


@pytest.fixture
def litellm(tmp_path: Path) -> Iterator[str]:
    program = LITELLM / "bin" / "litellm"
    if not program.exists():
        made = [[sys.executable, "-m", "venv", str(LITELLM)]]
        made += [[str(LITELLM / "bin" / "python"), "-m", "pip", "install", "--quiet", "litellm[proxy]"]]
        for command in made:
            if subprocess.run(command, check=False, capture_output=True).returncode:
                pytest.skip("LiteLLM cannot be installed here")
    call = {"id": "call_mock", "type": "function", "function": PICK}
    mock = {"model": "openai/mock", "api_key": "none", "mock_response": "", "mock_tool_calls": [call]}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"model_list": [{"model_name": "mock", "litellm_params": mock}]}))
    port = 20_000 + os.getpid() % 20_000
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, **OFFLINE},
        )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


@installed
async def test_llama_cpp_plays_with_tools(llama: str, tmp_path: Path) -> None:
    """The model may answer nonsense; each of its replies is read, refused or counted."""
    whole, parts = await played(llama, "smollm2", tmp_path)
    assert whole.done
    assert parts.done
    for folder in ("whole", "parts"):
        with connect(tmp_path / folder) as db:
            turns = db.execute("SELECT kind, form, cause FROM turns ORDER BY turn").fetchall()
            cached = db.execute("SELECT cached_tokens > 0 FROM calls ORDER BY ordinal").fetchall()
            failed = db.execute("SELECT count(*) FROM attempts WHERE boundary = 'provider'").fetchall()
        assert len(turns) == 3
        assert all(cause for kind, _, cause in turns if kind == "unreadable")
        assert cached[1:] == [(True,), (True,)]
        assert failed == [(0,)]
    assert {d.table for d in compare(whole.folder, parts.folder)} <= {"calls", "turns", "episodes", "events"}


async def test_litellms_proxy_plays_with_tools(litellm: str, tmp_path: Path) -> None:
    whole, parts = await played(litellm, "mock", tmp_path)
    assert whole.done
    assert parts.done
    with connect(tmp_path / "whole") as db:
        turns = db.execute("SELECT callee, form, ok FROM turns ORDER BY turn").fetchall()
    assert [(callee, form) for callee, form, _ in turns] == [("pick", "tool_call")] * 3
    assert compare(whole.folder, parts.folder) == []
