"""One reading of a scene: what of it was seen, as steps, a state and goals to plan with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.attention import Attention
from learnact.simulated.scene import Entry, Observation, Scene, Told
from learnact.simulated.table import Table
from learnact.simulated.world import World, world_of

PATIENCE = 2
"""After so many failed calls of a learned action, if they are no fewer than the others, it is left alone."""


@dataclass(frozen=True)
class Reading:
    """What was read. `shunned` tells states that are remembered; `refused` are calls that failed in this
    very state."""

    world: World
    steps: Table
    state: int
    goals: tuple[int, ...]
    shunned: Callable[[int], bool]
    refused: frozenset[text.Call]

    @property
    def open_goals(self) -> tuple[int, ...]:
        """Goals that are not reached, as far as was read."""
        return tuple(g for g in self.goals if not g & self.state)


def read(scene: Scene, attention: Attention) -> Reading:
    """Read a scene with that much attention."""
    world = world_of(scene)
    thoughts = _thoughts(scene)
    state, overlooked = _state(scene, world, attention, thoughts)
    goals = tuple(
        world.bit(g.text)
        for g in scene.task.goal
        if attention.sees(f"goal: {g.text}", _distances(scene, g, thoughts))
    )
    fixed = world.mask(world.statics)
    visible = ~(fixed | overlooked)
    remembered = frozenset(world.told(now) & visible for now in _states(scene) if now is not None)
    return Reading(
        world,
        _steps(scene, world, attention),
        state,
        goals,
        lambda s: s & visible in remembered,
        _failed_here(scene),
    )


def current(scene: Scene) -> tuple[Told, ...]:
    """The last state that was told."""
    return next((now for now in reversed(_states(scene)) if now is not None), ())


def last_seen(scene: Scene) -> Observation | None:
    """The observation after the last call, None before the first."""
    return next((e.seen for e in reversed(scene.history) if not e.thought), None)


def _states(scene: Scene) -> list[tuple[Told, ...] | None]:
    return [scene.task.first.now, *(e.seen.now for e in scene.history)]


def _state(scene: Scene, world: World, attention: Attention, thoughts: list[Told]) -> tuple[int, int]:
    """The state as read, with what never changes, and the bits that hold but were overlooked."""
    state = world.kinds
    for told in scene.task.facts:
        if attention.sees(f"fact: {told.text}", (scene.end - told.index,)):
            state |= world.bit(told.text)
    overlooked = 0
    for told in current(scene):
        if attention.sees(f"fact: {told.text}", _distances(scene, told, thoughts)):
            state |= world.bit(told.text)
        else:
            overlooked |= world.bit(told.text)
    return state, overlooked


def _distances(scene: Scene, told: Told, thoughts: list[Told]) -> list[int]:
    """How many sentences stand behind a sentence and behind each later restatement of it."""
    return [scene.end - told.index] + [
        scene.end - t.index for t in thoughts if t.index > told.index and told.text in t.text
    ]


def _thoughts(scene: Scene) -> list[Told]:
    return [
        Told(sentence, e.index + i)
        for e in scene.history
        if e.thought
        for i, sentence in enumerate(text.split(e.said))
    ]


def _steps(scene: Scene, world: World, attention: Attention) -> Table:
    """Every rule that is trusted, filled in as far as its sentences were seen."""
    again = _restated(scene, world)
    distrusted = _distrusted(scene.history)
    found: list[tuple[int, int]] = []
    for number, rule in enumerate(world.rules):
        if rule.learned and rule.name in distrusted:
            continue
        seen = 0
        for i, clause in enumerate(rule.clauses):
            distances = [scene.end - clause.index, *again.get((number, i), ())]
            if attention.sees(f"{rule.name}: {i}: {clause.text}", distances):
                seen |= 1 << i
        found.append((number, seen))
    return world.steps(found)


def _restated(scene: Scene, world: World) -> dict[tuple[int, int], list[int]]:
    """Where sentences of rules are said again: by a failure, a lesson or a thought."""
    found: dict[tuple[int, int], list[int]] = {}
    for entry in scene.history:
        call = entry.seen.call
        if call is None:
            continue
        for number, rule in enumerate(world.rules):
            if rule.name != call.name or len(call.arguments) != len(rule.parameters):
                continue
            for i, clause in enumerate(rule.requires):
                if clause.template.format(*call.arguments) in entry.seen.missing:
                    found.setdefault((number, i), []).append(scene.end - entry.index - 1)
    spoken: Iterable[Told] = (*scene.lessons, *_thoughts(scene))
    about: list[int] = []
    for told in spoken:
        named = [n for n, rule in enumerate(world.rules) if f"{rule.name}(" in told.text]
        about = named or about
        said = f" {text.positive(text.plain_article(told.text))[0]} "
        for number in about:
            for i, clause in enumerate(world.rules[number].clauses):
                if f" {clause.text} " in said:
                    found.setdefault((number, i), []).append(scene.end - told.index)
    return found


def _distrusted(history: tuple[Entry, ...]) -> set[str]:
    failed: dict[str, int] = {}
    worked: dict[str, int] = {}
    for entry in history:
        if entry.call:
            tally = failed if entry.seen.failed else worked
            tally[entry.call.name] = tally.get(entry.call.name, 0) + 1
    return {name for name, n in failed.items() if n >= PATIENCE and n >= worked.get(name, 0)}


def _failed_here(scene: Scene) -> frozenset[text.Call]:
    here = frozenset(t.text for t in current(scene))
    now = frozenset(t.text for t in scene.task.first.now or ())
    failed: list[text.Call] = []
    for entry in scene.history:
        before = now
        if entry.seen.now is not None:
            now = frozenset(t.text for t in entry.seen.now)
        if entry.call and entry.seen.failed and before == here:
            failed.append(entry.call)
    return frozenset(failed)
