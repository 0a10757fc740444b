"""Chat models, what they are asked and what they say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from learnact.records.identity import digest

Purpose: TypeAlias = str
"""What a model is asked for: `act`, `opponent` (the second player of an episode), `embed`, or a purpose of a
learner (`Learner.asks_for`)."""
ACT, OPPONENT = "act", "opponent"


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens; None where no price is known (cost is then null, never zero)."""

    prompt: float | None = None
    cached: float | None = None
    completion: float | None = None


@dataclass(frozen=True)
class EndpointLimits:
    """What each endpoint of a model may be asked, by all workers together; None where nothing is stated."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    in_flight: int | None = None


@dataclass(frozen=True)
class ModelSpec:
    """A chat model: an OpenAI-compatible endpoint, a name and parameters.

    `label`: what tables call it; "" for its name. `base_urls`: replicas; empty for the embedded simulated
    model and for a `local` one, which a run serves itself. `api_key_env`: the *name* of the environment
    variable that holds the key. `context`: tokens of context, None unknown.
    `constraint`: the form in which the endpoint takes constraints, None unknown. `extra`: canonical JSON of
    further request fields. Identity (`fingerprint`) is name, label and parameters, never a URL or a key.
    """

    name: str
    base_urls: tuple[str, ...] = field(default=(), compare=False)
    api_key_env: str = field(default="OPENAI_API_KEY", compare=False)
    simulated: bool = False
    local: bool = False
    temperature: float | None = 0.0
    top_p: float | None = 1.0
    max_tokens: int | None = 1024
    stop: tuple[str, ...] = ()
    context: int | None = None
    effort: str | None = None
    send_seed: bool = True
    constraint: str | None = None
    extra: str = "{}"
    prices: Prices = field(default=Prices(), compare=False)
    timeout: float = field(default=120.0, compare=False)
    limits: EndpointLimits = field(default=EndpointLimits(), compare=False)
    label: str = ""

    @property
    def shown(self) -> str:
        """What tables call the model."""
        return self.label or self.name

    @cached_property
    def fingerprint(self) -> str:
        """Address of what can change a reply: name and parameters."""
        skip = {"base_urls", "api_key_env", "prices", "timeout", "limits"}
        return digest({f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in skip})


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool in a message of the chat API. `arguments` is JSON text, as a model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Message:
    """One chat message. `tool_calls`: those of an assistant; `answers`: the id of the tool call that a
    message of role `tool` answers.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    answers: str = ""

    def as_sent(self) -> dict[str, Any]:
        """The message as the chat API takes it."""
        sent: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            sent["tool_calls"] = [
                {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for c in self.tool_calls
            ]
        if self.answers:
            sent["tool_call_id"] = self.answers
        return sent


def message_entry(messages: Iterable[Message]) -> str:
    """Messages as one entry of a prompt's history: a line of JSON."""
    return json.dumps([dataclasses.asdict(m) for m in messages], ensure_ascii=False) + "\n"


def _messages_of(entry: str) -> list[Message]:
    found = json.loads(entry)
    return [Message(**{**m, "tool_calls": tuple(ToolCall(**c) for c in m["tool_calls"])}) for m in found]


@dataclass(frozen=True)
class Prompt:
    """What a model is asked, kept in parts so that a log stores each fixed part once.

    Without `tools`: a system message and one user message, ``"".join(fixed) + "".join(history) + request``.
    `history` are rendered entries (an action or an observation each), beginning with entry number
    `history_start` of the episode.

    With `tools` (the JSON list of tools of the chat API): a system message, the user message
    ``"".join(fixed)``, and the messages that each entry of the history holds (`message_entry`); `request`
    stands at the end of the last one. `grammar` is the JSON of what a reply may be
    (`learnact.models.constraints`), "" for anything.
    """

    system: str
    fixed: tuple[str, ...]
    request: str
    history: tuple[str, ...] = ()
    history_start: int = 0
    tools: str = ""
    grammar: str = ""

    def messages(self) -> tuple[Message, ...]:
        """The messages exactly as sent."""
        system = (Message("system", self.system),) if self.system else ()
        if not self.tools:
            user = "".join(self.fixed) + "".join(self.history) + self.request
            return (*system, Message("user", user))
        told = [Message("user", "".join(self.fixed))]
        told += (message for entry in self.history for message in _messages_of(entry))
        told[-1] = dataclasses.replace(told[-1], content=told[-1].content + self.request)
        return (*system, *told)


@dataclass(frozen=True)
class Tokens:
    """Counted tokens. `prompt` includes `cached`; `completion` includes `reasoning`.

    All as the server reported.
    """

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
    """A validated reply of a model.

    `text` is free of thinking text; `reasoning` holds that, where the server gave it.

    `parameters` is canonical JSON of the parameters actually sent; `tries` counts requests including failed
    ones; `latency` is the seconds of the try that worked; `cost` US dollars or None. `vectors` only for
    embeddings. `tool_calls` is a JSON list of what tools the model called, in order (`ToolCall`), "" for
    none.
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
    tool_calls: str = ""

    @property
    def called(self) -> tuple[ToolCall, ...]:
        """What tools the model called, in order."""
        return tuple(ToolCall(**call) for call in json.loads(self.tool_calls)) if self.tool_calls else ()


@dataclass(frozen=True)
class Exchange:
    """A prompt as it was sent (oldest history dropped where the context asked for it) and the reply to it."""

    prompt: Prompt
    reply: Reply


@dataclass(frozen=True)
class Call:
    """One exchange with a model, for the log: the unit it belongs to, its ordinal there, the prompt and the
    reply.
    """

    unit: str
    ordinal: int
    purpose: Purpose
    prompt: Prompt
    reply: Reply
