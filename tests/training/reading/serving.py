"""A server of the user's command, in a process of its own, for checks and for the load."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Served(NamedTuple):
    url: str
    process: subprocess.Popen[str]
    told: str


@contextmanager
def serve_env(
    *arguments: object, python: object = sys.executable, variables: dict[str, str] | None = None
) -> Iterator[Served]:
    """`learnact serve-env ARGUMENTS --port 0`; it is told to end, and must do so well."""
    command = [str(python), "-m", "learnact.cli", "serve-env", *map(str, arguments), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=variables) as process:
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        assert told.startswith("http://"), process.stderr.read()
        try:
            yield Served(told.split()[0], process, told)
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert "Traceback" not in said, said


def descendants(pid: int) -> list[int]:
    """A process and all that it started, directly or not."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for place in children for child in place.read_text().split()]
    return [pid, *(one for child in below for one in descendants(child))]


def resident_kb(pids: list[int]) -> int:
    """Their resident memory, kB."""
    total = 0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += int(next((s.split()[1] for s in status.splitlines() if s.startswith("VmRSS")), "0"))
    return total
