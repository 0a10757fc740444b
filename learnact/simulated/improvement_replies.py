"""Replies that improve a function after a failed call.

One step is edited, and the edit is tried with the rules as read; a note is written where no edit helps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from learnact.simulated import text
from learnact.simulated.function_reading import code_in, read_functions
from learnact.simulated.function_rules import rules_as_read
from learnact.simulated.functions import Function, lift
from learnact.simulated.noisy_reader import READINGS, NoisyReader
from learnact.simulated.prompt import ParsedPrompt, Transcript
from learnact.simulated.rules import Rule

STOPPED = re.compile(r"^The call was stopped by (\w+)", re.MULTILINE)
LINE = re.compile(r"^\d+\. (.+?) -> (.*)$", re.MULTILINE)
CONSIDERED = 3
NO_REASON = "Reason: I do not see why it failed.\nNote: look at the state before you use it."


@dataclass(frozen=True)
class ShownFailure:
    """A failed call: the function, its arguments, which of its steps failed, what that step said was
    missing, the state before. Of a function with a loop the round that failed, as a function without a loop;
    `whole` and `given` are the function and its arguments as they were. `error`: what the call was stopped
    by, if it was."""

    function: Function
    arguments: tuple[str, ...]
    step: int
    missing: tuple[str, ...]
    before: frozenset[str]
    whole: Function
    given: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True)
class Edit:
    """A changed function, the arguments for the failed call, and what was changed, in words."""

    function: Function
    arguments: tuple[str, ...]
    change: str


def improvement(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """An update or a note, with a reason."""
    failed_call = read_failed_call(prompt)
    if failed_call is None:
        return NO_REASON
    asked = prompt.answer.lower()
    reason = _reason(failed_call)
    if "an update:" in asked:
        edit = _repair(prompt, failed_call, reader)
        if edit is not None:
            usage = text.ActionCall(edit.function.name, edit.arguments)
            update = f"```python\n{edit.function.code}\n```"
            return f"Reason: {reason} {edit.change}\nUpdate:\n{update}\nUsage: {usage}"
    if "a note:" in asked:
        return f"Reason: {reason}\nNote: {_note(failed_call, reader)}"
    return f"Reason: {reason}"


def read_failed_call(prompt: ParsedPrompt) -> ShownFailure | None:
    """The failed call that a prompt shows."""
    known = {f.name: f for f in read_functions(code_in(prompt.body("Code")))}
    shown = next((e for e in reversed(prompt.history) if e.call and e.call.name in known), None)
    if shown is None or shown.call is None:
        return None
    function, arguments = known[shown.call.name], shown.call.arguments
    before = frozenset(t.text for t in prompt.task.first.now or ())
    error = STOPPED.search(shown.written)
    lines: list[tuple[str, str]] = LINE.findall(shown.written)
    number = next((i for i, (_, seen) in enumerate(lines) if seen.startswith("No effect:")), len(lines))
    made, missing = None, tuple[str, ...]()
    if number < len(lines):
        written, observed = lines[number]
        needed = observed.partition(" requires: ")[2]
        missing = tuple(text.plain_article(s) for s in text.split(needed))
        made = next(iter(text.calls(written)), None)
    one = one_round(function, arguments, made, number)
    if function.loop and number >= len(function.steps):
        before = _state_before(shown.written, number - one.step, before)
    return ShownFailure(
        function=one.function,
        arguments=one.arguments,
        step=one.step,
        missing=missing,
        before=before,
        whole=function,
        given=arguments,
        error=error[1] if error else "",
    )


@dataclass(frozen=True)
class OneRound:
    """A function without its loop, called with the elements of one round; `step`: which of its steps."""

    function: Function
    arguments: tuple[str, ...]
    step: int


def one_round(
    function: Function, arguments: tuple[str, ...], made: text.ActionCall | None, number: int
) -> OneRound:
    """The round of a loop in which the call `made` was the primitive action `number` of the whole call."""
    if not function.loop or not function.steps:
        return OneRound(function, arguments, number)
    value = dict(zip(function.parameters, arguments, strict=False))
    columns = [text.elements(value.get(of, "")) for _, of in function.loop]
    rounds = [
        dict(zip((one for one, _ in function.loop), row, strict=True)) for row in zip(*columns, strict=False)
    ]
    step = number % len(function.steps)
    row = rounds[min(number // len(function.steps), len(rounds) - 1)] if rounds else {}
    for one in rounds if made else ():
        named = value | one
        calls = [tuple(named.get(a, a) for a in s.arguments) for s in function.steps]
        at = next(
            (
                i
                for i, s in enumerate(function.steps)
                if made and (s.name, calls[i]) == (made.name, made.arguments)
            ),
            None,
        )
        if at is not None:
            step, row = at, one
            break
    element = {of: row.get(one, "") for one, of in function.loop}
    names = tuple(element.get(p, a) for p, a in zip(function.parameters, arguments, strict=False))
    return OneRound(replace(function, parameters=function.names, loop=()), names, step)


def _state_before(written: str, number: int, otherwise: frozenset[str]) -> frozenset[str]:
    """The last state that was observed before the primitive action `number` of a call."""
    observed = [seen.partition("Now:")[2] for _, seen in LINE.findall(written)[:number] if "Now:" in seen]
    if not observed:
        return otherwise
    return frozenset(text.plain_article(sentence) for sentence in text.split(observed[-1]))


def _reason(failed_call: ShownFailure) -> str:
    if not failed_call.missing:
        stopped = f" It was stopped by {failed_call.error}." if failed_call.error else ""
        return f"{failed_call.function.name} was not called as it is written.{stopped}"
    made = failed_call.function.calls_with(failed_call.arguments)
    step = made[failed_call.step].name if failed_call.step < len(made) else "A step"
    return f"{step} was not possible: it was not so that {failed_call.missing[0]}."


def _note(failed_call: ShownFailure, reader: NoisyReader) -> str:
    """When to use the function: a sentence that was missing, in its parameters."""
    if not failed_call.missing:
        return f"use {failed_call.function.name} with {len(failed_call.function.parameters)} names."
    named = dict(zip(failed_call.arguments, failed_call.function.parameters, strict=False))
    missing = failed_call.missing[reader.draw("which note", len(failed_call.missing))]
    written = " ".join(named.get(w, w) for w in missing.split())
    return f"use it only when {written}."


def _repair(prompt: ParsedPrompt, failed_call: ShownFailure, reader: NoisyReader) -> Edit | None:
    """One of the first edits that make the call possible, by the rules as read; after closer looks where
    there is none."""
    if len(failed_call.arguments) != len(failed_call.function.parameters):
        return None
    if not failed_call.missing:
        return _without_checks(failed_call)
    for look in range(READINGS):
        rules = rules_as_read(prompt, reader.reread(look))
        working = []
        for edit in _edits(prompt.task, failed_call, rules):
            if _possible(edit.function.calls_with(edit.arguments), rules, prompt.task, failed_call.before):
                working.append(with_its_loop(edit, failed_call))
                if len(working) == CONSIDERED:
                    break
        if working:
            return working[reader.draw("which edit", len(working))]
    return None


def _without_checks(failed_call: ShownFailure) -> Edit | None:
    """What stops a call in which every action worked is a look at what was observed."""
    if not failed_call.error or not failed_call.whole.checks:
        return None
    function = replace(failed_call.whole, checks=(), otherwise="")
    return Edit(function, failed_call.given, "I do not look at what was observed.")


def _edits(play: Transcript, failed_call: ShownFailure, rules: Sequence[Rule]) -> Iterator[Edit]:
    """Functions that differ in one step: one more before the failed one, another argument in it, or
    without it."""
    made = list(failed_call.function.calls_with(failed_call.arguments))
    at = min(failed_call.step, len(made) - 1)
    words = {rule.name: rule.parameters for rule in rules}
    for call in _helping(play, failed_call, rules):
        for place in range(at, -1, -1):
            steps = [*made[:place], call, *made[place:]]
            edit = edited(failed_call, steps, words, f"I do {call.name} before it.")
            yield replace(edit, function=edit.function.with_shifted_checks(place, 1))
    for i, value in enumerate(made[at].arguments):
        for other in dict.fromkeys(failed_call.arguments):
            if other != value:
                changed = (*made[at].arguments[:i], other, *made[at].arguments[i + 1 :])
                steps = [*made[:at], text.ActionCall(made[at].name, changed), *made[at + 1 :]]
                yield edited(failed_call, steps, words, "I take another of the names for it.")
    if len(made) > 2:
        edit = edited(failed_call, made[:at] + made[at + 1 :], words, "I leave that step out.")
        yield replace(edit, function=edit.function.with_shifted_checks(at, -1))


def _helping(play: Transcript, failed_call: ShownFailure, rules: Sequence[Rule]) -> list[text.ActionCall]:
    """Calls that bring about something that was missing; names that the sentence leaves open are taken
    from what is known."""
    names = list(dict.fromkeys([*failed_call.arguments, *(n for _, of_kind in play.kinds for n in of_kind)]))
    of_kind: dict[str, set[str]] = {}
    for kind, members in play.kinds:
        of_kind.setdefault(kind, set()).update(members)
    facts = {f.text for f in play.facts} | {
        text.is_a(n, kind) for kind, members in of_kind.items() for n in sorted(members)
    }
    found: list[text.ActionCall] = []
    for sentence in failed_call.missing:
        for rule in rules:
            for added in rule.adds:
                bound = added.match(tuple(sentence.split()))
                if bound is not None:
                    found += _completed(rule, bound, names, facts | failed_call.before)
    return list(dict.fromkeys(found))


def _completed(rule: Rule, bound: dict[int, str], names: list[str], facts: set[str]) -> list[text.ActionCall]:
    """The rule's calls with the bound names, others filled in so that most of what it requires is so now."""
    calls: list[tuple[str, ...]] = [()]
    for i in range(len(rule.parameters)):
        options = [bound[i]] if i in bound else names
        calls = [(*done, value) for done in calls for value in options if _fits(rule, i, value, facts)][:200]
    needed = [c.template for c in rule.requires]
    calls.sort(key=lambda values: sum(t.format(*values) not in facts for t in needed))
    return [text.ActionCall(rule.name, values) for values in calls[:CONSIDERED]]


def _fits(rule: Rule, place: int, value: str, facts: set[str]) -> bool:
    kinds = [c for c in (*rule.kinds, *rule.requires) if c.parameters == (place,) and " is a " in c.text]
    return all(" ".join([value, *c.words[1:]]) in facts for c in kinds)


def edited(
    failed_call: ShownFailure,
    steps: Sequence[text.ActionCall],
    words: Mapping[str, tuple[str, ...]],
    change: str,
) -> Edit:
    """The steps as a function of the same name; old parameters stay in their places, new names become new
    parameters behind them."""
    named = dict(zip(failed_call.arguments, failed_call.function.parameters, strict=False))
    new = [a for step in steps for a in step.arguments if a not in named]
    if new:
        lifted, values = lift("new", steps, words)
        for parameter, value in zip(lifted.parameters, values, strict=True):
            if value not in named:
                taken = set(named.values())
                named[value] = parameter if parameter not in taken else f"{parameter}_{len(taken)}"
    own = failed_call.function.parameters
    extra = tuple(p for v, p in named.items() if p not in own)
    arguments = failed_call.arguments + tuple(v for v, p in named.items() if p not in own)
    lines = tuple(text.ActionCall(s.name, tuple(named[a] for a in s.arguments)) for s in steps)
    return Edit(replace(failed_call.function, parameters=own + extra, steps=lines), arguments, change)


def with_its_loop(edit: Edit, failed_call: ShownFailure) -> Edit:
    """The edited round as a function with the loop that it was a round of."""
    whole = failed_call.whole
    if not whole.loop:
        return edit
    of = dict(whole.loop)
    parameters = tuple(of.get(p, p) for p in edit.function.parameters)
    more = edit.arguments[len(failed_call.arguments) :]
    return replace(
        edit,
        function=replace(edit.function, parameters=parameters, loop=whole.loop),
        arguments=(*failed_call.given, *more),
    )


def _possible(
    made: Sequence[text.ActionCall], rules: Sequence[Rule], play: Transcript, before: frozenset[str]
) -> bool:
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
