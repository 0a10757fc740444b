"""Improving a function after a failed call: one step is edited, tried with the rules as read; a note where
no edit helps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from learnact.simulated import text
from learnact.simulated.attention import LOOKS, Attention
from learnact.simulated.functions import Function, code_in, lift, read_functions, rules_as_read
from learnact.simulated.rules import Rule
from learnact.simulated.scene import Play, Scene

LINE = re.compile(r"^\d+\. (.+?) -> (.*)$", re.MULTILINE)
CONSIDERED = 3
PUZZLED = "Reason: I do not see why it failed.\nNote: look at the state before you use it."


@dataclass(frozen=True)
class Failure:
    """A failed call: the function, its arguments, which of its steps failed, what that step said was
    missing, the state before."""

    function: Function
    arguments: tuple[str, ...]
    step: int
    missing: tuple[str, ...]
    before: frozenset[str]


@dataclass(frozen=True)
class Edit:
    """A changed function, the arguments for the failed call, and what was changed, in words."""

    function: Function
    arguments: tuple[str, ...]
    change: str


def improvement(scene: Scene, attention: Attention) -> str:
    """An update or a note, with a reason."""
    failure = read_failure(scene)
    if failure is None:
        return PUZZLED
    asked = scene.answer.lower()
    reason = _reason(failure)
    if "an update:" in asked:
        edit = _repair(scene, failure, attention)
        if edit is not None:
            usage = text.Call(edit.function.name, edit.arguments)
            return f"Reason: {reason} {edit.change}\nUpdate:\n```python\n{edit.function.code}\n```\nUsage: {usage}"
    if "a note:" in asked:
        return f"Reason: {reason}\nNote: {_note(failure, attention)}"
    return f"Reason: {reason}"


def read_failure(scene: Scene) -> Failure | None:
    """The failed call that a prompt shows."""
    known = {f.name: f for f in read_functions(code_in(scene.body("Code")))}
    shown = next((e for e in reversed(scene.history) if e.call and e.call.name in known), None)
    if shown is None or shown.call is None:
        return None
    function = known[shown.call.name]
    before = frozenset(t.text for t in scene.task.first.now or ())
    for number, (_, observed) in enumerate(LINE.findall(shown.said)):
        if observed.startswith("No effect:"):
            needed = observed.partition(" requires: ")[2]
            missing = tuple(text.plain_article(s) for s in text.split(needed))
            return Failure(function, shown.call.arguments, number, missing, before)
    return Failure(function, shown.call.arguments, len(function.steps), (), before)


def _reason(failure: Failure) -> str:
    if not failure.missing:
        return f"{failure.function.name} was not called as it is written."
    made = failure.function.made(failure.arguments)
    step = made[failure.step].name if failure.step < len(made) else "A step"
    return f"{step} was not possible: it was not so that {failure.missing[0]}."


def _note(failure: Failure, attention: Attention) -> str:
    """When to use the function: a sentence that was missing, in its parameters."""
    if not failure.missing:
        return f"use {failure.function.name} with {len(failure.function.parameters)} names."
    named = dict(zip(failure.arguments, failure.function.parameters, strict=False))
    missing = failure.missing[attention.draw("which note", len(failure.missing))]
    said = " ".join(named.get(w, w) for w in missing.split())
    return f"use it only when {said}."


def _repair(scene: Scene, failure: Failure, attention: Attention) -> Edit | None:
    """One of the first edits that make the call possible, by the rules as read; after closer looks where
    there is none."""
    if len(failure.arguments) != len(failure.function.parameters) or not failure.missing:
        return None
    for look in range(LOOKS):
        rules = rules_as_read(scene, attention.closer(look))
        working = []
        for edit in _edits(scene.task, failure, rules):
            if _possible(edit.function.made(edit.arguments), rules, scene.task, failure.before):
                working.append(edit)
                if len(working) == CONSIDERED:
                    break
        if working:
            return working[attention.draw("which edit", len(working))]
    return None


def _edits(play: Play, failure: Failure, rules: Sequence[Rule]) -> Iterator[Edit]:
    """Functions that differ in one step: one more before the failed one, another argument in it, or
    without it."""
    made = list(failure.function.made(failure.arguments))
    at = min(failure.step, len(made) - 1)
    words = {rule.name: rule.parameters for rule in rules}
    for call in _helping(play, failure, rules):
        for place in range(at, -1, -1):
            steps = [*made[:place], call, *made[place:]]
            yield edited(failure, steps, words, f"I do {call.name} before it.")
    for i, value in enumerate(made[at].arguments):
        for other in dict.fromkeys(failure.arguments):
            if other != value:
                changed = (*made[at].arguments[:i], other, *made[at].arguments[i + 1 :])
                steps = [*made[:at], text.Call(made[at].name, changed), *made[at + 1 :]]
                yield edited(failure, steps, words, "I take another of the names for it.")
    if len(made) > 2:
        yield edited(failure, made[:at] + made[at + 1 :], words, "I leave that step out.")


def _helping(play: Play, failure: Failure, rules: Sequence[Rule]) -> list[text.Call]:
    """Calls that bring about something that was missing; names that the sentence leaves open are taken
    from what is known."""
    names = list(dict.fromkeys([*failure.arguments, *(n for _, of_kind in play.kinds for n in of_kind)]))
    of_kind: dict[str, set[str]] = {}
    for kind, members in play.kinds:
        of_kind.setdefault(kind, set()).update(members)
    facts = {f.text for f in play.facts} | {
        text.is_a(n, kind) for kind, members in of_kind.items() for n in sorted(members)
    }
    found: list[text.Call] = []
    for sentence in failure.missing:
        for rule in rules:
            for added in rule.adds:
                bound = added.match(tuple(sentence.split()))
                if bound is not None:
                    found += _completed(rule, bound, names, facts | failure.before)
    return list(dict.fromkeys(found))


def _completed(rule: Rule, bound: dict[int, str], names: list[str], facts: set[str]) -> list[text.Call]:
    """The rule's calls with the bound names, others filled in so that most of what it requires is so now."""
    calls: list[tuple[str, ...]] = [()]
    for i in range(len(rule.parameters)):
        options = [bound[i]] if i in bound else names
        calls = [(*done, value) for done in calls for value in options if _fits(rule, i, value, facts)][:200]
    needed = [c.template for c in rule.requires]
    calls.sort(key=lambda values: sum(t.format(*values) not in facts for t in needed))
    return [text.Call(rule.name, values) for values in calls[:CONSIDERED]]


def _fits(rule: Rule, place: int, value: str, facts: set[str]) -> bool:
    kinds = [c for c in (*rule.kinds, *rule.requires) if c.parameters == (place,) and " is a " in c.text]
    return all(" ".join([value, *c.words[1:]]) in facts for c in kinds)


def edited(
    failure: Failure, steps: Sequence[text.Call], words: Mapping[str, tuple[str, ...]], change: str
) -> Edit:
    """The steps as a function of the same name; old parameters stay in their places, new names become new
    parameters behind them."""
    named = dict(zip(failure.arguments, failure.function.parameters, strict=False))
    new = [a for step in steps for a in step.arguments if a not in named]
    if new:
        lifted, values = lift("new", steps, words)
        for parameter, value in zip(lifted.parameters, values, strict=True):
            if value not in named:
                taken = set(named.values())
                named[value] = parameter if parameter not in taken else f"{parameter}_{len(taken)}"
    own = failure.function.parameters
    extra = tuple(p for v, p in named.items() if p not in own)
    arguments = failure.arguments + tuple(v for v, p in named.items() if p not in own)
    lines = tuple(text.Call(s.name, tuple(named[a] for a in s.arguments)) for s in steps)
    return Edit(replace(failure.function, parameters=own + extra, steps=lines), arguments, change)


def _possible(made: Sequence[text.Call], rules: Sequence[Rule], play: Play, before: frozenset[str]) -> bool:
    """Whether every step could be done, one after the other, by the rules as read."""
    by_name = {rule.name: rule for rule in rules}
    now = set(before) | {f.text for f in play.facts}
    now |= {text.is_a(n, kind) for kind, members in play.kinds for n in members}
    for call in made:
        rule = by_name.get(call.name)
        if rule is None or len(rule.parameters) != len(call.arguments):
            return False
        if any(c.template.format(*call.arguments) not in now for c in (*rule.kinds, *rule.requires)):
            return False
        now -= {c.template.format(*call.arguments) for c in rule.deletes}
        now |= {c.template.format(*call.arguments) for c in rule.adds}
    return True
