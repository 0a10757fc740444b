"""Starts the simulated model's server as embedded does, and asks it over HTTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def serving(*options: str, env: dict[str, str] | None = None) -> Iterator[str]:
    """A server of its own; the base URL without `/v1`."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "learnact.simulated", "--port-file", str(port_file), *options]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=env)
        try:
            while not port_file.exists():
                assert child.poll() is None, "the server ended"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port_file.read_text()}"
        finally:
            child.terminate()
            child.wait()


def post(url: str, body: Any, timeout: float = 300.0) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON (or text, where it is none) and headers of a chat completion."""
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            status, raw, headers = response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        status, raw, headers = error.code, error.read(), dict(error.headers)
    try:
        return status, json.loads(raw), headers
    except ValueError:
        return status, raw.decode(), headers


def ask(url: str, prompt: str, model: str = "sim-strong", seed: int = 1, **more: Any) -> str:
    """The text of a reply to one user message."""
    status, reply, _ = post(
        url, {"model": model, "messages": [{"role": "user", "content": prompt}], "seed": seed, **more}
    )
    assert status == 200, reply
    return str(reply["choices"][0]["message"]["content"])


def get(url: str) -> Any:
    """JSON behind a URL."""
    with urllib.request.urlopen(url, timeout=300) as response:
        return json.loads(response.read())
