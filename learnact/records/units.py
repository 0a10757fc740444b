"""Units of work: an episode, or one request to a model outside an episode. Addressed by their content."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeAlias

from learnact.records.identity import digest
from learnact.records.libraries import Library
from learnact.records.models import ModelSpec, Prompt, Purpose
from learnact.records.tasks import DomainSpec, Task

Phase = Literal["learn", "check", "stream", "test", "survey"]
"""learn: an agent plays training tasks. check: a program that a learner wrote is run (a usage line, a skill),
or a task is opened to see how it begins; no model acts, and it is no training episode. test: the library that
a trial ends with, on test tasks. survey: other libraries of the trial on test tasks (`test_each_iteration`,
`test_every_candidate`); never counted as the method's result.
"""


@dataclass(frozen=True)
class Budget:
    """Counted bounds of an episode. `history`: entries shown (an action and an observation are one each)."""

    turns: int = 30
    history: int = 20
    primitives_per_call: int = 100


@dataclass(frozen=True)
class CodeBounds:
    """What one call of learned code may use, far above need. Passing a bound is the agent's failure.

    `cpu_seconds`: CPU seconds of the confined process. `memory_mb`: megabytes. `recursion`: depth of calls.
    `source_bytes`: bytes of a library. `output_bytes`: printed text kept. `message_bytes`: one message.
    """

    cpu_seconds: float = 5.0
    memory_mb: int = 256
    recursion: int = 1000
    source_bytes: int = 64 << 10
    output_bytes: int = 16 << 10
    message_bytes: int = 256 << 10


@dataclass(frozen=True)
class Rules:
    """Rules of execution that fidelity switches change (docs/method.md, section 6).

    Where two values are named, the second is that of the published code.
    """

    failure: Literal["any_primitive", "last_observation"] = "any_primitive"
    call_observation: Literal["told", "published"] = "told"
    invalid_actions: Literal["reason", "bare"] = "reason"
    unreadable: Literal["apart", "action"] = "apart"
    usage_example: Literal["played", "written"] = "played"
    learner_example: Literal["other_world", "same_domain"] = "other_world"
    show_turns: bool = True
    show_returns: bool = True
    empty_call: Literal["failed", "successful"] = "failed"
    primitive_returns: Literal["observation", "none"] = "observation"
    action_format: Literal["call", "text", "tools", "constrained"] = "call"
    reply: Literal["whole", "first_line"] = "whole"
    show_descriptions: bool = True
    show_usage_example: bool = True
    sandbox: Literal["confined", "trusted"] = "confined"
    bounds: CodeBounds = CodeBounds()


@dataclass(frozen=True)
class AgentSpec:
    """Who plays: an agent by name. `program` is the fixed program of the agent `program`, else empty.

    `options` is canonical JSON of the agent's own options.
    """

    name: str
    options: str = "{}"
    program: str = ""


@dataclass(frozen=True)
class LearnerSpec:
    """Who learns: a learner by name, with canonical JSON of its own options."""

    name: str
    options: str = "{}"


@dataclass(frozen=True)
class Opponent:
    """A second player, who takes the other seat of a task for two (docs/games.md).

    `label`: the method as jobs and tables call it. `shares`: its library is the one that the agent has
    (self-play); `library` is then that one in each episode. `learner_model`: who wrote the library, "" for
    nobody. `version`: address of the code and prompts that play.
    """

    label: str
    agent: AgentSpec
    model: ModelSpec
    library: Library = field(default_factory=Library)
    shares: bool = False
    learner_model: str = ""
    version: str = ""

    @cached_property
    def identity(self) -> str:
        """Address of what can change its moves."""
        return digest(self.agent, self.model.fingerprint, self.library.id, self.shares, self.version)

    def beside(self, library: Library) -> Opponent:
        """The opponent of an episode whose agent has this library."""
        return replace(self, library=library) if self.shares else self


@dataclass(frozen=True)
class Episode:
    """A unit of work: one agent plays one task once, alone or against a second player (`opponent`).

    Identity (`key`) is all that can change the result, and nothing else: neither URLs nor hosts nor times.
    `replicate` tells deliberate repetitions apart (the incumbent's replay). `prompts` is the hash of the
    prompt files in use; `versions` those of the domain's text and engine.
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
    opponent: Opponent | None = None

    @cached_property
    def key(self) -> str:
        """Content address of the unit."""
        parts = {
            "trial": self.trial,
            "phase": self.phase,
            "domain": self.domain,
            "task": self.task.hash,
            "agent": self.agent,
            "library": self.library.id,
            "model": self.model.fingerprint if self.model else "",
            "budget": self.budget,
            "rules": self.rules,
            "seed": self.seed,
            "prompts": self.prompts,
            "versions": self.versions,
            "replicate": self.replicate,
            **({"opponent": self.opponent.identity} if self.opponent else {}),
        }
        return digest("episode", parts)


@dataclass(frozen=True)
class Request:
    """A unit of work: one request to a model outside an episode (create, usage, describe, improve, embed
    ...).

    `attempt` counts the learner's tries after a reply that could not be used. `texts` is given instead of a
    prompt for embeddings.
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
        parts = {
            "trial": self.trial,
            "purpose": self.purpose,
            "iteration": self.iteration,
            "candidate": self.candidate,
            "attempt": self.attempt,
            "model": self.model.fingerprint,
            "prompt": self.prompt,
            "seed": self.seed,
            "texts": self.texts,
        }
        return digest("request", parts)


Unit: TypeAlias = Episode | Request
