"""Functions made of calls: a line of calls, possibly for each element of lists, with checks of what is
observed; written as code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from learnact.simulated import text

SEEN = "seen"
"""The variable that holds the last observation."""
NOT_SO = "not so:"
"""How the text of an error begins that a check raises."""
MOST_STEPS = 100
"""Most calls that are foreseen of one call of a function."""


@dataclass(frozen=True)
class Check:
    """A look at what was observed: the function ends unless a text is in it (`when_seen`: if it is in it).

    `after`: how many steps stand before it. `sentence`: the text, parameters by their names. `then`: what it
    does: returns what was seen (or the loop's variable), raises, or goes on with the steps that follow
    (`only`: the next step is done only if the text is seen).
    """

    after: int
    sentence: str
    then: Literal["return", "raise", "only"]
    when_seen: bool = False


@dataclass(frozen=True)
class Function:
    """A function as a line of calls. Arguments of a step are parameters of the function, variables of its
    loop, or names.

    `loop`: pairs of a variable and the parameter whose elements it takes; all steps are done for each.
    `assigned`: the steps whose observation is kept. `returns`: whether the last observation is returned.
    `otherwise`: the text of an error that is raised where the end is reached, "" for none.
    """

    name: str
    parameters: tuple[str, ...]
    steps: tuple[text.ActionCall, ...]
    keywords: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = field(
        default_factory=dict, compare=False
    )
    """For actions some of whose parameters must be given by keyword: all their parameters, and those."""
    loop: tuple[tuple[str, str], ...] = ()
    checks: tuple[Check, ...] = ()
    assigned: frozenset[int] = frozenset()
    returns: bool = False
    otherwise: str = ""

    @property
    def signature(self) -> str:
        """Name and parameters."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, each list called by the variable that takes its elements."""
        variable = {of: one for one, of in self.loop}
        return tuple(variable.get(p, p) for p in self.parameters)

    @property
    def code(self) -> str:
        """The whole `def`."""
        lines = [f"def {self.signature}:"]
        indent = "    "
        if self.loop:
            variables, lists = zip(*self.loop, strict=True)
            source = lists[0] if len(lists) == 1 else f"zip({', '.join(lists)})"
            lines.append(f"{indent}for {', '.join(variables)} in {source}:")
            indent *= 2
        for number in range(len(self.steps) + 1):
            only = ""
            for check in (c for c in self.checks if c.after == number):
                lines += [indent + line for line in self._check(check)]
                only = "    " if check.then == "only" else ""
            if number < len(self.steps):
                lines.append(indent + only + self._line(number))
        if self.otherwise:
            lines.append(f"    raise ValueError({self._text(self.otherwise)})")
        elif self.returns and self.assigned:
            lines.append(f"    return {SEEN}")
        return "\n".join(lines)

    def call(self, names: Sequence[str]) -> text.ActionCall:
        """A call with one name for each parameter; lists hold one."""
        lists = {of for _, of in self.loop}
        written = (
            text.listed((n,)) if p in lists else n for p, n in zip(self.parameters, names, strict=True)
        )
        return text.ActionCall(self.name, tuple(written))

    def calls_with(self, arguments: Sequence[str]) -> tuple[text.ActionCall, ...]:
        """The calls that it makes when called with these arguments and no check ends it."""
        value = dict(zip(self.parameters, arguments, strict=False))
        rows: list[dict[str, str]] = [value]
        if self.loop:
            columns = [text.elements(value.get(of, of)) for _, of in self.loop]
            rows = [
                value | dict(zip((one for one, _ in self.loop), row, strict=True))
                for row in zip(*columns, strict=False)
            ]
        return tuple(
            text.ActionCall(step.name, tuple(row.get(a, a) for a in step.arguments))
            for row in rows[:MOST_STEPS]
            for step in self.steps
        )

    def with_shifted_checks(self, place: int, by: int) -> Function:
        """The function after a step was added (`by` 1) or left out (-1) at a place: its checks stay with
        their steps."""
        checks = tuple(replace(c, after=c.after + by) if c.after > place else c for c in self.checks)
        assigned = frozenset(
            a + by if a >= place + (by < 0) else a for a in self.assigned if by > 0 or a != place
        )
        return replace(self, checks=checks, assigned=assigned)

    def _line(self, number: int) -> str:
        step = self.steps[number]
        call = f"{step.name}({', '.join(self._arguments(step))})"
        return f"{SEEN} = {call}" if number in self.assigned else call

    def _check(self, check: Check) -> list[str]:
        looked_for = self._text(check.sentence)
        unlike = self._text(f"{NOT_SO} {check.sentence}")
        if check.then == "only":
            return [f"if {looked_for} in {SEEN}:"]
        result = self.loop[0][0] if check.when_seen and self.loop else SEEN
        end = f"return {result}" if check.then == "return" else f"raise ValueError({unlike})"
        return [f"if {looked_for} {'in' if check.when_seen else 'not in'} {SEEN}:", f"    {end}"]

    def _text(self, sentence: str) -> str:
        """A sentence as an f-string with the parameters in it."""
        known = {*self.names, *self.parameters}
        body = sentence.rstrip(".")
        filled = " ".join(f"{{{w}}}" if w in known else w for w in body.split(" "))
        return f"f{filled + sentence[len(body) :]!r}"

    def _arguments(self, step: text.ActionCall) -> list[str]:
        known = {*self.names, *self.parameters}
        plain = [a if a in known else repr(a) for a in step.arguments]
        names, by_keyword = self.keywords.get(step.name, ((), frozenset()))
        keyed = [f"{p}={a}" if p in by_keyword else a for p, a in zip(names, plain, strict=False)]
        return keyed + plain[len(keyed) :]


def lift(
    name: str, steps: Sequence[text.ActionCall], words: Mapping[str, Sequence[str]]
) -> tuple[Function, tuple[str, ...]]:
    """A function from calls with names in them: every name becomes a parameter, called as the first action
    that takes it calls it.

    `words` are the parameters' names of each action. Gives the function and the names that its parameters
    stood for.
    """
    named: dict[str, str] = {}
    for step in steps:
        for place, value in enumerate(step.arguments):
            if value not in named:
                known = words.get(step.name, ())
                base = known[place] if place < len(known) else "item"
                named[value] = _free(base, named.values())
    lifted = tuple(text.ActionCall(s.name, tuple(named[a] for a in s.arguments)) for s in steps)
    return Function(name, tuple(named.values()), lifted), tuple(named)


def _free(base: str, taken: Iterable[str]) -> str:
    used = set(taken)
    if base not in used:
        return base
    stem = base.rstrip("0123456789")
    return next(f"{stem}{i}" for i in range(2, 1000) if f"{stem}{i}" not in used)
