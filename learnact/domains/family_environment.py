"""What the environments of all families have in common: a call is checked against its primitive's signature,
progress never falls, success and failure stay.

A family says what a primitive answers (`FamilyEnvironment.answer`); it is only asked about calls that fit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learnact.domains.base import Primitive
from learnact.errors import suggestion
from learnact.records import Plain, Step

NOTHING = "Nothing happens."
"""How the observation of an invalid action begins; a reason follows."""
LONGEST = 80
"""Characters of an argument that an observation or a command repeats."""
MOST_UNSOLVED = 0.99
"""The most progress of a task that is not solved: 1 is for solved tasks."""

_PYTHON_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (dict,),
}


@dataclass(frozen=True)
class PrimitiveAnswer:
    """What a family's environment answers to a call that fits its primitive.

    `observation`: what the agent reads; of an invalid action the reason, a sentence that stands behind
    "Nothing happens.". `progress`: of the state now, 0 .. 1; None where it is as before. `failed`: why the
    task cannot be solved any more; the episode then ends.
    """

    observation: str
    valid: bool = True
    progress: float | None = None
    success: bool = False
    failed: str = ""


class FamilyEnvironment(ABC):
    """`learnact.domains.base.Environment` but for what primitives do."""

    goal: str
    first_observation: str

    def __init__(self, primitives: Sequence[Primitive]) -> None:
        self._primitives = {primitive.name: primitive for primitive in primitives}
        self._progress = 0.0
        self._success = False
        self._failed = ""

    @property
    def progress(self) -> float:
        """Running maximum in 0 .. 1; 1 exactly when solved."""
        return 1.0 if self._success else self._progress

    @property
    def success(self) -> bool:
        """Whether the task was solved, now or before."""
        return self._success

    @abstractmethod
    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What the primitive `name` does with these arguments, one for each of its parameters, of their
        kinds. Never raises for what an agent does."""

    def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do one primitive action given as a call."""
        primitive = self._primitives.get(name)
        if primitive is None:
            near = suggestion(shortened(name), self._primitives)
            told = f"There is no action {shortened(name)}; {near}"
            return self.invalid(written_call(name, arguments, keywords), told)
        bound = bind(primitive, arguments, keywords)
        if isinstance(bound, str):
            return self.invalid(written_call(name, arguments, keywords), bound)
        return self.take(written_call(name, _without_defaults(primitive, bound), {}), name, bound)

    def text(self, command: str) -> Step:
        """Actions are calls: an invalid step. A family whose engine reads text overrides it."""
        return self.invalid(shortened(command), "Actions of this domain are calls, not text.")

    def close(self) -> None:  # noqa: B027  most families hold nothing
        """Nothing to free; a family that holds something overrides it. Idempotent."""

    def take(self, command: str, name: str, values: tuple[Plain, ...]) -> Step:
        """Ask the family for its answer and make a step of it. After a failure nothing more is possible."""
        if self._failed:
            return self.invalid(command, self._failed)
        return self._as_step(command, self.answer(name, values))

    def _as_step(self, command: str, answer: PrimitiveAnswer) -> Step:
        self.reached(answer.progress, answer.success)
        self._failed = "" if self._success else answer.failed
        if not answer.valid:
            return self.invalid(command, answer.observation)
        return self._step(command, True, answer.observation)

    def reached(self, progress: float | None, success: bool) -> None:
        """Note progress and success of the state; neither is ever taken back."""
        self._success = self._success or success
        if progress is not None:
            self._progress = max(self._progress, min(progress, MOST_UNSOLVED))

    def invalid(self, command: str, reason: str) -> Step:
        """The step of an action that was not possible; it changed nothing."""
        return self._step(command, False, f"{NOTHING} {reason}".strip())

    def _step(self, command: str, valid: bool, observation: str) -> Step:
        over = bool(self._failed)
        return Step(command, valid, observation, self.progress, self._success, over)


def bind(
    primitive: Primitive, arguments: Sequence[Plain], keywords: Mapping[str, Plain]
) -> tuple[Plain, ...] | str:
    """The arguments in order of the primitive's parameters, or a sentence that says why they do not fit."""
    optional = f" (the last {len(primitive.defaults)} may be left out)" if primitive.defaults else ""
    takes = f"{primitive.name} takes {', '.join(primitive.parameters) or 'no arguments'}{optional}."
    given = dict(zip(primitive.parameters, arguments, strict=False))
    if len(arguments) > len(primitive.parameters) or given.keys() & keywords.keys():
        return takes
    given.update(keywords)
    if not set(primitive.required) <= set(given) <= set(primitive.parameters):
        return takes
    given = {**dict(primitive.defaults), **given}
    values = tuple(given[name] for name in primitive.parameters)
    for parameter, kind, value in zip(primitive.parameters, primitive.kinds or (), values, strict=False):
        if fault := kind_fault(kind, value):
            return f"{parameter} of {primitive.name} {fault}."
    return values


def _without_defaults(primitive: Primitive, values: Sequence[Plain]) -> tuple[Plain, ...]:
    """Arguments without the last ones that are as when they are left out."""
    defaults, kept = dict(primitive.defaults), list(values)
    for parameter in reversed(primitive.parameters):
        if parameter not in defaults or kept[-1] != defaults[parameter]:
            break
        kept.pop()
    return tuple(kept)


def kind_fault(kind: str, value: Plain) -> str:
    """Why a value is not of a kind, as the end of a sentence ("must be int, not 'a'"); "" when it is.

    A kind that is no type of Python names things by their text; `any` and no kind take everything.
    """
    if kind in ("", "any"):
        return ""
    if " | " in kind:
        fits = any(
            value is None if one == "None" else not kind_fault(one, value) for one in kind.split(" | ")
        )
        return "" if fits else f"must be {kind.removesuffix(' | None')}, not {shortened(repr(value))}"
    outer, _, inner = kind.partition("[")
    wanted = _PYTHON_KINDS.get(outer, (str,))
    fits = isinstance(value, wanted) and (not isinstance(value, bool) or bool in wanted)
    if fits and outer == "list" and inner and isinstance(value, list | tuple):
        fits = all(not kind_fault(inner.removesuffix("]"), item) for item in value)
    shown = kind if outer in _PYTHON_KINDS else "text"
    return "" if fits else f"must be {shown}, not {shortened(repr(value))}"


def written_call(name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> str:
    """A call as Python writes it, with long arguments cut."""
    parts = [_literal(value) for value in arguments] + [f"{k}={_literal(v)}" for k, v in keywords.items()]
    return f"{shortened(name)}({', '.join(parts)})"


def shortened(text: str, most: int = LONGEST) -> str:
    """Text in one line of at most `most` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 3] + "..."


def _literal(value: Plain) -> str:
    text = repr(value)
    return text if len(text) <= 4 * LONGEST else repr(shortened(text, 4 * LONGEST))
