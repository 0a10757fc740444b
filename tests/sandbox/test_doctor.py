"""`learnact doctor`: every layer of this machine tested, and its output where the filter cannot be made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.sandbox.confinement import LINUX

COMMAND = [sys.executable, "-c", "import typer; from learnact.cli.doctor import doctor; typer.run(doctor)"]

pytestmark = pytest.mark.skipif(not LINUX, reason="the confinement needs Linux")


def doctor(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command; `path` goes before everything else that can be imported."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*([path] if path else []), root]))}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=environment, timeout=600
    )


def test_every_layer_that_this_machine_offers_holds() -> None:
    done = doctor("--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["confined"]) == (0, True)
    layers = {layer["wall"]: layer for layer in report["walls"]}
    assert sum(name.startswith("seccomp: ") for name in layers) == 10
    assert [layer for layer in layers.values() if layer["state"] == "missing"] == []
    assert sum(layer["needed"] for layer in layers.values()) == 10
    assert {name for name in layers if name.startswith("bound: ")} == {
        "bound: CPU time of a call",
        "bound: memory",
        "bound: recursion",
        "bound: primitive actions in one call",
        "bound: output",
        "bound: wall clock",
    }


def test_where_the_filter_cannot_be_made_it_says_what_to_install_and_tests_the_rest(tmp_path: Path) -> None:
    (tmp_path / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')\n")
    done = doctor(path=tmp_path)
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    for words in ("apt-get install libseccomp2", "Learned code is refused", "sandbox: trusted"):
        assert words in said
    bounds = [line.split() for line in done.stdout.splitlines() if line.startswith("bound: ")]
    assert len(bounds) == 6 and all("yes" in words for words in bounds)
