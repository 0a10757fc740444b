"""How long a person waits: for the help, for a plan, for a finished run to say that it is done."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

JOB = """\
name: bench
domains: [{name: gripper, train: 1, test: 2, balls: [2, 3]}]
methods: [act]
repeats: {learn: 1}
cluster: {runner: local}
"""


def seconds(*arguments: str, times: int = 5) -> float:
    """Median wall-clock seconds of a command."""
    command = [sys.executable, "-c", "from learnact.cli import main; main()", *arguments]
    found = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        found.append(time.perf_counter() - began)
    return median(found)


def run() -> list[dict[str, Any]]:
    """Rows for `make bench`."""
    with tempfile.TemporaryDirectory() as folder:
        job, results = Path(folder) / "job.yaml", str(Path(folder) / "results")
        job.write_text(JOB)
        arguments = ("run", str(job), "--results", results)
        seconds(*arguments, times=1)
        quickstart = str(Path(__file__).parents[2] / "jobs" / "quickstart.yaml")
        return [
            row("learnact --help", seconds("--help"), 0.5),
            row("learnact domains", seconds("domains"), 2.0),
            row("learnact plan jobs/quickstart.yaml", seconds("plan", quickstart, times=3), 5.0),
            row("learnact run of a finished run", seconds(*arguments, times=3), 5.0),
        ]


def row(name: str, value: float, target: float) -> dict[str, Any]:
    """One line of the table."""
    return {"name": name, "value": value, "unit": "s", "target": target}
