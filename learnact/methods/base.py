"""What a method is: an agent that plays, and a learner that prepares a library for it.

One object says everything about a learner or an agent: its options, what it asks models for, whether its code
runs in the sandbox, an upper bound of its work, and how its library is chosen for a task. Other packages add
methods through the entry-point group `learnact.methods` (docs/adding-a-method.md).
"""

from __future__ import annotations

import ast
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from learnact.records import (
    AgentSpec,
    Budget,
    DomainSpec,
    LearnerSpec,
    Library,
    ModelSpec,
    Task,
    canonical,
    digest,
)

if TYPE_CHECKING:
    from learnact.domains.base import Domain, Example
    from learnact.methods.episode import EpisodeRun
    from learnact.methods.training import Learned, Training

LibraryChooser: TypeAlias = "Callable[[Domain, Task, DomainSpec], Awaitable[Library]]"
"""Returns the library that the agent is given for a test task."""


class MethodOptions(BaseModel):
    """Base of the options of a learner or an agent: frozen, strict, unknown keys refused.

    A field's docstring is its help text. In a job file each option takes one value or a list of values (an
    axis of the grid). Values must be hashable (tuples, not lists).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


LIMIT = 10_000
"""Upper bound of counts in options and job files: more is a slip of the keyboard, never a plan."""
Positive = Annotated[int, Field(ge=1, le=LIMIT)]
Count = Annotated[int, Field(ge=0, le=LIMIT)]
Temperature = Annotated[float, Field(ge=0, le=2)] | None

Options = TypeVar("Options", bound=MethodOptions)


class OptionConflict(ValueError):
    """Options that contradict each other; `option` is the one to change."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True)
class WorkBound:
    """Upper bound of what learning does in one trial.

    `episodes`: training episodes of the agent. `requests`: requests to the learner model. `other_libraries`:
    libraries that are tested besides the final one.
    """

    episodes: int = 0
    requests: int = 0
    other_libraries: int = 0


class Learner(ABC, Generic[Options]):
    """Turns training tasks into a library. Stateless: one instance serves all trials.

    A subclass sets `name`, `options` and the flags below, and implements `learn`.
    """

    name: ClassVar[str]
    """As job files and results call it."""
    options: ClassVar[type[MethodOptions]] = MethodOptions
    """The model of its options; their names must differ from the keys of a method entry."""
    test_only: ClassVar[frozenset[str]] = frozenset()
    """Options that change what is tested and never the library."""
    learning_only: ClassVar[frozenset[str]] = frozenset()
    """Options that have no effect where the library comes from another run."""
    learns_from: ClassVar[str] = ""
    """What it learns from, in a few words (table 1)."""
    keeps: ClassVar[str] = ""
    """What its agent is given at the test, in a few words (table 1)."""
    learns: ClassVar[bool] = True
    """Whether it uses training tasks. A learner that does not is tested (learn x test) times instead."""
    writes_code: ClassVar[bool] = False
    """Whether its library holds functions, which run in the sandbox."""
    uses_embeddings: ClassVar[bool] = False
    """Whether it uses the job's embedding model (`models.embeddings`)."""
    asks_for: ClassVar[frozenset[str]] = frozenset()
    """Purposes of its requests to the learner model, as in the column `requests.purpose`."""
    accepts_budget: ClassVar[bool] = True
    """Whether it can use up a larger budget (`match_budget`). False where the options fix the cost."""
    with_budget: ClassVar[Learner[Any] | None] = None
    """The learner that takes its place when a budget is matched; None for itself."""

    @abstractmethod
    async def learn(self, training: Training, options: Options) -> Learned:
        """The library, and what else is to be tested.

        It must be a function of what `training` returns: no clock, no random numbers, no files of its own.
        So an interrupted trial resumes by running it again.

        Raises:
            Blocked: a unit of work that a decision depends on has no result.
        """

    def bound(self, options: Options, tasks: int) -> WorkBound | None:  # noqa: ARG002 - for subclasses
        """Upper bound of its work with that many training tasks; None where no bound is known."""
        return None

    def chooser(
        self,
        training: Training,  # noqa: ARG002
        options: Options,  # noqa: ARG002
        library: Library,  # noqa: ARG002
    ) -> LibraryChooser | None:
        """How the library of a test task is chosen; None where every task is given the whole library."""
        return None

    def problem(self, options: Options, domain: Domain) -> str:  # noqa: ARG002 - for subclasses
        """Why it cannot learn on a domain with these options, and the way out; "" where it can."""
        return ""

    def combined(self, options: Options, given: frozenset[str]) -> Options:  # noqa: ARG002 - for subclasses
        """The options with those made consistent that depend on each other.

        `given`: options that the entry of the method sets itself.

        Raises:
            OptionConflict: the combination makes no sense.
        """
        return options

    def options_of(self, spec: LearnerSpec) -> Options:
        """The options of a trial."""
        return self.options.model_validate_json(spec.options)  # type: ignore[return-value]

    def spec(self, options: Options) -> LearnerSpec:
        """The learner as a trial names it."""
        return LearnerSpec(self.name, canonical(options.model_dump(mode="json")))


class Agent(ABC, Generic[Options]):
    """Plays one task through an `EpisodeRun`. Stateless: one instance serves all episodes."""

    name: ClassVar[str]
    """As job files and results call it."""
    options: ClassVar[type[MethodOptions]] = MethodOptions
    """The model of its options."""
    writes_code: ClassVar[bool] = False
    """Whether it runs code that the model writes: it needs a sandbox even with an empty library."""
    accepts_library: ClassVar[bool] = True
    """Whether it can be given learned actions."""
    open_loop: ClassVar[bool] = False
    """Whether it decides everything before it observes anything: refused for domains that must be explored.
    """

    action_formats: ClassVar[frozenset[str]] = frozenset({"call"})
    """The values of the rule `action_format` that it can play with."""

    @abstractmethod
    async def play(self, run: EpisodeRun, options: Options) -> None:
        """Play until the task is solved or the budget is used up."""

    @abstractmethod
    def show_example(self, example: Example) -> str:
        """The domain's worked example as this agent's prompt shows it."""

    def turns(self, budget: Budget) -> int:
        """Replies of the model in one episode at most."""
        return budget.turns

    def model(self, model: ModelSpec) -> ModelSpec:
        """The model with the parameters that this agent needs."""
        return model

    def options_of(self, spec: AgentSpec) -> Options:
        """The options of an episode."""
        return self.options.model_validate_json(spec.options)  # type: ignore[return-value]


@dataclass(frozen=True)
class Method:
    """A named pair of agent and learner. `summary` is its line in `learnact methods`."""

    name: str
    agent: Agent[Any]
    learner: Learner[Any]
    summary: str = ""

    def option_models(self) -> tuple[type[MethodOptions], ...]:
        """The models of all options that a job may set for it."""
        return (self.learner.options, self.agent.options)


@cache
def code_version(module: str) -> str:
    """Address of what a module's code does: comments, docstrings and layout do not count.

    Part of a trial's identity, so that results of changed code are never pooled with earlier ones (issue 10).
    """
    loaded = sys.modules.get(module)
    path = inspect.getsourcefile(loaded) if loaded is not None else None
    if path is None:
        return ""
    return digest([_code_of(file) for file in _files(Path(path))])


def _files(path: Path) -> list[Path]:
    """A module's file; of a package all its Python files."""
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]


def _code_of(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            node.body = kept  # type: ignore[attr-defined]
    return ast.dump(tree)
