"""Plain data that crosses floors, processes and files. No behaviour beyond identity (keys) and rendering.

Everything here is a frozen dataclass of plain values: picklable, comparable, and, where it is work, addressed by its content.
Covers: tasks, what a learner makes (`Library`), units of work (`Episode`, `Request`), what came of them (`EpisodeResult`, `Reply`, `Outcome`),
and the rows that a trial writes about its learning (`Candidate`). Does not cover: the job file (spec.py), file formats (results).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from learnact.errors import Boundary

Plain: TypeAlias = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Phase = Literal["learn", "test", "survey"]
"""learn: training tasks. test: the library that a trial ends with, on test tasks. survey: other libraries of the trial on test tasks
(`test_each_iteration`, `test_every_candidate`); never counted as the method's result."""

TurnKind = Literal["action", "thought", "unreadable"]
Purpose = Literal["act", "create", "usage", "describe", "improve", "reflect", "code", "verify", "embed"]
Origin = Literal["create", "update", "note", "incumbent", "lesson", "skill", "attempt"]

DIGEST_CHARS = 24
"""Hex characters of a content address: 96 bits, so that a collision among a billion units is out of reach."""


def canonical(value: Any) -> str:
    """Canonical JSON of plain data and dataclasses: sorted keys, no blanks, NaN refused. Equal content gives equal text."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
    )


def digest(*values: Any) -> str:
    """Content address of plain values and dataclasses: the first 24 hex digits of SHA-256 over their canonical JSON."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:DIGEST_CHARS]


def seed_from(*values: Any) -> int:
    """A seed in 0 .. 2**31 - 1 from plain values (the range that every known endpoint accepts)."""
    return int(digest("seed", *values)[:8], 16) & 0x7FFFFFFF


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not plain data")


# Tasks ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DomainSpec:
    """Which domain, with which options (text, source, perturbations ...): all a worker needs to build it again.

    `options` is canonical JSON of the domain's own options model, so that the spec is hashable and orders nothing.
    """

    name: str
    options: str = "{}"


@dataclass(frozen=True)
class Task:
    """One instance of a domain. Self-contained: `content` is all that the domain needs to open it, on any machine.

    `reference` is the length in primitive steps of a known plan, None where none is known. `labels` are plain facts for tables
    (size, seed, file) and are no part of the identity.
    """

    domain: str
    name: str
    content: str
    reference: int | None = None
    labels: Mapping[str, Plain] = field(default_factory=dict, compare=False)

    @cached_property
    def hash(self) -> str:
        """Content address: equal for the same problem, whatever it is called."""
        return digest(self.domain, self.content)


# What a learner makes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LearnedAction:
    """A Python function that calls primitives.

    `signature` is as shown to the agent, e.g. `carry(ball, start, end)`; `source` the whole `def`; `notes` are sentences on when and
    how to use it, learned from failures.
    """

    name: str
    signature: str
    source: str
    description: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """What a learner hands to the agent: learned actions, how to use them, and lessons. Empty for Act and ReAct.

    `preamble` holds the imports and constants that the functions stand on. `usage_example` is text in the form of the prompt's
    examples. `lessons` are Reflexion's sentences.
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
    def source(self) -> str:
        """The module that the sandbox loads."""
        return "\n\n\n".join(part for part in (self.preamble, *(a.source for a in self.actions)) if part)

    def action(self, name: str) -> LearnedAction | None:
        """The learned action of that name, or None."""
        return next((a for a in self.actions if a.name == name), None)


@dataclass(frozen=True)
class Terms:
    """What the selector sees of a candidate's training episodes (METHOD.md, section 2, step 3). All shares in 0 .. 1."""

    success: float = 0.0
    progress: float = 0.0
    step_correctness: float = 0.0
    call_ratio: float = 0.0
    call_share: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A row of learning: one candidate library of one iteration, with parent, scores and outcome.

    `library` and `parent` are library ids ("" for none); `uncreated` says why it could not be created, else "";
    `reason` is the learner's own reason for an update or a note; `failed_call` the call that was shown to it.
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


# Models ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens; None where no price is known (cost is then null, never zero)."""

    prompt: float | None = None
    cached: float | None = None
    completion: float | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A chat model: an OpenAI-compatible endpoint, a name and parameters.

    `base_urls`: replicas; empty for the embedded simulated model. `api_key_env`: the *name* of the environment variable that
    holds the key. `context`: tokens of context, None unknown. `extra`: canonical JSON of further request fields.
    Identity (`fingerprint`) is name and parameters, never a URL or a key.
    """

    name: str
    base_urls: tuple[str, ...] = field(default=(), compare=False)
    api_key_env: str = field(default="OPENAI_API_KEY", compare=False)
    simulated: bool = False
    temperature: float | None = 0.0
    top_p: float | None = 1.0
    max_tokens: int | None = 1024
    stop: tuple[str, ...] = ()
    context: int | None = None
    effort: str | None = None
    send_seed: bool = True
    extra: str = "{}"
    prices: Prices = field(default=Prices(), compare=False)
    timeout: float = field(default=120.0, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Address of what can change a reply: name and parameters."""
        skip = {"base_urls", "api_key_env", "prices", "timeout"}
        return digest({f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in skip})


@dataclass(frozen=True)
class Message:
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: a system message and one user message, kept in parts so that a log stores each fixed part once.

    The user message is ``"".join(fixed) + "".join(history) + request``. `history` are rendered entries (an action or an
    observation each), beginning with entry number `history_start` of the episode.
    """

    system: str
    fixed: tuple[str, ...]
    request: str
    history: tuple[str, ...] = ()
    history_start: int = 0

    def messages(self) -> tuple[Message, ...]:
        """The messages exactly as sent."""
        user = "".join(self.fixed) + "".join(self.history) + self.request
        return (*((Message("system", self.system),) if self.system else ()), Message("user", user))


@dataclass(frozen=True)
class Tokens:
    """Counted tokens. `prompt` includes `cached`; `completion` includes `reasoning`. All as the server reported."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.completion + other.completion,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True)
class Reply:
    """A validated reply of a model. `text` is free of thinking text; `reasoning` holds that, where the server gave it.

    `parameters` is canonical JSON of the parameters actually sent; `tries` counts requests including failed ones;
    `latency` is the seconds of the try that worked; `cost` US dollars or None. `vectors` only for embeddings.
    """

    text: str
    finish: str = "stop"
    reasoning: str = ""
    tokens: Tokens = Tokens()
    cost: float | None = None
    model: str = ""
    fingerprint: str = ""
    parameters: str = "{}"
    tries: int = 1
    latency: float = 0.0
    vectors: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Exchange:
    """A prompt as it was sent (oldest history dropped where the context asked for it) and the reply to it."""

    prompt: Prompt
    reply: Reply


@dataclass(frozen=True)
class Call:
    """One exchange with a model, for the log: the unit it belongs to, its ordinal there, the prompt and the reply."""

    unit: str
    ordinal: int
    purpose: Purpose
    prompt: Prompt
    reply: Reply


# Work -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Budget:
    """Counted bounds of an episode. `history`: entries shown (an action and an observation are one each)."""

    turns: int = 30
    history: int = 20
    primitives_per_call: int = 100


@dataclass(frozen=True)
class Rules:
    """Rules of execution that fidelity switches change (METHOD.md, section 6)."""

    failure: Literal["any_primitive", "last_observation"] = "any_primitive"
    primitive_returns: Literal["observation", "none"] = "observation"
    action_format: Literal["call", "text"] = "call"
    show_descriptions: bool = True
    show_usage_example: bool = True
    sandbox: Literal["confined", "trusted"] = "confined"


@dataclass(frozen=True)
class AgentSpec:
    """Who plays: an agent by registered name. `program` is the fixed program of the agent `program`, else empty.

    `options` is canonical JSON of the agent's own options.
    """

    name: str
    options: str = "{}"
    program: str = ""


@dataclass(frozen=True)
class Episode:
    """A unit of work: one agent plays one task once.

    Identity (`key`) is all that can change the result, and nothing else: neither URLs nor hosts nor times. `replicate` tells apart
    deliberate repetitions (the incumbent's replay). `prompts` is the hash of the prompt files in use; `versions` those of the domain's
    text and engine.
    """

    trial: str
    method: str
    phase: Phase
    domain: DomainSpec
    task: Task
    agent: AgentSpec
    library: Library
    model: ModelSpec | None
    budget: Budget
    rules: Rules
    seed: int
    prompts: str
    versions: str
    learn_repeat: int = 0
    test_repeat: int = 0
    replicate: int = 0
    learner_model: str = ""

    @cached_property
    def key(self) -> str:
        """Content address of the unit."""
        return digest(
            "episode",
            self.trial,
            self.phase,
            self.domain,
            self.task.hash,
            self.agent,
            self.library.id,
            self.model.fingerprint if self.model else "",
            self.budget,
            self.rules,
            self.seed,
            self.prompts,
            self.versions,
            self.replicate,
        )


@dataclass(frozen=True)
class Request:
    """A unit of work: one request to a model that is no part of an episode (create, usage, describe, improve, reflect, verify, embed).

    `attempt` counts the learner's tries after a reply that could not be used. `texts` is given instead of a prompt for embeddings.
    """

    trial: str
    method: str
    purpose: Purpose
    model: ModelSpec
    prompt: Prompt
    seed: int
    iteration: int = 0
    candidate: int = 0
    attempt: int = 0
    texts: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """Content address of the unit."""
        return digest(
            "request",
            self.trial,
            self.purpose,
            self.iteration,
            self.candidate,
            self.attempt,
            self.model.fingerprint,
            self.prompt,
            self.seed,
            self.texts,
        )


Unit: TypeAlias = Episode | Request


# What came of it ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """What an environment answers to one primitive action.

    `command` is the action in canonical form (a call with all arguments, `pick('ball1', 'rooma', 'left')`; or the engine's text).
    `valid` comes from the environment's state, never from words. `progress` is the running maximum in 0 .. 1.
    """

    command: str
    valid: bool
    observation: str
    progress: float
    success: bool


@dataclass(frozen=True)
class PrimitiveStep:
    """One primitive action of a turn, as recorded."""

    command: str
    ok: bool
    observation: str


@dataclass(frozen=True)
class ActionError:
    """An error in learned code, as data. `line` is counted in the library's module; `source` is that line's text."""

    type: str
    message: str
    function: str = ""
    line: int = 0
    source: str = ""


@dataclass(frozen=True)
class Turn:
    """One reply of the model and what came of it.

    `raw` is the reply as received; `said` what the history shows of it; `call` the canonical call, "" when none; `callee` its function;
    `ok` whether the action was valid as a whole; `printed` what learned code printed (bounded).
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


def history_entries(turns: Iterable[Turn]) -> tuple[str, ...]:
    """The history as a prompt shows it: two entries a turn, what was said and what was observed, each ending in a line break.

    Prompts are rebuilt from turns with this (results), so it depends on nothing else.
    """
    entries: list[str] = []
    for turn in turns:
        label = "Think" if turn.kind == "thought" else "Action"
        entries += (f"{label}: {turn.said}\n", f"Observation: {turn.observation}\n")
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
    """A finished episode. Counts that follow from the turns are properties, so that they cannot disagree with them."""

    success: bool
    progress: float
    goal: str
    first_observation: str
    turns: tuple[Turn, ...]
    tokens: Tokens = Tokens()
    cost: float | None = None
    model_returned: str = ""
    seconds: Seconds = Seconds()
    sandbox_kind: str = ""

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
        """AgentBoard's grounding accuracy: the share of turns (thoughts left out) whose action was valid; 0 when there were none."""
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
    """What came of a unit: a result, or, after the last try, none. `attempts` are the failed tries on the way.

    For an `Episode`, `result` is an `EpisodeResult`; for a `Request`, a `Reply`. `result` is None when every try failed. `calls` are the
    model calls that made it (empty when streamed already).
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
