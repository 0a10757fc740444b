"""Walks that the developers recorded are answered alike in another process, and by another Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.domains.family import FamilyDomain
from learnact.records import Task
from tests.domains.families.walking import WALKS, build, families, replay, spec_of, table, why_missing

ROOT = Path(__file__).parents[3]
MOVES = 6
"""A family's walks have at least so many steps; a game of tiny Hanabi is one move."""


def replayed(name: str) -> int:
    """Replay a family's walks; how many steps agreed. Raises `AssertionError` at the first that does not."""
    steps = 0
    with table() as at:
        for kept in json.loads((WALKS / f"{name}.json").read_text(encoding="utf-8")):
            spec = spec_of(name, **kept["options"])
            played = at.open(spec, Task(name, kept["task"], kept["content"]))
            assert played.environment.goal == kept["goal"]
            assert played.environment.first_observation == kept["first_observation"]
            for now, then in zip(replay(played, kept["steps"]), kept["steps"], strict=True):
                assert now == then
                steps += 1
            played.close()
    return steps


def in_a_process(python: str, name: str, hash_seed: str, folder: Path) -> int:
    """Replay in another process, which leaves nothing behind in the folder that it is started in."""
    folder.mkdir()
    program = f"from tests.domains.families.test_walks import replayed; print(replayed({name!r}))"
    done = subprocess.run(
        [python, "-c", program],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        },
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(folder.iterdir())
    return int(done.stdout.splitlines()[-1])


def test_every_family_has_walks():
    assert {path.stem for path in WALKS.glob("*.json")} == set(families())


def test_recorded_walks_are_answered_alike_in_a_new_process(family, tmp_path):
    assert in_a_process(sys.executable, family, "7", tmp_path / "empty") >= MOVES


@pytest.mark.slow
def test_recorded_tasks_are_made_again_from_their_seed(family):
    for kept in json.loads((WALKS / f"{family}.json").read_text(encoding="utf-8")):
        domain = build(family, **kept["options"])
        assert isinstance(domain, FamilyDomain)
        assert kept["content"] in {task.content for task in domain.tasks("test")}


def other_python() -> str:
    """A Python of the other supported version in which learnact can be imported; "" where there is none.
    `LEARNACT_OTHER_PYTHON` names it, else `python3.11` or `python3.12` on the path."""
    other = "python3.12" if sys.version_info[:2] == (3, 11) else "python3.11"
    found = os.environ.get("LEARNACT_OTHER_PYTHON") or shutil.which(other) or ""
    if not found:
        return ""
    done = subprocess.run([found, "-c", "import learnact.domains.registry"], cwd=ROOT, capture_output=True)
    return found if done.returncode == 0 else ""


@pytest.mark.slow
def test_recorded_walks_are_answered_alike_by_another_python(family, tmp_path):
    python = other_python()
    if not python:
        pytest.skip("no other Python with learnact (LEARNACT_OTHER_PYTHON)")
    packages = families()[family].packages
    modules = [] if packages is None else list(packages.modules)
    imported = "; ".join(f"import {name}" for name in modules) or "pass"
    if subprocess.run([python, "-c", imported], capture_output=True).returncode:
        pytest.skip(f"the other Python lacks {', '.join(modules)}")
    assert in_a_process(python, family, "3", tmp_path / "empty") >= MOVES
    assert not why_missing(families()[family])
