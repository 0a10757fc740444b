"""A run that is stopped in the middle keeps what it has, and the same command again ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import JOB, learnact, learnact_process

ROOT = Path(__file__).parents[2]


def in_the_background() -> None:
    """What a shell without job control does for `command &`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("stop", "started"),
    [
        pytest.param(signal.SIGINT, None, id="SIGINT-foreground"),
        pytest.param(signal.SIGINT, in_the_background, id="SIGINT-background", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, None, id="SIGTERM-foreground", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, in_the_background, id="SIGTERM-background"),
        pytest.param(signal.SIGHUP, None, id="SIGHUP-foreground", marks=pytest.mark.slow),
    ],
)
def test_stopped_and_continued(
    stop: signal.Signals, started: Callable[[], None] | None, slow_speaker: str, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(JOB.format(url=slow_speaker))
    arguments = [
        "run",
        str(tmp_path / "job.yaml"),
        "--results",
        str(tmp_path / "results"),
        "--set",
        "methods=[act]",
    ]
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from learnact.cli import main; main()",
            *arguments,
            "--set",
            "cluster.in_flight=1",
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=started,
    )
    deadline = time.monotonic() + 600
    while (
        not list(tmp_path.glob("results/*/episodes*"))
        and time.monotonic() < deadline
        and process.poll() is None
    ):
        time.sleep(0.05)
    process.send_signal(stop)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 128 + stop, err
    assert f"interrupted by {stop.name}; the same command again continues" in err
    assert "unfinished" in out and "interrupted" in out
    assert "Traceback" not in err
    kept = learnact(
        "sql", "SELECT count(*) AS n FROM episodes", "--results", tmp_path / "results", "--format", "json"
    )
    before = kept.json[0]["n"]
    assert 1 <= before < 6
    again = learnact_process(*arguments, "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["unfinished"] == []
    assert f"done now {6 - before} episodes, 0 requests, {before} found" in again.err.splitlines()[-1]
