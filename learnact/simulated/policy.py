"""The next call: what is best by what was read; closer looks when that leaves no way on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnact.simulated.attention import LOOKS, Attention
from learnact.simulated.planner import Search
from learnact.simulated.reading import Reading, read
from learnact.simulated.scene import Scene
from learnact.simulated.table import Step


@dataclass(frozen=True)
class Choice:
    """A step and how many closer looks it took; `sure` when it leads on by what was read."""

    step: Step | None
    looks: int
    sure: bool
    reading: Reading


def choose(scene: Scene, attention: Attention) -> Choice:
    """The next step in a scene; None when the scene holds no step that seems possible."""
    fallback: Step | None = None
    for look in range(LOOKS):
        reading = read(scene, attention.closer(look))
        open_goals = reading.open_goals
        if not open_goals:
            continue
        search = Search(reading.steps, reading.state, reading.shunned, reading.refused)
        found = search.toward(reading.goals)
        if found.better:
            return Choice(found.path[0], look, True, reading)
        if found.path:
            fallback = found.path[0]
        elif fallback is None:
            fallback = _toward_some(search, reading)
    if fallback is None:
        fallback = _possible(reading, attention)
    return Choice(fallback, LOOKS - 1, False, reading)


def _toward_some(search: Search, reading: Reading) -> Step | None:
    """Toward the goals that could be reached by what was read, when some could not."""
    could = tuple(g for g in reading.goals if g & search.reachable)
    if not any(not g & reading.state for g in could):
        return None
    found = search.toward(could)
    return found.path[0] if found.path else None


def _possible(reading: Reading, attention: Attention) -> Step | None:
    """Any step that seems possible and leads somewhere new; where none seems possible, any that has not
    just failed."""
    rows = np.flatnonzero(reading.steps.possible(reading.state)).tolist()
    steps = [reading.steps.step(row) for row in rows]
    options = [s for s in steps if s.call not in reading.refused and s.after(reading.state) != reading.state]
    new = [step for step in options if not reading.shunned(step.after(reading.state))] or options
    if new:
        return new[attention.draw("any", len(new))]
    untried = [row for row, call in enumerate(reading.steps.calls) if call not in reading.refused]
    return reading.steps.step(untried[attention.draw("any", len(untried))]) if untried else None
