"""Reference plans: the simulator's own way through a task ("gold path"), played through our interface and
kept on disk. This module is also the program that makes them, since Java lives in a process of its own.

The simulator's path opens doors that are open and looks around a lot; calls that are not possible are left
out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from learnact.domains.base import PlannedCall
from learnact.domains.scienceworld.surface import calls_of
from learnact.domains.scienceworld.tasks import Variation
from learnact.errors import EnvironmentFailure
from learnact.records import digest

_SECONDS_EACH = 600.0
_MOMENT = ("look_at", ("agent",))
"""A call that takes one moment and changes nothing (`wait1` takes two)."""


def cache_folder() -> Path:
    """Where plans are kept: `LEARNACT_CACHE`, else `~/.cache/learnact`; below it `scienceworld`."""
    root = os.environ.get("LEARNACT_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "learnact")
    return Path(root) / "scienceworld"


def plans(variations: Sequence[Variation]) -> list[tuple[PlannedCall, ...] | None]:
    """The plans of variations, made now where nobody made them on this machine; None for one that the
    simulator's path does not solve. Raises `EnvironmentFailure` when the maker fails."""
    missing = [variation for variation in variations if not _file(variation).is_file()]
    if missing:
        _make_in_a_process(missing)
    return [_kept(variation) for variation in variations]


def _file(variation: Variation) -> Path:
    return cache_folder() / f"{digest(variation.pack())}.json"


def _kept(variation: Variation) -> tuple[PlannedCall, ...] | None:
    kept = json.loads(_file(variation).read_text(encoding="utf-8"))
    return tuple(PlannedCall(name, tuple(given)) for name, given in kept) if kept else None


def _make_in_a_process(missing: Sequence[Variation]) -> None:
    """One process makes all: starting Java takes longer than most plans."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "learnact.domains.scienceworld.plans"],
            input="\n".join(variation.pack() for variation in missing),
            capture_output=True,
            text=True,
            timeout=_SECONDS_EACH * len(missing),
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailure(f"plans of {len(missing)} tasks of ScienceWorld took too long") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise EnvironmentFailure(f"plans of ScienceWorld could not be made: {last[0]}")


# In the maker's process
# ------------------------------------------------------------------------------------------------


def make_here(variation: Variation) -> None:
    """Make and keep the plan of one variation."""
    calls = _solved(variation)
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as scratch:
        json.dump([[call.name, list(call.arguments)] for call in calls or ()], scratch)
    os.replace(scratch.name, _file(variation))


def _solved(variation: Variation) -> list[PlannedCall] | None:
    from learnact.domains.scienceworld.engine import SimulatedHouse

    planner = SimulatedHouse(variation, gold=True)
    commands = planner.gold_path
    planner.close()
    return _played(variation, commands, waits=False) or _played(variation, commands, waits=True)


def _played(variation: Variation, commands: Sequence[str], waits: bool) -> list[PlannedCall] | None:
    """The calls of a path that are possible, where they solve the task. `waits`: with a moment in place of
    each action that is not possible, which takes time in the simulator and none here."""
    from learnact.domains.scienceworld.domain import all_primitives
    from learnact.domains.scienceworld.environment import UNKNOWN, ScienceWorldEnvironment

    environment = ScienceWorldEnvironment(variation, all_primitives())
    calls: list[PlannedCall] = []

    def done(name: str, given: tuple[str, ...]) -> tuple[bool, bool]:
        """Whether a call was possible, and whether it was understood at all."""
        step = environment.call(name, given, {})
        if step.valid:
            calls.append(PlannedCall(name, given))
        return step.valid, UNKNOWN not in step.observation

    try:
        for command in commands:
            if command.isdigit():  # which of several things that read alike: ours takes the first
                continue
            understood = False
            for name, given in calls_of(command):
                possible, known = done(name, given)
                understood = understood or known
                if possible:
                    break
            else:
                if waits and understood:
                    done(*_MOMENT)
            if environment.success:
                return calls
    except ValueError:
        return None
    finally:
        environment.close()
    return None


def main() -> None:
    """Make the plans of the variations that standard input names, one in a line."""
    for line in sys.stdin.read().splitlines():
        make_here(Variation.model_validate_json(line))


if __name__ == "__main__":
    main()
