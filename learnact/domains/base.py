"""What a domain and an environment are: the contract between environments and their callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from learnact.records import Plain, Step, Task


@dataclass(frozen=True)
class Primitive:
    """A primitive action: a Python function of this name with these parameters, in order.

    `keyword_only` parameters must be given by keyword (AgentRefine's P1). `description` is what the prompt
    says after the signature, in the domain's controlled English. `kinds` are the parameters' kinds in typed
    domains, else empty. `defaults` are the values of parameters that may be left out, as pairs of name and
    value; these are the last ones, or keyword-only. `schemas` are the parameters' JSON Schemas as text, in
    domains that have them (tools), else empty; a model that calls tools is sent them.
    """

    name: str
    parameters: tuple[str, ...]
    description: str
    keyword_only: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Plain], ...] = ()
    schemas: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """As shown to a model: `pick(obj, place, hand)`, with kinds `loosen(part: nut, spot: hub)`, with
        defaults `list_files(hidden: bool = False)`."""
        kinds, defaults = self.kinds or ("",) * len(self.parameters), dict(self.defaults)
        shown = []
        for parameter, kind in zip(self.parameters, kinds, strict=True):
            equals = " = " if kind else "="
            value = f"{equals}{defaults[parameter]!r}" if parameter in defaults else ""
            shown.append((f"{parameter}: {kind}" if kind else parameter) + value)
        return f"{self.name}({', '.join(shown)})"

    @property
    def required(self) -> tuple[str, ...]:
        """The parameters that must be given, in order."""
        optional = dict(self.defaults)
        return tuple(parameter for parameter in self.parameters if parameter not in optional)


@dataclass(frozen=True)
class Example:
    """A worked example for the agent's prompt. `steps` are (thought or "", action, observation); an Act
    agent is not shown the thoughts."""

    goal: str
    first_observation: str
    steps: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class FunctionExample:
    """One worked example of a learned function for the learner: code, description, usage line. It solves no
    task of the domain; where it is from another domain, `about` says so."""

    source: str
    description: str
    usage: str
    about: str = ""


@dataclass(frozen=True)
class Profile:
    """What differs between kinds of domains (docs/method.md).

    `call_observation`: observation after a learned action: "last" (last state, failures first) or "all" (all
    valid observations of the call, the failure first). `failure_context`: what the learner is shown of what
    led to a failure. `explores`: the places of objects must be found out by acting, so open-loop programs
    make no sense. `blocking`: opening or stepping may block for long: lives in an engine process. `score`:
    default terms of the selector. `invalid`: the observation after an invalid action where no reason is told
    (`invalid_actions: bare`), and `promise`: the words of the instruction that promise a reason and are left
    out then. `possible`: sentences that say in which forms a primitive action answers, for
    those who write code; `impossible`: what one answers that is not possible, behind "it returns" to the end
    of the sentence.
    """

    test_turns: int = 30
    learn_turns: int = 10
    history: int = 20
    call_observation: Literal["last", "all"] = "last"
    failure_context: Literal["last_observation", "history"] = "last_observation"
    explores: bool = False
    blocking: bool = False
    score: tuple[str, ...] = ("success", "step_correctness", "call_ratio")
    invalid: str = "No effect."
    promise: str = ""
    possible: str = ""
    impossible: str = ""


@runtime_checkable
class TextActions(Protocol):
    """A domain whose actions can also be written as the engine's own text (`action_format: text`)."""

    text_forms: tuple[tuple[str, str], ...]
    """The form and the description of each primitive action: (`take obj from recep`, ...)."""
    text_example: Example
    """The worked example with its actions as text."""


@runtime_checkable
class PlayableExample(Protocol):
    """A domain whose worked example is a task that can be played: usage examples of libraries are played on
    it. Without it they are played on the first training task."""

    @property
    def example_task(self) -> Task:
        """The task of the worked example."""
        ...


@dataclass(frozen=True)
class PlannedCall:
    """One step of a reference plan: a primitive action with its arguments in order."""

    name: str
    arguments: tuple[Plain, ...] = ()

    @property
    def written(self) -> str:
        """As an agent writes it: `pick('ball1', 'rooma', 'left')`."""
        return f"{self.name}({', '.join(map(repr, self.arguments))})"


@runtime_checkable
class ReferencePlans(Protocol):
    """A domain that knows how its tasks are solved."""

    def reference_plan(self, task: Task) -> Sequence[PlannedCall] | None:
        """Calls that solve a task, played one after the other; None where none is known."""
        ...


@runtime_checkable
class OwnFunctionExample(Protocol):
    """A domain with a worked function of its own (`learner_example: same_domain`)."""

    own_function_example: FunctionExample | None
    """The function; None where there is none."""


@runtime_checkable
class CuratedActions(Protocol):
    """A domain with a library that people wrote (the method `curated_library`)."""

    @property
    def curated_library(self) -> str:
        """The library as Python code, each function's docstring its description; "" where there is none for
        the domain's options."""
        ...


@runtime_checkable
class ListsObjects(Protocol):
    """A domain whose tasks say which objects there are (`action_format: constrained`)."""

    def objects(self, task: Task) -> Mapping[str, tuple[str, ...]]:
        """The names of a task's objects by kind; all under "" where parameters have no kinds."""
        ...


@dataclass(frozen=True)
class OpponentChoice:
    """Whom a domain's options put on the other seat: a model with the agent of a method and a library ("" for
    none, `same` for the agent's own, a file, or RUN:LIBRARY); without a model, every other player of the
    job.
    """

    model: str = ""
    method: str = "act"
    library: str = ""


class Environment(Protocol):
    """A task being played. Single use: it has no reset; when done with it, close it. Synchronous; not
    shared between episodes."""

    goal: str
    first_observation: str

    @property
    def progress(self) -> float:
        """Running maximum in 0 .. 1; 1 exactly when solved."""
        ...

    @property
    def success(self) -> bool:
        """Latched: once solved, it stays so."""
        ...

    def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do one primitive action given as a call. Wrong names, counts or types of arguments are invalid
        steps, never exceptions. Where nothing can be reached any more (a lost game), the step says `over`;
        further calls are invalid steps."""
        ...

    def text(self, command: str) -> Step:
        """Do one primitive action given as text (`action_format: text`); domains without such a form say
        so in an invalid step."""
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent."""
        ...


@runtime_checkable
class NarrowsToTask(Protocol):
    """A domain of which a task uses only some primitive actions: its agent is offered these."""

    def for_task(self, task: Task) -> Domain:
        """The domain with the primitive actions of a task, in the domain's order. Learned code may still call
        the others; the environment says that the task has none."""
        ...


@runtime_checkable
class Measured(Protocol):
    """An environment that says more of how an episode ended than success and progress."""

    @property
    def measures(self) -> Mapping[str, float]:
        """Figures by name, of the state now; none where nothing is to be measured."""
        ...


class SeatEnvironment(Environment, Protocol):
    """One of the two seats of a task that is played by two (`learnact.domains.two_seats`). A call that hands
    the turn over returns at once; what it led to is told when the turn is back.
    """

    @property
    def waits(self) -> bool:
        """Whether it is the other seat's turn; False also where the task is over."""
        ...

    def now(self) -> str:
        """What this seat sees when it is its turn: the first observation of its player."""
        ...

    def resume(self, step: Step) -> Step:
        """The step of the call that handed the turn over, with what the other seat has done since."""
        ...

    def give_up(self) -> None:
        """End the task here: this seat has no turns left. Without effect where it is over."""
        ...


@runtime_checkable
class TwoSeats(Protocol):
    """A domain whose tasks a second agent can play from the other side (docs/games.md)."""

    second: OpponentChoice | None
    """Whom its options put there; None for the domain's own opponent."""

    def open_seats(self, task: Task) -> tuple[SeatEnvironment, SeatEnvironment]:
        """One game, as the agent and as the second player see it. Raises as `Domain.open` does."""
        ...


class Domain(Protocol):
    """A kind of tasks with shared rules. Built from a `DomainSpec` by the registry; cheap to build,
    immutable, one per process."""

    name: str
    title: str
    profile: Profile
    primitives: tuple[Primitive, ...]
    instruction: str
    """How the environment works and what the agent can know of it; without the list of actions."""
    example: Example
    function_example: FunctionExample

    @property
    def version(self) -> str:
        """Address of text and engine: changes whenever a prompt or an observation could."""
        ...

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """The tasks of a split as the options say (generated or read from a source), in order. Raises
        `TaskError` for a bad source."""
        ...

    def read(self, path: str) -> Task:
        """One problem or game file as a task. Raises `TaskError` naming file and line."""
        ...

    def open(self, task: Task) -> Environment:
        """A fresh environment. Raises `TaskError` for content that it cannot read, `EnvironmentFailure`
        when the engine fails."""
        ...
