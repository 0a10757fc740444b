"""A run's identity: a changed prompt, method or domain is a new run, and comments or URLs are not (issue
10).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "learnact"
RUN = """
import json, sys
sys.path.insert(0, {root!r})
import learnact
summary = learnact.run({{"name": "x", "domains": {{"name": "gripper", "train": 1, "test": 2, "balls": 2}},
    "methods": "act", "models": {{"agent": "sim-weak"}}, "repeats": {{"learn": 1}}}},
    results={results!r}, address="local")
print(json.dumps([summary.run, summary.executed, learnact.__file__]))
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the package that has played the job, and the run's id."""
    root = tmp_path_factory.mktemp("played")
    shutil.copytree(PACKAGE, root / "learnact", ignore=shutil.ignore_patterns("__pycache__"))
    run_id, executed = run(root)
    assert executed == 2
    return root, run_id


@pytest.fixture
def copy(played: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the package and of its run, to be changed."""
    shutil.copytree(played[0], tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def run(root: Path) -> tuple[str, int]:
    """The run's id, and how many units it executed."""
    script = RUN.format(root=str(root), results=str(root / "results"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    run_id, executed, place = json.loads(done.stdout.splitlines()[-1])
    assert Path(place).is_relative_to(root)
    return run_id, executed


def changed(place: str, old: str, new: str) -> Callable[[Path], None]:
    """Replaces text in a file of the copied package."""

    def change(root: Path) -> None:
        path = root / "learnact" / place
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed("methods/prompts/agent/system.txt", "You solve tasks", "You do tasks"),
        changed("methods/turn_agent.py", "while not run.over:", "while not run.over and True:"),
        changed("methods/base.py", "return budget.turns", "return budget.turns + 0"),
        changed("domains/planning/data/gripper.yaml", "grippers", "hands"),
        changed("methods/program.py", "if not turn.ok:", "if not turn.ok and True:"),
    ],
    ids=[
        "a prompt",
        "a method's code",
        "what all methods share",
        "a domain's text",
        "what learners try with",
    ],
)
def test_what_decides_results_makes_a_new_run(
    played: tuple[Path, str], copy: Path, change: Callable[[Path], None]
) -> None:
    change(copy)
    run_id, executed = run(copy)
    assert run_id != played[1]
    assert executed == 2


def test_comments_change_nothing_and_the_run_continues(played: tuple[Path, str], copy: Path) -> None:
    changed("methods/turn_agent.py", '"""Each turn', '"""Every turn')(copy)
    assert run(copy) == (played[1], 0)
