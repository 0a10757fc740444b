"""A search over places as a function: go to each, open it where it is closed, and end where a thing of the
wanted kind is seen. How it is written, and when an agent calls it."""

from __future__ import annotations

from collections import Counter

from learnact.simulated import text
from learnact.simulated.function_replies import NOT_RETURNED
from learnact.simulated.function_rules import LOOKED_FOR
from learnact.simulated.functions import Check, Function
from learnact.simulated.household.belief import FAILED, HouseBelief, initial_belief, kind_of
from learnact.simulated.household.chores import HouseholdActions, HouseholdGoal
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import FAILED as STOPPED
from learnact.simulated.prompt import HistoryEntry, ParsedPrompt
from learnact.simulated.rules import Rule

MOST_PLACES = 8
"""Places of one call of a search."""
MAX_FAILURES = 2
KIND = "kind"
_LINES = 4


def search_function(
    prompt: ParsedPrompt, reader: NoisyReader, actions: HouseholdActions, goal: HouseholdGoal
) -> list[tuple[Function, tuple[str, ...]]]:
    """A search, with the names of this task; nothing where it does not know how to go, or where code is not
    told what is observed. A line of it that is overlooked is missing."""
    go, opening = actions.go, actions.open
    places = initial_belief(prompt).places
    if go is None or go.form or not places or NOT_RETURNED in prompt.answer:
        return []
    seen = [reader.sees(f"search, line {n}", (2 * _LINES - n,)) for n in range(_LINES)]
    place = go.place
    steps: list[text.ActionCall] = []
    checks: list[Check] = []
    if seen[0]:
        steps.append(text.ActionCall(go.name, go.parameters))
    if opening is not None and seen[2]:
        if seen[1] and "place is closed" in opening.requires:
            checks.append(Check(len(steps), f"{place} is closed", "only"))
        names = {opening.place: place}
        steps.append(text.ActionCall(opening.name, tuple(names.get(p, p) for p in opening.parameters)))
    if not steps:
        return []
    if seen[3]:
        looked_for = f" {KIND} " if " " in places[0] else f" {KIND}"
        checks.append(Check(len(steps), looked_for, "return", when_seen=True))
    function = Function(
        f"{steps[0].name}_until_seen",
        (KIND, f"{place}s"),
        tuple(steps),
        loop=((place, f"{place}s"),),
        checks=tuple(checks),
        assigned=frozenset(range(len(steps))),
        otherwise=f"no {KIND} was seen" if reader.draw("nothing found", 2) else "",
    )
    return [(function, (goal.kind, text.listed(places[:MOST_PLACES])))]


def search_call(
    prompt: ParsedPrompt,
    reader: NoisyReader,
    actions: HouseholdActions,
    belief: HouseBelief,
    goal: HouseholdGoal,
) -> text.ActionCall | None:
    """A call of a learned search over the places that were not looked at; None where there is none, or where
    it failed again and again."""
    failed = Counter(e.call.name for e in prompt.history if e.call and call_failed(e))
    places = [p for p in belief.places if p not in belief.contents and p != belief.at][:MOST_PLACES]
    for rule in prompt.learned:
        seen = reader.sees(f"{rule.name}: does", (prompt.end - rule.index,))
        if seen and places and failed[rule.name] < MAX_FAILURES and _is_search(rule, actions):
            kind = goal.lamp if kind_of(belief.carrying) == goal.kind and goal.lamp else goal.kind
            arguments = (
                text.listed(places) if i in rule.lists else kind for i in range(len(rule.parameters))
            )
            return text.ActionCall(rule.name, tuple(arguments))
    return None


def call_failed(entry: HistoryEntry) -> bool:
    """Whether a call had no effect, or was stopped."""
    return FAILED in entry.seen.raw or entry.seen.raw.startswith(STOPPED)


def _is_search(rule: Rule, actions: HouseholdActions) -> bool:
    """Whether all that a rule does is to go to places of a list, and to open them, for a word."""
    ways = {action.name for action in (actions.go, actions.open) if action}
    words = [c for c in rule.requires if c.text.endswith(LOOKED_FOR)]
    return (
        len(rule.lists) == 1
        and len(words) == len(rule.parameters) - 1 == 1
        and bool(rule.does)
        and {step.name for step in rule.does} <= ways
    )
