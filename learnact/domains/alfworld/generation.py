"""Making generated games: each verified by the engine's planner, then kept in the official layout, so that
any user of ALFWorld can load them.

Below the cache folder, `generated/v1-published-seed0/` is a whole ALFWORLD_DATA folder
(`json_2.1.1/{train,valid_unseen}/TASK/TRIAL/` with `game.tw-pddl`, `traj_data.json`, `initial_state.pddl`).
This module is also the program that does the making: the planner is GPL and lives in processes of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnact.domains.alfworld import houses, package
from learnact.domains.alfworld.task_types import TASK_TYPES, TaskType, read_goal
from learnact.errors import EnvironmentFailure

_ATTEMPTS = 60
_SECONDS_EACH = 60.0
_FEW = 3
"""So many games are not worth a further process (each takes 1.5 s to start)."""


def folder(seed: int, level: str = "easy") -> Path:
    """The ALFWORLD_DATA folder of a seed's games of a level."""
    series = "" if level == "easy" else f"{level}-"
    return package.cache_folder() / "generated" / f"v{houses.VERSION}-{series}seed{seed}"


def generated(
    kind: TaskType, split: str, seed: int, wanted: int | Sequence[int], level: str = "easy"
) -> list[Path]:
    """Games of a type and split by their numbers (an int: the first so many): their files, made now where
    they are not there yet.

    Raises `EnvironmentFailure` when the making fails.
    """
    numbers = range(wanted) if isinstance(wanted, int) else wanted
    missing = [i for i in numbers if _kept(kind, split, seed, i, level) is None]
    if missing:
        _make_in_processes(kind, split, seed, missing, level)
    found = [_kept(kind, split, seed, i, level) for i in numbers]
    lost = [i for i, path in zip(numbers, found, strict=True) if path is None]
    if lost:
        raise EnvironmentFailure(
            f"generated games {lost} of {kind.name} {split} (seed {seed}) are not in {folder(seed, level)}"
        )
    return [path for path in found if path is not None]


def _index(kind: TaskType, split: str, seed: int, index: int, level: str) -> Path:
    return folder(seed, level) / "index" / f"{kind.name}-{split}-{index}.txt"


def _kept(kind: TaskType, split: str, seed: int, index: int, level: str) -> Path | None:
    try:
        name = _index(kind, split, seed, index, level).read_text().strip()
    except OSError:
        return None
    path = folder(seed, level) / "json_2.1.1" / split / name / "game.tw-pddl"
    return path if path.is_file() else None


def _make_in_processes(
    kind: TaskType, split: str, seed: int, missing: Sequence[int], level: str = "easy"
) -> None:
    workers = max(1, min(os.cpu_count() or 1, 4, len(missing) // _FEW))
    wanted = [json.dumps([kind.name, split, seed, list(missing[w::workers]), level]) for w in range(workers)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "learnact.domains.alfworld.generation", one],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in wanted
    ]
    try:
        for process in running:
            _, output = process.communicate(timeout=_SECONDS_EACH * len(missing))
            if process.returncode:
                last = output.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
                raise EnvironmentFailure(f"making games of {kind.name} failed: {last[0]}")
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"making {len(missing)} games of {kind.name} took too long") from None
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


# In the maker's process
# ------------------------------------------------------------------------------------------------


def make(kind: TaskType, split: str, seed: int, index: int, level: str = "easy") -> Path:
    """Make, verify and keep one game. Raises `EnvironmentFailure` when no attempt gives a solvable one."""
    for attempt in range(_ATTEMPTS):
        house = houses.make_house(kind, split, seed, index, attempt, level)
        walkthrough = _solved(house) if house is not None else None
        if house is not None and walkthrough is not None:
            return _keep(
                house, walkthrough, folder(seed, level), split, _index(kind, split, seed, index, level)
            )
    raise EnvironmentFailure(
        f"no solvable game of {kind.name} {split} (seed {seed}, number {index}) in {_ATTEMPTS} attempts"
    )


def _solved(house: houses.GeneratedHouse) -> list[str] | None:
    """The planner's commands that win the game, played on the whole house; None where it is no good game."""
    from learnact.domains.alfworld.engine import Game, planned
    from learnact.domains.alfworld.translation import parse, translate

    operators = planned(parse(house.core, optimize=False)[1], parse(house.core, optimize=True)[1])
    if operators is None or read_goal(house.problem, house.name) != house.goal:
        return None
    game = Game("new", translate(house.problem))
    try:
        if game.won:
            return None
        commands = [game.command_of(operator) for operator in operators]
        played = all(game.do(command) is not None for command in commands)
        return commands if played and game.won else None
    finally:
        game.close()


def _keep(house: houses.GeneratedHouse, walkthrough: list[str], data: Path, split: str, index: Path) -> Path:
    from learnact.domains.alfworld.translation import write_atomically

    game: dict[str, Any] = {
        "pddl_domain": package.domain_text(),
        "grammar": package.grammar_text().replace("UNKNOWN GOAL.", house.sentence),
        "pddl_problem": house.problem,
        "solvable": True,
        "walkthrough": walkthrough,
    }
    at = data / "json_2.1.1" / split / house.name
    write_atomically(at / "initial_state.pddl", house.problem.encode())
    write_atomically(at / "traj_data.json", json.dumps(house.trajectory, indent=1).encode())
    write_atomically(at / "game.tw-pddl", json.dumps(game).encode())
    write_atomically(index, house.name.encode())
    return at / "game.tw-pddl"


def main() -> None:
    """Make the games that the argument names: JSON `[type, split, seed, [indices], level]`."""
    name, split, seed, indices, level = json.loads(sys.argv[1])
    for index in indices:
        make(TASK_TYPES[name], split, seed, index, level)
    sys.stderr.flush()
    os._exit(0)  # the planner library may crash in its destructors


if __name__ == "__main__":
    main()
