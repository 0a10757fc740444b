"""`learnact doctor`: every wall of this machine proved, and what it says where the filter cannot be made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.sandbox.confinement import LINUX

COMMAND = [sys.executable, "-c", "import typer; from learnact.cli.doctor import doctor; typer.run(doctor)"]

pytestmark = [pytest.mark.timeout(90), pytest.mark.skipif(not LINUX, reason="the walls are Linux's")]


def doctor(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command; `path` goes before everything else that can be imported."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*([path] if path else []), root]))}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=environment, timeout=80)


def test_every_wall_that_this_machine_offers_is_proved() -> None:
    done = doctor("--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["confined"]) == (0, True)
    walls = {wall["wall"]: wall for wall in report["walls"]}
    assert sum(name.startswith("seccomp: ") for name in walls) == 10
    assert [wall for wall in walls.values() if wall["state"] == "missing"] == []
    assert sum(wall["needed"] for wall in walls.values()) == 10
    assert {name for name in walls if name.startswith("bound: ")} == {
        "bound: CPU time of a call",
        "bound: memory",
        "bound: recursion",
        "bound: primitive actions in one call",
        "bound: output",
        "bound: wall clock",
    }


def test_where_the_filter_cannot_be_made_it_says_what_to_install_and_proves_the_rest(tmp_path: Path) -> None:
    (tmp_path / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')\n")
    done = doctor(path=tmp_path)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    for words in ("apt-get install libseccomp2", "Learned code is refused", "sandbox: trusted"):
        assert words in said
    bounds = [line.split() for line in done.stdout.splitlines() if line.startswith("bound: ")]
    assert len(bounds) == 6 and all("yes" in words for words in bounds)
