"""Replies that describe functions: a description in the words of the primitive actions, a usage example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from learnact.simulated import text
from learnact.simulated.function_reading import code_in, read_functions
from learnact.simulated.function_rules import rule_of, rules_as_read
from learnact.simulated.functions import Function
from learnact.simulated.grounded_rules import GroundedRules
from learnact.simulated.noisy_reader import READINGS, NoisyReader
from learnact.simulated.planner import plan_to_goals
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rules import Clause, Rule
from learnact.simulated.step_table import GroundStep, StepTable

MOST_SHOWN = 5
NO_EXAMPLE = "I see no way to use them in this task."
_NOTHING = "I cannot tell what it does."


def description(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """One line: Requires, Then, Does, Example."""
    known = read_functions(code_in(prompt.body("Code")))
    asked = text.calls(prompt.answer)
    function = next((f for f in known if asked and f.name == asked[0].name), known[0] if known else None)
    if function is None:
        return _NOTHING
    return describe(function, rule_of(function, rules_as_read(prompt, reader)))


def describe(function: Function, rule: Rule) -> str:
    """A rule in the form of the primitive actions' descriptions, with the steps and a call."""
    parts = []
    if rule.requires:
        parts.append("Requires: " + " ".join(f"{c.text}." for c in rule.requires))
    then = [f"{c.text}." for c in rule.adds] + [f"{negative(c.text)}." for c in rule.deletes]
    if then:
        parts.append("Then: " + " ".join(then))
    each = ""
    if function.loop:
        variables, lists = zip(*function.loop, strict=True)
        each = f"for each {', '.join(variables)} of {', '.join(lists)}: "
    parts.append("Does: " + each + "; ".join(step.bare for step in function.steps) + ".")
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


def usage_example(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Up to five actions of the example task, at least one of them a call of a function, with what is then
    observed."""
    known = read_functions(code_in(prompt.body("Code")))
    for look in range(READINGS):
        reread = reader.reread(look)
        rules = rules_as_read(prompt, reread)
        learned = [r for r in (rule_of(f, rules) for f in known) if r.known]
        shown = _play(prompt, rules, learned)
        if shown:
            return shown
    return NO_EXAMPLE


def _play(prompt: ParsedPrompt, rules: Sequence[Rule], learned: Sequence[Rule]) -> str:
    grounded = GroundedRules((*rules, *learned), prompt.task)
    now = [t.text for t in prompt.task.first.now or ()]
    state = grounded.mask(now) | grounded.mask(grounded.statics)
    goals = [grounded.bit(g.text) for g in prompt.task.goal]
    table = grounded.every_step()
    plan = plan_to_goals(table, state, goals, 4 * MOST_SHOWN)
    plan = _from_first_function(plan) or _up_to_a_function(table, state, plan)
    sentences = list(now)
    lines: list[str] = []
    for step in plan[:MOST_SHOWN]:
        state = step.after(state)
        sentences = _sentences_after(grounded, state, sentences, step)
        lines += [f"Action: {step.call}", f"Observation: Now: {' '.join(f'{s}.' for s in sentences)}"]
    return "\n".join(lines)


def _from_first_function(plan: list[GroundStep]) -> list[GroundStep]:
    """A plan's beginning that holds a call of a function; nothing when it calls none early."""
    first = next((i for i, step in enumerate(plan) if step.learned), MOST_SHOWN)
    return plan[: max(first + 1, MOST_SHOWN)] if first < MOST_SHOWN else []


def _up_to_a_function(table: StepTable, state: int, plan: list[GroundStep]) -> list[GroundStep]:
    """A plan's beginning up to where a function could be called, and that call."""
    for number, step in enumerate([None, *plan[: MOST_SHOWN - 1]]):
        state = step.after(state) if step else state
        possible = (table.step(row) for row in np.flatnonzero(table.possible(state)).tolist())
        found = next((s for s in possible if s.learned and s.after(state) != state), None)
        if found:
            return [*plan[:number], found]
    return []


def _sentences_after(
    grounded: GroundedRules, state: int, before: Iterable[str], step: GroundStep
) -> list[str]:
    """The sentences that hold after a step: those that held, then the new ones."""
    rule = next(r for r in grounded.rules if r.name == step.call.name)
    kept = [s for s in before if grounded.bit(s) & state]
    return kept + [s for s in _filled(rule.adds, step) if s not in kept]


def _filled(clauses: Iterable[Clause], step: GroundStep) -> list[str]:
    return [c.template.format(*(text.elements(a)[0] for a in step.call.arguments)) for c in clauses]
