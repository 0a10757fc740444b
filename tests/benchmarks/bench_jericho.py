"""Text adventures: opening, a command, and memory, of the cave game and of a game file, beside the bare
packages on the same commands in the same run. Without the packages there are no rows of theirs; the game
file is one that TextWorld compiles (made once, then cached)."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMANDS = (
    "enter", "get lamp", "get keys", "exit", "south", "south", "south", "unlock grate", "look", "inventory",
    "go east", "go west", "go north", "go south", "take coin", "frobnicate",
)  # fmt: skip
STEPS = 200
OPENINGS = 10
MEMORY = """
import json, resource, sys
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20
from learnact.domains.jericho.domain import JERICHO
domain = JERICHO(json.loads(sys.argv[1]))
task = domain.tasks("test")[0]
domain.open(task).close()
before = rss()
kept = [domain.open(task) for _ in range(4)]
for environment in kept:
    for command in json.loads(sys.argv[2]):
        environment.call("do", [command], {})
print(rss() - before)
"""


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target; times are CPU times."""
    if not all(map(importlib.util.find_spec, ("jericho", "adventure"))):
        return []
    rows = _rows("cave", {"level": "hard", "train": 1}, _bare_cave)
    if importlib.util.find_spec("textworld") is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = _game_file(Path(folder))
            rows += _rows("game file", {"games": folder, "train": 1}, lambda: _bare_file(file))
    return rows


def _rows(
    name: str, options: dict[str, Any], bare: Callable[[], Callable[[str], object]]
) -> list[dict[str, Any]]:
    from learnact.domains.jericho.domain import JERICHO

    domain = JERICHO(options)
    task = domain.tasks("test")[0]
    environment = domain.open(task)
    rng = random.Random(1)
    walk = [rng.choice(COMMANDS) for _ in range(STEPS)]
    steps = [_seconds(lambda c=command: environment.call("do", [c], {})) for command in walk]
    environment.close()
    opened = [_seconds(lambda: domain.open(task).close()) for _ in range(OPENINGS)]
    stock = bare()
    stock_steps = [_seconds(lambda c=command: stock(c)) for command in walk]
    stock_opened = [_seconds(bare) for _ in range(OPENINGS)]
    command = [sys.executable, "-c", MEMORY, json.dumps(options), json.dumps(walk)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        {"name": f"open, {name}", "value": statistics.median(opened) * 1e3, "unit": "ms", "target": 200},
        {"name": f"step, {name}", "value": statistics.mean(steps) * 1e3, "unit": "ms", "target": 5},
        {"name": f"open, {name}, stock", "value": statistics.median(stock_opened) * 1e3, "unit": "ms"},
        {"name": f"step, {name}, stock", "value": statistics.mean(stock_steps) * 1e3, "unit": "ms"},
        {
            "name": f"memory of four episodes, {name}",
            "value": float(done.stdout.splitlines()[-1]),
            "unit": "MiB",
            "target": 50,
        },
    ]


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _bare_cave() -> Callable[[str], object]:
    from adventure import load_advent_dat
    from adventure.game import Game

    game = Game(seed=1)
    load_advent_dat(game)
    game.start()
    game.do_command(["no"])
    return lambda command: game.do_command(command.split()[:2])


def _bare_file(file: Path) -> Callable[[str], object]:
    import warnings

    import jericho

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = jericho.FrotzEnv(str(file), 1)
    interpreter.reset()
    step: Callable[[str], object] = interpreter.step
    return step


def _game_file(folder: Path) -> Path:
    """Two copies of a game, one to learn from."""
    from learnact.domains.textworld import making
    from learnact.domains.textworld.tasks import GameSpec

    made = making.make([GameSpec(kind="coin", seed=11, settings={"level": 103}, version="1.7.0")])[0]
    assert isinstance(made, making.MadeGame)
    for name in ("a.z8", "b.z8"):
        shutil.copy(made.folder / "tw-game.z8", folder / name)
    return folder / "b.z8"
