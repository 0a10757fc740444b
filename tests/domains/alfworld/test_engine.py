"""Our engine is the stock engine: side by side, text, admissible commands, facts and success are equal at
every step."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.domains.alfworld.generation import generated
from learnact.domains.alfworld.task_types import TASK_TYPES
from tests.domains.alfworld.conftest import needs_extra, published_games

pytestmark = needs_extra


def problem_of(path: Path) -> str:
    return str(json.loads(path.read_text())["pddl_problem"])


def test_a_generated_game_agrees_with_the_stock_engine(cache):
    from tests.domains.alfworld.stock import compare

    (path,) = generated(TASK_TYPES["examine"], "valid_unseen", 3, 1)
    assert compare(problem_of(path), "new", 25, seed=1) > 5


def test_a_real_game_agrees_with_the_stock_engine(cache, real_games):
    from tests.domains.alfworld.stock import compare

    path = next(p for p in real_games if "pick_two" in str(p))
    assert compare(problem_of(path), "published", 40, seed=2) > 5


@pytest.mark.slow
@pytest.mark.parametrize("number", range(24))
def test_300_random_steps_agree_with_the_stock_engine(cache, number):
    """The twelve real games where they are, generated ones of all types otherwise; both surfaces."""
    from tests.domains.alfworld.stock import compare

    kinds = list(TASK_TYPES.values())
    real = published_games()
    if number < len(real):
        path = real[number]
    else:
        path = generated(kinds[number % 6], "valid_unseen", 3, [number // 6])[0]
    compare(problem_of(path), ("published", "new")[number % 2], 300, seed=number)


@pytest.mark.slow
def test_nothing_grows_over_1000_games(cache):
    paths = [
        str(p)
        for kind in ("put", "heat", "examine")
        for p in generated(TASK_TYPES[kind], "valid_unseen", 3, 4)
    ]
    program = """
import json, random, sys
from learnact.domains.alfworld.content import GameContent
from learnact.domains.alfworld.environment import AlfworldEnvironment
from learnact.domains.alfworld.language import Language
contents = []
for path in sys.argv[1:]:
    problem = json.load(open(path))["pddl_problem"]
    contents.append(GameContent(kind="put", goal="x", problem=problem))
rng, sizes = random.Random(0), []
for number in range(1000):
    environment = AlfworldEnvironment(contents[number % len(contents)], Language(), "x")
    for _ in range(3):
        environment.text(rng.choice(sorted(environment._game.commands())))
    environment.close()
    if number in (199, 999):
        sizes.append(int(open("/proc/self/statm").read().split()[1]) * 4096 // 2**20)
print(json.dumps(sizes))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *paths], capture_output=True, text=True, timeout=600, check=True
    )
    early, late = json.loads(done.stdout.strip().splitlines()[-1])
    assert late - early < 10, f"grew from {early} to {late} MB"
