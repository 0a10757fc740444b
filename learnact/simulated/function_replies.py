"""Replies that are code: functions from repeated sequences of the plan, with names lifted to parameters.

Each function is written from one occurrence that is read once more. The second reading errs by the same
inattention: a step that is overlooked is missing, an argument that is overlooked is taken from the
neighbouring line. Defects have no other source. Programs (one whole plan) are written here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from learnact.simulated import text
from learnact.simulated.belief import form_belief
from learnact.simulated.function_rules import rules_as_read
from learnact.simulated.functions import Check, Function, lift
from learnact.simulated.loops import Repetition, find_repetitions
from learnact.simulated.noisy_reader import READINGS, NoisyReader
from learnact.simulated.planner import plan_to_goals
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.relaxed_planner import reached
from learnact.simulated.rules import Rule
from learnact.simulated.step_table import GroundStep

SHORTEST, LONGEST = 2, 6
MOST_PARAMETERS = 7
LONGEST_PLAN = 80
CONSIDERED = 12
SHORT_PLAN = 8
"""A plan with fewer steps is too short to show repeated sequences: plans for other goals are added."""
OTHER_GOALS = 3
MOST_LOOPS = 3
NOT_RETURNED = "returns nothing"
"""What a prompt says where code cannot look at observations."""
_BREAK = text.ActionCall("", ())
NO_WAY = "I see no way to do it."
_ANSWER_SENTENCES = 3


@dataclass(frozen=True)
class Pattern:
    """A sequence of actions with places for names, and where in the plan it occurs."""

    shape: tuple[tuple[str, tuple[int, ...]], ...]
    starts: tuple[int, ...]

    @property
    def saved(self) -> float:
        """Turns that it saves in the plan; one that occurs once is a guess worth half."""
        apart = _apart(self.starts, len(self.shape))
        return (len(self.shape) - 1) * (apart if apart > 1 else 0.5)


def functions(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Two to four functions with a usage line."""
    plan = _with_other_goals(prompt, reader, _plan(prompt, reader))
    return written_out(propose(prompt, reader, plan), _opening(reader))


def written_out(written: list[tuple[Function, tuple[str, ...]]], opening: str = "") -> str:
    """Functions as code, with a call of the first of them."""
    if not written:
        return NO_WAY
    code = "\n\n\n".join(function.code for function, _ in written)
    function, names = written[0]
    return f"{opening}```python\n{code}\n```\nUsage: {text.ActionCall(function.name, names)}"


def program(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """The whole plan as a program."""
    plan = _plan(prompt, reader)
    if not plan:
        return NO_WAY
    seen = [step for _, step in read_again(plan, range(len(plan)), reader)]
    return "```python\n" + "\n".join(map(str, seen)) + "\n```"


def program_of_functions(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Functions, and the calls of them (and of primitive actions between them) that reach the goal."""
    plan = _plan(prompt, reader)
    return with_calls(prompt, plan, propose(prompt, reader, plan))


def induction(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Functions from the steps of an attempt, and the calls of them that do the attempt again."""
    plan = [entry.call for entry in prompt.task.entries if entry.call]
    return with_calls(prompt, plan, propose(prompt, reader, plan))


def with_calls(
    prompt: ParsedPrompt, plan: list[text.ActionCall], written: list[tuple[Function, tuple[str, ...]]]
) -> str:
    """Functions as code, with the calls of a plan written by them."""
    if not written:
        return NO_WAY
    code = "\n\n\n".join(function.code for function, _ in written)
    usage = "; ".join(map(str, cover(plan, [function for function, _ in written], prompt)))
    return f"```python\n{code}\n```\nUsage: {usage}"


def _opening(reader: NoisyReader) -> str:
    return ("", "Here are the functions.\n\n", "These sequences come up again and again:\n\n")[
        reader.draw("opening", 3)
    ]


def _words(prompt: ParsedPrompt) -> Mapping[str, Sequence[str]]:
    return {rule.name: rule.parameters for rule in prompt.rules}


def _plan(prompt: ParsedPrompt, reader: NoisyReader) -> list[text.ActionCall]:
    """A plan for the task by what was read, after closer looks where there was none at first."""
    for look in range(READINGS):
        belief = form_belief(prompt, reader.reread(look))
        if belief.open_goals:
            steps = plan_to_goals(belief.steps, belief.state, belief.goals, LONGEST_PLAN)
            if steps:
                return [step.call for step in steps]
    return []


def _with_other_goals(
    prompt: ParsedPrompt, reader: NoisyReader, plan: list[text.ActionCall]
) -> list[text.ActionCall]:
    """A short plan, followed by plans for other goals that the same task could have."""
    plan = list(plan)
    for number in range(OTHER_GOALS if len(plan) < SHORT_PLAN else 0):
        belief = form_belief(prompt, reader.reread(number))
        table, _ = reached(belief.steps, belief.state)
        rows = [row for row in range(len(table)) if table.step(row).adds & ~belief.state]
        if not rows:
            continue
        end = table.step(rows[reader.draw(f"end {number}", len(rows))])
        steps = plan_to_goals(table, belief.state, [end.requires & ~belief.state], LONGEST_PLAN)
        plan += [_BREAK, *(step.call for step in steps), *([end.call] if _last(steps) != end.call else [])]
    return plan


def _last(steps: Sequence[GroundStep]) -> text.ActionCall | None:
    return steps[-1].call if steps else None


def propose(
    prompt: ParsedPrompt, reader: NoisyReader, plan: list[text.ActionCall]
) -> list[tuple[Function, tuple[str, ...]]]:
    """The functions of a proposal with the names of the occurrence that each was written from."""
    wanted = 2 + reader.draw("how many", 3)
    taken: set[str] = {rule.name for rule in prompt.rules}
    author = _Author(prompt, reader, plan, taken)
    repetitions = find_repetitions(plan)[:MOST_LOOPS]
    written: list[tuple[Function, tuple[str, ...]]] = []
    if repetitions and reader.draw("repeat", 2):
        written += author.loop(repetitions[reader.draw("which repetition", len(repetitions))])
    patterns = find_patterns(plan)[:CONSIDERED]
    number = 0
    while patterns and len(written) < wanted:
        number += 1
        among = len(patterns)
        chosen = min(reader.draw(f"first {number}", among), reader.draw(f"second {number}", among))
        pattern = patterns.pop(chosen)
        start = pattern.starts[reader.draw(f"where {number}", len(pattern.starts))]
        for function, names in author.sequence(range(start, start + len(pattern.shape))):
            if all(function.steps != other.steps for other, _ in written):
                written.append((function, names))
    return written


@dataclass
class _Author:
    """Writes functions from lines of a plan, each read once more."""

    prompt: ParsedPrompt
    reader: NoisyReader
    plan: Sequence[text.ActionCall]
    taken: set[str]

    def sequence(self, lines: range) -> list[tuple[Function, tuple[str, ...]]]:
        """The function of some lines; nothing where too few of them were seen."""
        again = read_again(self.plan, lines, self.reader)
        if len(again) < SHORTEST:
            return []
        steps = [step for _, step in again]
        function, names = lift(name_of(steps, self.taken), steps, _words(self.prompt))
        self.taken.add(function.name)
        return [(self._checked(function, names, lines, again), names)]

    def loop(self, repetition: Repetition) -> list[tuple[Function, tuple[str, ...]]]:
        """A function that does the repeated lines for each element of lists; nothing where no line was seen
        that has one."""
        lines = range(repetition.start, repetition.start + repetition.length)
        again = read_again(self.plan, lines, self.reader)
        steps = [step for _, step in again]
        column = {repetition.rows[0][i]: i for i in repetition.varying}
        function, names = lift(name_of(steps, self.taken, "_for_each"), steps, _words(self.prompt))
        loop = {
            variable: f"{variable}s"
            for variable, name in zip(function.parameters, names, strict=True)
            if name in column
        }
        if not loop:
            return []
        self.taken.add(function.name)
        checked = self._checked(function, names, lines, again)
        parameters = tuple(loop.get(p, p) for p in function.parameters)
        arguments = tuple(
            text.listed(row[column[name]] for row in repetition.rows) if name in column else name
            for name in names
        )
        return [(replace(checked, parameters=parameters, loop=tuple(loop.items())), arguments)]

    def _checked(
        self,
        function: Function,
        names: tuple[str, ...],
        lines: range,
        again: Sequence[tuple[int, text.ActionCall]],
    ) -> Function:
        """The function, in two of three cases with a look at what was observed after a step that a later one
        needs. The look stays where its step was overlooked."""
        manner = self.reader.draw(f"manner of {function.name}", 3)
        if not manner or self.prompt.task.first.now is None or NOT_RETURNED in self.prompt.answer:
            return function
        parameter = dict(zip(names, function.parameters, strict=True))
        place = {line: number for number, (line, _) in enumerate(again)}
        for line in lines[:-1]:
            sentence = self._needed_later(line, lines)
            words = [parameter.get(word, word) for word in sentence.split()]
            if not set(words) & set(parameter.values()):
                continue
            after = sum(other <= line for other, _ in again)
            check = Check(after, f"{' '.join(words)}.", "return" if manner == 1 else "raise")
            assigned = {place[line]} if line in place else set()
            return replace(
                function,
                checks=(check,),
                assigned=frozenset(assigned | {len(again) - 1}),
                returns=True,
            )
        return function

    def _needed_later(self, line: int, lines: range) -> str:
        """A sentence that a line brings about and a later one requires, by the rules as read; "" for none."""
        rules = {rule.name: rule for rule in self.rules}
        made = _said(rules.get(self.plan[line].name), self.plan[line], "adds")
        needed = [
            sentence
            for later in range(line + 1, lines.stop)
            for sentence in _said(rules.get(self.plan[later].name), self.plan[later], "requires")
        ]
        return next((sentence for sentence in made if sentence in needed), "")

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the primitive actions as read."""
        return rules_as_read(self.prompt, self.reader)


def _said(rule: Rule | None, step: text.ActionCall, part: Literal["adds", "requires"]) -> list[str]:
    if rule is None or len(rule.parameters) != len(step.arguments):
        return []
    clauses = rule.adds if part == "adds" else rule.requires
    return [c.template.format(*step.arguments) for c in clauses]


def read_again(
    plan: Sequence[text.ActionCall], lines: range, reader: NoisyReader
) -> list[tuple[int, text.ActionCall]]:
    """Lines of a plan read once more: what is overlooked is missing, or is taken from the next line or the
    one before."""
    found = []
    for line in lines:
        call = plan[line]
        distance = (len(plan) - 1 - line + _ANSWER_SENTENCES,)
        if not reader.sees(f"line {line}: {call}", distance):
            continue
        if not reader.sees(f"names in line {line}: {call}", distance):
            call = _with_wrong_name(plan, line, reader)
        found.append((line, call))
    return found


def _with_wrong_name(plan: Sequence[text.ActionCall], line: int, reader: NoisyReader) -> text.ActionCall:
    """A call with one argument from a neighbouring line."""
    call = plan[line]
    near = [plan[i] for i in (line + 1, line - 1) if 0 <= i < len(plan) and plan[i].arguments]
    if not near or not call.arguments:
        return call
    other = near[reader.draw(f"neighbour {line}", len(near))]
    place = reader.draw(f"place {line}", len(call.arguments))
    value = other.arguments[min(place, len(other.arguments) - 1)]
    return text.ActionCall(call.name, (*call.arguments[:place], value, *call.arguments[place + 1 :]))


def find_patterns(plan: Sequence[text.ActionCall]) -> list[Pattern]:
    """Sequences of 2 to 6 calls that hang together, those first that save most turns."""
    found: dict[tuple[tuple[str, tuple[int, ...]], ...], list[int]] = {}
    for length in range(SHORTEST, LONGEST + 1):
        for start in range(len(plan) - length + 1):
            shape = _shape(plan[start : start + length])
            if shape:
                found.setdefault(shape, []).append(start)
    patterns = [Pattern(shape, tuple(starts)) for shape, starts in found.items()]
    return sorted(patterns, key=lambda p: (-p.saved, p.starts[0], len(p.shape)))


def _shape(steps: Sequence[text.ActionCall]) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
    numbers: dict[str, int] = {}
    shape = []
    for step in steps:
        rule_of = not numbers or not step.arguments or any(a in numbers for a in step.arguments)
        if step == _BREAK or not rule_of:
            return None
        shape.append((step.name, tuple(numbers.setdefault(a, len(numbers)) for a in step.arguments)))
    return tuple(shape) if 0 < len(numbers) <= MOST_PARAMETERS else None


def _apart(starts: Sequence[int], length: int) -> int:
    count, end = 0, -1
    for start in starts:
        if start >= end:
            count, end = count + 1, start + length
    return count


def name_of(steps: Sequence[text.ActionCall], taken: set[str], ending: str = "") -> str:
    """A name for a function that makes these calls, unlike those that are taken."""
    base = "_and_".join(dict.fromkeys(step.name for step in steps)) + ending
    if not ending and len(steps) > len({step.name for step in steps}):
        base += f"_in_{len(steps)}_steps"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def cover(
    plan: Sequence[text.ActionCall], written: Sequence[Function], prompt: ParsedPrompt
) -> list[text.ActionCall]:
    """The plan with functions in place of the calls that they make."""
    words = _words(prompt)
    by_length = sorted(written, key=lambda f: -len(f.steps))
    calls: list[text.ActionCall] = []
    line = 0
    while line < len(plan):
        for function in by_length:
            part = plan[line : line + len(function.steps)]
            lifted, names = lift(function.name, part, words)
            if part and lifted.steps == function.steps and len(names) == len(function.parameters):
                calls.append(function.call(names))
                line += len(part)
                break
        else:
            calls.append(plan[line])
            line += 1
    return calls
