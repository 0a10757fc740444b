"""A user's first minute: `pip install learnact-*.whl`, and every command of the help in an empty folder."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml

from learnact.cli.app import COMMANDS
from tests.installed.conftest import ROOT, InstalledCopy

SMALL = (
    *(
        "--address",
        "local",
        "--set",
        "domains=[{name: gripper, train: 1, test: 1}]",
        "--set",
        "repeats.learn=1",
    ),
    *("--set", "learner={candidates: 1, iterations: 1, test_each_iteration: true}"),
)
COMMAND_LINES = {
    "run": "run quickstart --help",
    "submit": "submit --help",
    "status": "status --help",
    "stop": "stop --help",
    "fetch": "fetch --help",
    "synthesize": "synthesize synthesize --dry-run",
    "plan": "plan quickstart",
    "replay": "replay quickstart",
    "fork": "fork --help",
    "report": "report quickstart",
    "view": "view --help",
    "compare": "compare act learnact --run quickstart",
    "export": "export quickstart --to csv",
    "bundle": "bundle quickstart",
    "verify": "verify",
    "serve-env": "serve-env --help",
    "serve-model": "serve-model --help",
    "prompt": "prompt quickstart --purpose create",
    "jobs": "jobs transfer --copy mine.yaml",
    "init": "init new.yaml",
    "methods": "methods learnact",
    "domains": "domains gripper",
    "tasks": "tasks blockworld --n 1",
    "play": "play gripper --json",
    "show": "show quickstart",
    "table": "table 2 quickstart",
    "figure": "figure 3 quickstart --output three",
    "sql": "sql --file success",
    "tidy": "tidy",
    "check-model": "check-model --json",
    "doctor": "doctor --json",
    "simulate": "simulate --help",
}
"""One line for each command; `run`, what serves, and what needs a cluster have tests of their own."""


@pytest.fixture(scope="session")
def first_run(installed: InstalledCopy) -> subprocess.CompletedProcess[str]:
    """A small version of the first command that a user is told to type."""
    return installed("run", "quickstart", *SMALL)


def test_the_wheel_carries_jobs_queries_and_prompts(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    jobs = {
        f"learnact/shipped/jobs/{path.relative_to(ROOT / 'jobs')}" for path in (ROOT / "jobs").rglob("*.yaml")
    }
    assert jobs <= set(held)
    queries = {path.name for path in (ROOT / "learnact/results/queries").glob("*.sql")}
    assert queries == {Path(name).name for name in held if name.startswith("learnact/results/queries/")}
    assert "learnact/py.typed" in held


def test_the_first_command_works(first_run: subprocess.CompletedProcess[str]) -> None:
    assert first_run.returncode == 0, first_run.stderr
    assert "learnact" in first_run.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_works(
    name: str, installed: InstalledCopy, first_run: subprocess.CompletedProcess[str]
) -> None:
    done = installed(*shlex.split(COMMAND_LINES[name]), stdin="move('rooma', 'roomb')\n")
    assert first_run.returncode == 0
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_copied_job_is_that_job(installed: InstalledCopy) -> None:
    copied = installed("jobs", "table7", "--copy", "table7-copy.yaml")
    assert copied.returncode == 0, copied.stderr
    text = (installed.folder / "table7-copy.yaml").read_text()
    assert yaml.safe_load(text) == yaml.safe_load((ROOT / "jobs/paper/table7.yaml").read_text())
    assert installed("plan", "table7-copy.yaml").returncode == 0
    again = installed("jobs", "table7", "--copy", "table7-copy.yaml")
    assert again.returncode == 2
    assert "--force" in again.stderr


def test_the_simulated_model_serves(installed: InstalledCopy) -> None:
    port_file = installed.folder / "port"
    serving = subprocess.Popen(
        [installed.bin / "learnact", "simulate", "--port", "0", "--port-file", port_file],
        cwd=installed.folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert serving.stdout
    with serving:
        url = serving.stdout.readline().split()[0]
        try:
            assert url == f"http://127.0.0.1:{port_file.read_text().strip()}/v1"
            told = installed("check-model", "--base-url", url, "--model", "sim-weak", "--json")
            assert json.loads(told.stdout)["model"] == "sim-weak", told.stderr
        finally:
            serving.send_signal(signal.SIGINT)
