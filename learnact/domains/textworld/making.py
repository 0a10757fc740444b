"""Making games, each in its own folder below the cache, by child processes with PYTHONHASHSEED=0: the
generator's order of quests and grammar depends on it. A game is kept only when its own walkthrough wins it.

This module is also the program of those processes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.domains.base import PlannedCall
from learnact.domains.textworld.package import cache_folder
from learnact.domains.textworld.tasks import GameSpec
from learnact.errors import EnvironmentFailure

_SECONDS_EACH = 600.0
_FEW = 2
"""So many games are not worth a further process (each takes 2 s to start)."""
_CHALLENGES = {"cooking": "tw-cooking", "treasure": "tw-treasure_hunter", "coin": "tw-coin_collector"}


@dataclass(frozen=True)
class MadeGame:
    """A game that is kept: its folder (`tw-game.z8`, `tw-game.json`, `about.json`), and the calls that win
    it."""

    folder: Path
    plan: tuple[PlannedCall, ...]


def kept(spec: GameSpec) -> MadeGame | str | None:
    """The game of a spec; why there is none where the generator cannot make it; None while nobody tried."""
    folder = cache_folder() / spec.address
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    if about["fault"]:
        return str(about["fault"])
    return MadeGame(folder, tuple(PlannedCall(name, tuple(given)) for name, given in about["plan"]))


def make(specs: Sequence[GameSpec]) -> list[MadeGame | str]:
    """The games of specs, made now where nobody made them on this machine; for one that cannot be made, why.

    Raises `EnvironmentFailure` when a maker fails or takes too long.
    """
    missing = [spec for spec in specs if kept(spec) is None]
    if missing:
        _make_in_processes(missing)
    found = [kept(spec) for spec in specs]
    if None in found:
        raise EnvironmentFailure(f"made games of TextWorld are not in {cache_folder()}")
    return [game for game in found if game is not None]


def _make_in_processes(missing: Sequence[GameSpec]) -> None:
    workers = max(1, min(os.cpu_count() or 1, 4, len(missing) // _FEW))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "learnact.domains.textworld.making"],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(workers)
    ]
    try:
        for worker, process in enumerate(running):
            assert process.stdin is not None
            process.stdin.write("\n".join(spec.pack() for spec in missing[worker::workers]))
            process.stdin.close()
            process.stdin = None
        for process in running:
            _, output = process.communicate(timeout=_SECONDS_EACH * len(missing))
            if process.returncode:
                last = (output or "").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
                raise EnvironmentFailure(f"making games of TextWorld failed: {last[0]}")
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"making {len(missing)} games of TextWorld took too long") from None
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


# In the maker's process
# ------------------------------------------------------------------------------------------------


def make_here(spec: GameSpec) -> None:
    """Make, verify and keep one game in this process. What the generator cannot make is kept as a fault."""
    root = cache_folder()
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".making-") as scratch:
        folder = Path(scratch) / "game"
        folder.mkdir()
        about: dict[str, Any] = {"spec": spec.model_dump(), "plan": [], "fault": ""}
        try:
            plan = _played(folder, _generate(spec, folder))
            about["plan"] = [[call.name, list(call.arguments)] for call in plan]
        except _Unusable as fault:
            about["fault"] = str(fault)
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
        try:
            os.rename(folder, root / spec.address)
        except OSError:  # another process was faster; equal specs make equal games
            shutil.rmtree(folder, ignore_errors=True)


class _Unusable(Exception):
    """This seed makes no game that can be played."""


def _generate(spec: GameSpec, folder: Path) -> list[str]:
    """Make the game's files in a folder; its walkthrough."""
    from textworld.challenges import CHALLENGES
    from textworld.generator import QuestGenerationError, compile_game
    from textworld.generator.game import GameOptions

    options = GameOptions()
    options.seeds = spec.seed
    options.path = str(folder / "tw-game.z8")
    options.force_recompile = True
    options.grammar.only_last_action = True  # else the goal tells the whole way
    settings = dict(spec.settings)
    try:
        game = CHALLENGES[_CHALLENGES[spec.kind]][1](settings, options)
    except (QuestGenerationError, AssertionError, ValueError, ZeroDivisionError) as error:
        raise _Unusable(f"the generator gave up: {type(error).__name__}: {error}") from error
    compile_game(game, options)
    (folder / "tw-game.ni").unlink(missing_ok=True)
    return list(game.metadata["walkthrough"])


def _played(folder: Path, walkthrough: Sequence[str]) -> tuple[PlannedCall, ...]:
    """The walkthrough as calls, without those that have no effect (a door that is open already)."""
    from learnact.domains.textworld.domain import primitives
    from learnact.domains.textworld.engine import TextGame
    from learnact.domains.textworld.environment import TextWorldEnvironment
    from learnact.domains.textworld.plans import calls_of

    environment = TextWorldEnvironment(TextGame(folder), primitives())
    try:
        if environment.success:
            raise _Unusable("it is won at the start")
        plan = []
        for call in calls_of(walkthrough):
            if environment.call(call.name, call.arguments, {}).valid:
                plan.append(call)
        if not environment.success:
            raise _Unusable("its own walkthrough does not win it")
        return tuple(plan)
    finally:
        environment.close()


def main() -> None:
    """Make the games that standard input names, one spec in a line."""
    for line in sys.stdin.read().splitlines():
        make_here(GameSpec.model_validate_json(line))


if __name__ == "__main__":
    main()
