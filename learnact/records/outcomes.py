"""What came of a unit of work: steps, turns, results, failed tries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from learnact.errors import Boundary
from learnact.records.models import Call, Reply, Tokens
from learnact.records.units import Unit

ReplyForm = Literal["text", "tool_call"]
"""How a reply gave its action: in its text, or as a call of a tool (`action_format: tools`)."""
TurnKind = Literal["action", "thought", "unreadable"]
"""What a reply was: an action (perhaps with a thought before it), a thought, or nothing that can be read."""
UnreadableCause = Literal[
    "empty",
    "cut",
    "tool_call",
    "reasoning",
    "observation",
    "thought",
    "program",
    "not_meant",
    "name",
    "brackets",
    "arguments",
    "json",
    "no_brackets",
    "no_call",
    "no_code",
]
"""Why a reply could not be read (docs/methods.md, Reading replies)."""
Ignored = Literal["text", "calls", "thought", "action", "observation", "reasoning", "lines"]
"""What of a readable reply was left out. text: prose beside the action. calls: further calls. thought: one of
an agent that may not think, or behind the action. action: one that cannot be read, beside a thought.
observation: one that the model invented, with all behind it. reasoning: tags of thinking. lines: all behind
the first line (`reply: first_line`)."""


@dataclass(frozen=True)
class Step:
    """What an environment answers to one primitive action.

    `command` is the action in canonical form (a call with all arguments, `pick('ball1', 'rooma', 'left')`;
    or the engine's text). `valid` comes from the environment's state, never from words. `progress` is the
    running maximum in 0 .. 1. `over`: the task can no longer be solved, so that the episode ends.
    """

    command: str
    valid: bool
    observation: str
    progress: float
    success: bool
    over: bool = False


@dataclass(frozen=True)
class PrimitiveStep:
    """One primitive action of a turn, as recorded."""

    command: str
    ok: bool
    observation: str


@dataclass(frozen=True)
class ActionError:
    """An error in learned code, as data.

    `line` is counted in the library's module; `source` is that line's text.
    """

    type: str
    message: str
    function: str = ""
    line: int = 0
    source: str = ""


@dataclass(frozen=True)
class Turn:
    """One reply of the model and what came of it.

    `raw` is the reply as received; `said` what the history shows of it; `call` the canonical call, "" when
    none (a thought, a program, nothing readable); `callee` its function; `ok` whether the action was valid
    as a whole; `printed` what learned code printed, `returned` what the call returned (both text, bounded);
    `thought` what stands before the action of the same reply; `cause` why nothing could be read, "" where
    something was; `ignored` what was left out. `form`: how the reply gave its
    action; None in results older than this field.
    """

    index: int
    kind: TurnKind
    raw: str
    said: str
    call: str
    callee: str
    learned: bool
    ok: bool
    observation: str
    progress: float
    steps: tuple[PrimitiveStep, ...] = ()
    error: ActionError | None = None
    printed: str = ""
    returned: str = ""
    thought: str = ""
    cause: UnreadableCause | Literal[""] = ""
    ignored: tuple[Ignored, ...] = ()
    form: ReplyForm | None = "text"

    @property
    def is_program(self) -> bool:
        """Whether `said` is a whole program rather than one call."""
        return self.kind == "action" and not self.call


def history_entries(turns: Iterable[Turn]) -> tuple[str, ...]:
    """The history as a prompt shows it: two entries a turn, what was said (a thought and an action of one
    reply are one entry) and what was observed, each ending in a line break.

    Prompts are rebuilt from turns with this (results), so it depends on nothing else.
    """
    entries: list[str] = []
    for turn in turns:
        label = "Think" if turn.kind == "thought" else "Action"
        thought = f"Think: {turn.thought}\n" if turn.thought else ""
        said = f"Program:\n```python\n{turn.said}\n```" if turn.is_program else f"{label}: {turn.said}"
        entries += (f"{thought}{said}\n", f"Observation: {turn.observation}\n")
    return tuple(entries)


@dataclass(frozen=True)
class Seconds:
    """Where an episode's time went, in seconds. Times are no part of a result's identity."""

    wall: float = 0.0
    model: float = 0.0
    environment: float = 0.0
    sandbox: float = 0.0


@dataclass(frozen=True)
class EpisodeResult:
    """A finished episode. `opponent_progress`: what a second player came to, in 0 .. 1; None without one.
    `measures`: what else the environment says of its end, by name.

    Counts that follow from the turns are properties, so that they cannot disagree with them.
    """

    success: bool
    progress: float
    goal: str
    first_observation: str
    turns: tuple[Turn, ...]
    tokens: Tokens = field(default=Tokens())
    cost: float | None = None
    model_returned: str = ""
    seconds: Seconds = Seconds()
    sandbox_kind: str = ""
    opponent_progress: float | None = None
    measures: tuple[tuple[str, float], ...] = ()

    @property
    def action_turns(self) -> int:
        """Turns that are actions: thoughts and unreadable replies do not count."""
        return sum(t.kind == "action" for t in self.turns)

    @property
    def unreadable_turns(self) -> int:
        """Turns whose reply could not be read."""
        return sum(t.kind == "unreadable" for t in self.turns)

    @property
    def primitive_steps(self) -> int:
        """Primitive actions sent to the environment, valid or not."""
        return sum(len(t.steps) for t in self.turns)

    @property
    def learned_calls(self) -> int:
        """Turns that called a learned action."""
        return sum(t.learned for t in self.turns)

    @property
    def learned_calls_ok(self) -> int:
        """Turns that called a learned action with success."""
        return sum(t.learned and t.ok for t in self.turns)

    @property
    def grounding(self) -> float:
        """AgentBoard's grounding accuracy: the share of turns (thoughts left out) whose action was valid; 0
        when there were none.
        """
        acting = [t for t in self.turns if t.kind != "thought"]
        return sum(t.ok for t in acting) / len(acting) if acting else 0.0


@dataclass(frozen=True)
class Attempt:
    """One failed try of a unit, attributed to one boundary."""

    unit: str
    attempt: int
    boundary: Boundary
    error: str
    seconds: float
    node: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a unit: a result, or, after the last try, none.

    `attempts` are the failed tries on the way.

    For an `Episode`, `result` is an `EpisodeResult`; for a `Request`, a `Reply`. `result` is None when
    every try failed. `calls` are the model calls that made it (empty when streamed already).
    """

    unit: Unit
    result: EpisodeResult | Reply | None
    attempts: tuple[Attempt, ...] = ()
    calls: tuple[Call, ...] = ()
    finished: float = 0.0
    node: str = ""

    @property
    def key(self) -> str:
        """The unit's key."""
        return self.unit.key
