"""Writing functions: repeated sequences of what was planned, lifted to parameters, each written from one
occurrence read once more.

The second reading errs by the same inattention: a step that is overlooked is missing, an argument that is
overlooked is taken from the neighbouring line. Defects have no other source. Programs (one whole plan) are
written here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learnact.simulated import text
from learnact.simulated.attention import LOOKS, Attention
from learnact.simulated.functions import Function, lift
from learnact.simulated.planner import whole
from learnact.simulated.reading import read
from learnact.simulated.relaxed import reached
from learnact.simulated.scene import Scene
from learnact.simulated.table import Step

SHORTEST, LONGEST = 2, 6
MOST_PARAMETERS = 7
LONGEST_PLAN = 80
CONSIDERED = 12
SHORT_PLAN = 8
"""A plan with fewer steps is too short to show what comes up again and again: other ends are imagined,
too."""
IMAGINED = 3
_BREAK = text.Call("", ())
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


def functions(scene: Scene, attention: Attention) -> str:
    """Two to four functions with a usage line."""
    plan = _with_imagined(scene, attention, _plan(scene, attention))
    return written_out(propose(scene, attention, plan), _opening(attention))


def written_out(written: list[tuple[Function, tuple[str, ...]]], opening: str = "") -> str:
    """Functions as code, with a call of the first of them."""
    if not written:
        return NO_WAY
    code = "\n\n\n".join(function.code for function, _ in written)
    function, names = written[0]
    return f"{opening}```python\n{code}\n```\nUsage: {text.Call(function.name, names)}"


def program(scene: Scene, attention: Attention) -> str:
    """The whole plan as a program."""
    plan = _plan(scene, attention)
    if not plan:
        return NO_WAY
    seen = [step for _, step in _read_again(plan, range(len(plan)), attention)]
    return "```python\n" + "\n".join(map(str, seen)) + "\n```"


def program_of_functions(scene: Scene, attention: Attention) -> str:
    """Functions, and the calls of them (and of primitive actions between them) that reach the goal."""
    plan = _plan(scene, attention)
    written = propose(scene, attention, plan)
    if not written:
        return NO_WAY
    code = "\n\n\n".join(function.code for function, _ in written)
    usage = "; ".join(map(str, cover(plan, [function for function, _ in written], scene)))
    return f"```python\n{code}\n```\nUsage: {usage}"


def _opening(attention: Attention) -> str:
    return ("", "Here are the functions.\n\n", "These sequences come up again and again:\n\n")[
        attention.draw("opening", 3)
    ]


def _words(scene: Scene) -> Mapping[str, Sequence[str]]:
    return {rule.name: rule.parameters for rule in scene.rules}


def _plan(scene: Scene, attention: Attention) -> list[text.Call]:
    """A plan for the task by what was read, after closer looks where there was none at first."""
    for look in range(LOOKS):
        reading = read(scene, attention.closer(look))
        if reading.open_goals:
            steps = whole(reading.steps, reading.state, reading.goals, LONGEST_PLAN)
            if steps:
                return [step.call for step in steps]
    return []


def _with_imagined(scene: Scene, attention: Attention, plan: list[text.Call]) -> list[text.Call]:
    """A short plan, followed by plans for other ends that the same world might be asked to meet."""
    plan = list(plan)
    for number in range(IMAGINED if len(plan) < SHORT_PLAN else 0):
        reading = read(scene, attention.closer(number))
        table, _ = reached(reading.steps, reading.state)
        rows = [row for row in range(len(table)) if table.step(row).adds & ~reading.state]
        if not rows:
            continue
        end = table.step(rows[attention.draw(f"end {number}", len(rows))])
        steps = whole(table, reading.state, [end.requires & ~reading.state], LONGEST_PLAN)
        plan += [_BREAK, *(step.call for step in steps), *([end.call] if _last(steps) != end.call else [])]
    return plan


def _last(steps: Sequence[Step]) -> text.Call | None:
    return steps[-1].call if steps else None


def propose(
    scene: Scene, attention: Attention, plan: list[text.Call]
) -> list[tuple[Function, tuple[str, ...]]]:
    """The functions of a proposal with the names of the occurrence that each was written from."""
    patterns = find_patterns(plan)[:CONSIDERED]
    wanted = 2 + attention.draw("how many", 3)
    written: list[tuple[Function, tuple[str, ...]]] = []
    taken: set[str] = {rule.name for rule in scene.rules}
    number = 0
    while patterns and len(written) < wanted:
        number += 1
        among = len(patterns)
        chosen = min(attention.draw(f"first {number}", among), attention.draw(f"second {number}", among))
        pattern = patterns.pop(chosen)
        start = pattern.starts[attention.draw(f"where {number}", len(pattern.starts))]
        lines = range(start, start + len(pattern.shape))
        steps = [step for _, step in _read_again(plan, lines, attention)]
        if len(steps) < SHORTEST:
            continue
        function, names = lift(_name(steps, taken), steps, _words(scene))
        taken.add(function.name)
        if all(function.steps != other.steps for other, _ in written):
            written.append((function, names))
    return written


def _read_again(plan: Sequence[text.Call], lines: range, attention: Attention) -> list[tuple[int, text.Call]]:
    """Lines of a plan read once more: what is overlooked is missing, or is taken from the next line or the
    one before."""
    found = []
    for line in lines:
        call = plan[line]
        distance = (len(plan) - 1 - line + _ANSWER_SENTENCES,)
        if not attention.sees(f"line {line}: {call}", distance):
            continue
        if not attention.sees(f"names in line {line}: {call}", distance):
            call = _blurred(plan, line, attention)
        found.append((line, call))
    return found


def _blurred(plan: Sequence[text.Call], line: int, attention: Attention) -> text.Call:
    """A call with one argument from a neighbouring line."""
    call = plan[line]
    near = [plan[i] for i in (line + 1, line - 1) if 0 <= i < len(plan) and plan[i].arguments]
    if not near or not call.arguments:
        return call
    other = near[attention.draw(f"neighbour {line}", len(near))]
    place = attention.draw(f"place {line}", len(call.arguments))
    value = other.arguments[min(place, len(other.arguments) - 1)]
    return text.Call(call.name, (*call.arguments[:place], value, *call.arguments[place + 1 :]))


def find_patterns(plan: Sequence[text.Call]) -> list[Pattern]:
    """Sequences of 2 to 6 calls that hang together, those first that save most turns."""
    found: dict[tuple[tuple[str, tuple[int, ...]], ...], list[int]] = {}
    for length in range(SHORTEST, LONGEST + 1):
        for start in range(len(plan) - length + 1):
            shape = _shape(plan[start : start + length])
            if shape:
                found.setdefault(shape, []).append(start)
    patterns = [Pattern(shape, tuple(starts)) for shape, starts in found.items()]
    return sorted(patterns, key=lambda p: (-p.saved, p.starts[0], len(p.shape)))


def _shape(steps: Sequence[text.Call]) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
    numbers: dict[str, int] = {}
    shape = []
    for step in steps:
        together = not numbers or not step.arguments or any(a in numbers for a in step.arguments)
        if step == _BREAK or not together:
            return None
        shape.append((step.name, tuple(numbers.setdefault(a, len(numbers)) for a in step.arguments)))
    return tuple(shape) if 0 < len(numbers) <= MOST_PARAMETERS else None


def _apart(starts: Sequence[int], length: int) -> int:
    count, end = 0, -1
    for start in starts:
        if start >= end:
            count, end = count + 1, start + length
    return count


def _name(steps: Sequence[text.Call], taken: set[str]) -> str:
    base = "_and_".join(dict.fromkeys(step.name for step in steps))
    if len(steps) > len({step.name for step in steps}):
        base += f"_in_{len(steps)}_steps"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def cover(plan: Sequence[text.Call], written: Sequence[Function], scene: Scene) -> list[text.Call]:
    """The plan with functions in place of the calls that they make."""
    words = _words(scene)
    by_length = sorted(written, key=lambda f: -len(f.steps))
    calls: list[text.Call] = []
    line = 0
    while line < len(plan):
        for function in by_length:
            part = plan[line : line + len(function.steps)]
            lifted, names = lift(function.name, part, words)
            if lifted.steps == function.steps:
                calls.append(text.Call(function.name, names))
                line += len(part)
                break
        else:
            calls.append(plan[line])
            line += 1
    return calls
