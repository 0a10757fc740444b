"""`learnact serve-model`: what it says and how it ends, with a stand-in for the package with llama.cpp."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

STAND_IN = """
import types
class CommonParams:
    def __init__(self):
        self.model, self.cpuparams, self.cpuparams_batch = (types.SimpleNamespace() for _ in range(3))
class Server:
    def __init__(self, given):
        if given.port == 1:
            raise RuntimeError("the port is taken")
        print(given.model.path, given.n_parallel * 512 == given.n_ctx, given.cpuparams.n_threads, flush=True)
        self.listening_address = "http://127.0.0.1:4711"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "xllamacpp.py").write_text(STAND_IN)
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}


def start(environment: dict[str, str], folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "learnact.cli", "serve-model", str(folder / "tiny.gguf"), *options]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_a_file_and_ends_when_told(
    environment: dict[str, str], tmp_path: Path, ending: signal.Signals
) -> None:
    port_file = tmp_path / "port"
    options = ("--port", "0", "--port-file", str(port_file), "--threads", "3", "--context", "512")
    with start(environment, tmp_path, *options) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{tmp_path / 'tiny.gguf'} True 3\n"
        assert process.stdout.readline().startswith("http://127.0.0.1:4711/v1  ")
        assert port_file.read_text() == "4711"
        process.send_signal(ending)
        assert process.wait(300) == 0


def test_a_port_that_is_taken_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    with start(environment, tmp_path, "--port", "1") as process:
        _, told = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "cannot be served on port 1: the port is taken" in told
