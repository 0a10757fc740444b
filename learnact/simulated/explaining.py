"""Telling what functions do: a description in the words of the primitive actions, and a short usage
example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from learnact.simulated import text
from learnact.simulated.attention import LOOKS, Attention
from learnact.simulated.functions import Function, code_in, read_functions, rules_as_read, together
from learnact.simulated.planner import whole
from learnact.simulated.rules import Clause, Rule
from learnact.simulated.scene import Scene
from learnact.simulated.table import Step, Table
from learnact.simulated.world import World

MOST_SHOWN = 5
NO_EXAMPLE = "I see no way to use them in this task."
_NOTHING = "I cannot tell what it does."


def description(scene: Scene, attention: Attention) -> str:
    """One line: Requires, Then, Does, Example."""
    known = read_functions(code_in(scene.body("Code")))
    asked = text.calls(scene.answer)
    function = next((f for f in known if asked and f.name == asked[0].name), known[0] if known else None)
    if function is None:
        return _NOTHING
    return describe(function, together(function, rules_as_read(scene, attention)))


def describe(function: Function, rule: Rule) -> str:
    """A rule in the form of the primitive actions' descriptions, with the steps and a call."""
    parts = []
    if rule.requires:
        parts.append("Requires: " + " ".join(f"{c.text}." for c in rule.requires))
    then = [f"{c.text}." for c in rule.adds] + [f"{negative(c.text)}." for c in rule.deletes]
    if then:
        parts.append("Then: " + " ".join(then))
    parts.append("Does: " + "; ".join(step.bare for step in function.steps) + ".")
    parts.append(f"Example: {function.signature}")
    return " ".join(parts)


def negative(sentence: str) -> str:
    """The sentence that says that a fact is no longer so: "no longer" behind "is" or "are", else before
    the verb."""
    words = sentence.split()
    for i, word in enumerate(words):
        if word in ("is", "are"):
            return " ".join([*words[: i + 1], "no longer", *words[i + 1 :]])
    return " ".join([*words[:1], "no longer", *words[1:]])


def usage_example(scene: Scene, attention: Attention) -> str:
    """Up to five actions of the example task, at least one of them a call of a function, with what is then
    observed."""
    known = read_functions(code_in(scene.body("Code")))
    for look in range(LOOKS):
        closer = attention.closer(look)
        rules = rules_as_read(scene, closer)
        learned = [r for r in (together(f, rules) for f in known) if r.known]
        shown = _play(scene, rules, learned)
        if shown:
            return shown
    return NO_EXAMPLE


def _play(scene: Scene, rules: Sequence[Rule], learned: Sequence[Rule]) -> str:
    world = World((*rules, *learned), scene.task)
    now = [t.text for t in scene.task.first.now or ()]
    state = world.mask(now) | world.mask(world.statics)
    goals = [world.bit(g.text) for g in scene.task.goal]
    table = world.every_step()
    plan = whole(table, state, goals, 4 * MOST_SHOWN)
    plan = _from_first_function(plan) or _up_to_a_function(table, state, plan)
    sentences = list(now)
    lines: list[str] = []
    for step in plan[:MOST_SHOWN]:
        state = step.after(state)
        sentences = _told(world, state, sentences, step)
        lines += [f"Action: {step.call}", f"Observation: Now: {' '.join(f'{s}.' for s in sentences)}"]
    return "\n".join(lines)


def _from_first_function(plan: list[Step]) -> list[Step]:
    """A plan's beginning that holds a call of a function; nothing when it calls none early."""
    first = next((i for i, step in enumerate(plan) if step.learned), MOST_SHOWN)
    return plan[: max(first + 1, MOST_SHOWN)] if first < MOST_SHOWN else []


def _up_to_a_function(table: Table, state: int, plan: list[Step]) -> list[Step]:
    """A plan's beginning up to where a function could be called, and that call."""
    for number, step in enumerate([None, *plan[: MOST_SHOWN - 1]]):
        state = step.after(state) if step else state
        possible = (table.step(row) for row in np.flatnonzero(table.possible(state)).tolist())
        found = next((s for s in possible if s.learned and s.after(state) != state), None)
        if found:
            return [*plan[:number], found]
    return []


def _told(world: World, state: int, before: Iterable[str], step: Step) -> list[str]:
    """The sentences that hold after a step: those that held, then the new ones."""
    rule = next(r for r in world.rules if r.name == step.call.name)
    kept = [s for s in before if world.bit(s) & state]
    return kept + [s for s in _filled(rule.adds, step) if s not in kept]


def _filled(clauses: Iterable[Clause], step: Step) -> list[str]:
    return [c.template.format(*step.call.arguments) for c in clauses]
