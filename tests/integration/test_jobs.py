"""A small version of every shipped job runs to its end with the simulated model and prints what it says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.cli.conftest import learnact, learnact_process

pytestmark = pytest.mark.slow
JOBS = Path(__file__).parents[2] / "jobs"
GRIPPER = "{name: gripper, train: 2, test: 2, balls: [2, 3]}"
BLOCKS = "{name: blockworld, train: 2, test: 2, blocks: [3, 4]}"
PLANNING = [f"domains=[{GRIPPER}, {BLOCKS}]", "tasks.train=2"]
TRANSFER = [
    f"learn_on=[{GRIPPER}]",
    "test_on=[{name: gripper, test: 2, balls: [4, 5]}, {name: gripper, test: 2, balls: [2, 3]}]",
]
HOUSES = ["domains=[{name: alfworld-put, train: 1, test: 1}]", "tasks.train=1"]
CHANGED = [
    "domains=[{name: alfworld-put, train: 1, test: 1},"
    " {name: alfworld-put, train: 1, test: 1, perturb: [move-to]},"
    " {name: alfworld-put, train: 1, test: 1, perturb: [reworded]}]",
    "tasks.train=1",
]
TOOLS = ["domains=[{name: tools-tickets, train: 1, test: 1}]", "tasks.train=1"]
GAMES = ["domains=[{name: games-nim, train: 1, test: 1}, {name: games-bargaining, train: 1, test: 1}]"]
GAMES += ["tasks.train=1"]
WIDE = [
    "domains=[{name: babyai-goto, level: easy, train: 1, test: 1}, {name: hotpotqa, level: easy, test: 1},"
]
WIDE = [f"{WIDE[0]} {GRIPPER}]", "tasks.train=1"]
COMBINED = ["domains=[{name: tyreworld, level: easy, composition: true, train: 2, test: 1}]", "tasks.train=2"]
SMALL = {
    "composition.yaml": COMBINED,
    "agentrefine.yaml": WIDE,
    "breadth.yaml": WIDE,
    "quickstart.yaml": PLANNING,
    "rivals.yaml": [*PLANNING, "learner.library_samples=2", "learner.repair_rounds=1"],
    "robotic_planning.yaml": [*PLANNING, "models.agent=sim-strong", "models.learner=sim-strong"],
    "selector.yaml": PLANNING,
    "games.yaml": GAMES,
    "tools.yaml": TOOLS,
    "transfer.yaml": TRANSFER,
    "budget.yaml": PLANNING,
    "simulated.yaml": PLANNING,
    "paper/table2.yaml": PLANNING,
    "paper/table3.yaml": HOUSES,
    "paper/table6.yaml": PLANNING,
    "paper/table7.yaml": PLANNING,
    "paper/figure3.yaml": PLANNING,
    "paper/robustness.yaml": CHANGED,
}


def test_no_job_is_left_out() -> None:
    found = {str(path.relative_to(JOBS)) for path in JOBS.rglob("*.yaml")}
    assert found - {"small_model.yaml", "synthesize.yaml"} == set(SMALL), (
        "small_model needs a real model: tests/small_model_figures.py; synthesize: tests/synthesis"
    )


@pytest.mark.parametrize("name", SMALL)
def test_a_small_version_runs_and_prints(name: str, tmp_path: Path) -> None:
    if SMALL[name] in (HOUSES, CHANGED) and importlib.util.find_spec("alfworld") is None:
        pytest.skip("needs learnact[alfworld]")
    if SMALL[name] is GAMES and importlib.util.find_spec("pyspiel") is None:
        pytest.skip("needs learnact[games]")
    if SMALL[name] is WIDE and importlib.util.find_spec("minigrid") is None:
        pytest.skip("needs learnact[babyai]")
    if SMALL[name] is TOOLS and importlib.util.find_spec("bfcl_eval") is None:
        pytest.skip("needs learnact[tools] and bfcl-eval")
    job, results = JOBS / name, tmp_path / "results"
    settings = [*SMALL[name], "repeats.learn=1", "budget.test.turns=12", "cluster.runner=local"]
    options = [word for setting in settings for word in ("--set", setting)]
    ran = learnact_process("run", job, *options, "--results", results, timeout=1500)
    assert ran.code == 0, ran.err[-3000:]
    assert "say nothing about language models" in ran.out
    bare = "SELECT trial FROM trials WHERE status <> 'done'"
    assert learnact("sql", bare, "--results", results, "--format", "json").json == []
    for command in promised(job):
        told = learnact(
            *command, "--results", results, *(("-o", tmp_path / "drawn") if command[0] == "figure" else ())
        )
        assert told.code == 0, told.err
        assert "simulated" in told.out


def promised(job: Path) -> list[list[str]]:
    """The commands that a job's head names for reading it."""
    head = job.read_text().split("\nname:")[0]
    return [found.split() for found in re.findall(r"learnact ((?:table|figure) \w+ \w+)", head)]
