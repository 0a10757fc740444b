"""What a learner makes, and the rows that a trial writes about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from learnact.records.identity import digest

ScoreTerm = Literal["success", "progress", "step_correctness", "call_ratio", "call_share", "turns"]
"""What a selector's score may be made of: the fields of `Terms`."""
Origin = Literal[
    "create", "update", "note", "incumbent", "lesson", "skill", "attempt", "rules", "workflow", "given"
]
"""How a candidate came about. Create to incumbent are LearnAct's; lesson: Reflexion; skill: functions that
were kept because they worked (Voyager, ASI, DynaSaur); attempt: episodes kept as examples; rules: ExpeL and
AutoManual; workflow: AWM; given: nothing was learned."""
EXAMPLES_APART = "\n\n---\n\n"
"""Stands between the examples of a library that has several."""


@dataclass(frozen=True)
class LearnedAction:
    """A Python function that calls primitives.

    `signature` is as shown to the agent, e.g. `carry(ball, start, end)`; `source` the whole `def`, with the
    statements that must follow it; `notes` are sentences on when and how to use it, learned from failures.
    """

    name: str
    signature: str
    source: str
    description: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_helper(self) -> bool:
        """Whether its name begins with an underscore: it is loaded for the others, and not offered."""
        return self.name.startswith("_")


@dataclass(frozen=True)
class Library:
    """What a learner hands to the agent: learned actions, how to use them, and lessons.

    Empty for Act and ReAct.

    `preamble` holds the imports and constants that the functions stand on. `usage_example` is text in the
    form of the prompt's examples, several of them with `EXAMPLES_APART` between them. `lessons` are sentences
    for the agent: lessons, rules, workflows.
    """

    actions: tuple[LearnedAction, ...] = ()
    preamble: str = ""
    usage_example: str = ""
    lessons: tuple[str, ...] = ()

    @cached_property
    def id(self) -> str:
        """Content address; `""` for the empty library."""
        return digest("library", self) if self != Library() else ""

    @property
    def offered(self) -> tuple[LearnedAction, ...]:
        """The actions that an agent may call: all but helpers."""
        return tuple(action for action in self.actions if not action.is_helper)

    @property
    def examples(self) -> tuple[str, ...]:
        """The single examples of `usage_example`."""
        return tuple(text for text in self.usage_example.split(EXAMPLES_APART) if text)

    @property
    def source(self) -> str:
        """The module that the sandbox loads."""
        return "\n\n\n".join(part for part in (self.preamble, *(a.source for a in self.actions)) if part)

    def action(self, name: str) -> LearnedAction | None:
        """The learned action of that name, or None."""
        return next((a for a in self.actions if a.name == name), None)


@dataclass(frozen=True)
class Terms:
    """What the selector sees of a candidate's training episodes (docs/method.md, section 2, step 3).

    All shares in 0 .. 1; None where no episode was played.
    """

    success: float | None = None
    progress: float | None = None
    step_correctness: float | None = None
    call_ratio: float | None = None
    call_share: float | None = None
    turns: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A row of learning: one candidate library of one iteration, with parent, scores and outcome.

    `library` and `parent` are library ids ("" for none); `uncreated` says why it could not be created, else
    ""; `reason` is the learner's own reason for an update or a note; `failed_call` the call that was shown
    to it; `equal_to` ("0.2": iteration and number) the candidate whose functions and notes it repeats, so
    that it was not played. `excluded` says why it cannot win although it was played, else "".
    `played_turns` and `played_tokens` are sums over its training episodes; None where none was played.
    `played_tasks`: training tasks that it has played of the `planned_tasks`: fewer where racing stopped it.
    """

    trial: str
    iteration: int
    candidate: int
    library: str
    parent: str
    origin: Origin
    terms: Terms = Terms()
    score: float | None = None
    selected: bool = False
    uncreated: str = ""
    reason: str = ""
    failed_call: str = ""
    equal_to: str = ""
    excluded: str = ""
    played_turns: int | None = None
    played_tokens: int | None = None
    played_tasks: int | None = None
    planned_tasks: int | None = None
