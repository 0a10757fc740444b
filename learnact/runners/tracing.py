"""OpenTelemetry traces of a run, by the semantic conventions for generative AI: an option.

    run
      trial: METHOD on DOMAIN
        chat MODEL                      a request of the learner
        invoke_agent METHOD             an episode
          chat MODEL                    a call of the model
          execute_tool ACTION           an action; a learned one holds its primitive actions

Spans are made in the driver from what workers report, so a Ray cluster's are those of one process. A call
ends when the driver is told of it and has taken its latency; an action has the time between two calls, and
primitive actions of a learned one the time of its call, since they are not timed apart. An episode's spans
are sent when it has ended. Texts of prompts, replies and actions are left out unless the conventions'
variable asks for them (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`). Needs the extra `otel`.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from learnact.errors import BadInput, MissingExtra
from learnact.protocols import CallLog
from learnact.records import ACT, OPPONENT, Call, Episode, EpisodeResult, Outcome, Request, Turn
from learnact.records.trials import TrialSpec

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
TRACES_PATH = "/v1/traces"
SECOND = 1_000_000_000
MISSING = "traces need OpenTelemetry: pip install 'learnact[otel]'"
_PARAMETERS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}
"""Parameters of a request, as the conventions name them."""

_log = logging.getLogger("learnact.tracing")


def trace_target(option: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """Where traces go: what was asked for, else `"environment"` where OpenTelemetry's variables name an
    endpoint, else None.
    """
    known = os.environ if environment is None else environment
    if option is not None:
        return option
    if known.get("OTEL_SDK_DISABLED", "").lower() == "true" or known.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    return "environment" if any(known.get(name) for name in ENDPOINTS) else None


@contextmanager
def traced(option: str | None, run: str, name: str) -> Iterator[RunTrace | None]:
    """The trace of a run, sent when this ends; None where none is asked for.

    Raises:
        MissingExtra: `option` is given, and the extra is not installed (variables alone: a warning).
        BadInput: the file cannot be written.
    """
    target = trace_target(option)
    if target is None:
        yield None
        return
    try:
        provider = _provider(target)
    except ImportError as error:
        if option is not None:
            raise MissingExtra(MISSING) from error
        _log.warning("no traces, although variables ask for them: %s", MISSING)
        yield None
        return
    trace = RunTrace(provider.get_tracer("learnact"), run, name)
    try:
        yield trace
    finally:
        trace.end()
        provider.shutdown()


def _provider(target: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "learnact")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if target == "environment":
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    elif "://" in target:
        place = target if urlsplit(target).path.strip("/") else target.rstrip("/") + TRACES_PATH
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=place)))
    else:
        try:
            file = Path(target).open("a", encoding="utf-8")  # noqa: SIM115 - open as long as the run
        except OSError as error:
            raise BadInput(f"--trace {target}: cannot be written: {error.strerror}; name another") from None
        lines = ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\n")
        provider.add_span_processor(SimpleSpanProcessor(lines))
    return provider


@dataclass(frozen=True)
class _Answered:
    """A call with the time, in nanoseconds since 1970, when the driver was told of it."""

    call: Call
    end: int

    @property
    def start(self) -> int:
        return self.end - int(self.call.reply.latency * SECOND)


class RunTrace:
    """The spans of a run. Used by the driver alone."""

    def __init__(self, tracer: Any, run: str, name: str) -> None:
        self._tracer = tracer
        self._content = os.environ.get(CONTENT, "").lower() == "true"
        about = {"learnact.run": run, "learnact.job": name}
        self._run = tracer.start_span(f"run {name}", attributes=about)
        self._trials: dict[str, Any] = {}
        self._methods: dict[str, str] = {}
        self._calls: dict[str, list[_Answered]] = defaultdict(list)

    def end(self) -> None:
        """Nothing more comes; trials that have not ended end now."""
        for span in (*self._trials.values(), self._run):
            span.end()
        self._trials = {}

    @contextmanager
    def trial(self, trial: TrialSpec) -> Iterator[None]:
        """The span of a trial."""
        attributes = {
            "learnact.trial": trial.id,
            "learnact.method": trial.label,
            "learnact.domain": trial.domain.name,
            "learnact.learn_repeat": trial.learn_repeat,
        }
        span = self._span(f"trial: {trial.label} on {trial.domain.name}", self._run, attributes)
        self._trials[trial.id] = span
        try:
            yield
        finally:
            self._trials.pop(trial.id, None)
            span.end()

    def watch(self, log: CallLog) -> CallLog:
        """A call log that passes calls on and takes their times."""
        return _WatchedCalls(log, self)

    def call(self, call: Call) -> None:
        """A call has been answered just now."""
        self._calls[call.unit].append(_Answered(call, time.time_ns()))

    def outcome(self, outcome: Outcome) -> None:
        """A unit has ended: its spans are made."""
        answered = self._calls.pop(outcome.key, [])
        parent = self._trials.get(outcome.unit.trial, self._run)
        if isinstance(outcome.unit, Episode):
            self._episode(outcome.unit, outcome, answered, parent)
            return
        for one in answered:
            self._call(one, outcome.unit, parent)
        self._failures(outcome, parent, outcome.unit)

    # Spans --------------------------------------------------------------------------------------------------

    def _span(
        self,
        name: str,
        parent: Any,
        attributes: Mapping[str, Any],
        start: int | None = None,
        *,
        client: bool = False,
    ) -> Any:
        from opentelemetry.trace import SpanKind, set_span_in_context

        return self._tracer.start_span(
            name,
            context=set_span_in_context(parent),
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=dict(attributes),
            start_time=start,
        )

    def _episode(self, unit: Episode, outcome: Outcome, answered: list[_Answered], parent: Any) -> None:
        result = outcome.result if isinstance(outcome.result, EpisodeResult) else None
        end = max(int(outcome.finished * SECOND), *(one.end for one in answered), 0)
        wall = result.seconds.wall if result else sum(one.seconds for one in outcome.attempts)
        start = min([end - int(wall * SECOND), *(one.start for one in answered)])
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": unit.agent.name,
            "gen_ai.conversation.id": unit.key,
            "learnact.method": unit.method,
            "learnact.phase": unit.phase,
            "learnact.domain": unit.domain.name,
            "learnact.task": unit.task.name,
            "learnact.library": unit.library.id if unit.library.actions else "",
            "learnact.node": outcome.node,
        }
        if unit.model is not None:
            attributes |= {
                "gen_ai.request.model": unit.model.name,
                "learnact.simulated": unit.model.simulated,
            }
        if result:
            attributes |= {
                "learnact.success": result.success,
                "learnact.progress": result.progress,
                "gen_ai.usage.input_tokens": result.tokens.prompt,
                "gen_ai.usage.output_tokens": result.tokens.completion,
            }
        span = self._span(f"invoke_agent {unit.method}", parent, attributes, start)
        for one in answered:
            self._call(one, unit, span)
        if result:
            self._turns(result, answered, span, end)
        self._failures(outcome, span, unit)
        if result is None:
            self._failed(span, outcome.attempts[-1].boundary if outcome.attempts else "harness")
        span.end(end_time=end)

    def _turns(self, result: EpisodeResult, answered: list[_Answered], span: Any, end: int) -> None:
        """A span for each action: from its call's answer to the next call. Calls that an earlier session made
        are not timed, so neither are their actions."""
        own = [one for one in answered if one.call.purpose == ACT]
        by_turn = {one.call.ordinal: one for one in own}
        if len(own) < len(answered):  # a second player's calls stand between
            by_turn = dict(enumerate(own)) if len(own) == len(result.turns) else {}
        for turn in result.turns:
            made, following = by_turn.get(turn.index), by_turn.get(turn.index + 1)
            if made is None or turn.kind != "action":
                continue
            until = following.start if following else end
            self._action(turn, span, made.end, max(until, made.end))

    def _action(self, turn: Turn, parent: Any, start: int, end: int) -> None:
        name = turn.callee or "program"
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": f"turn-{turn.index + 1}",
            "learnact.turn": turn.index + 1,
            "learnact.learned": turn.learned,
            "learnact.progress": turn.progress,
        }
        if self._content:
            attributes |= {
                "gen_ai.tool.call.arguments": turn.call or turn.said,
                "gen_ai.tool.call.result": turn.observation,
            }
        span = self._span(f"execute_tool {name}", parent, attributes, start)
        if turn.learned or turn.is_program:
            for number, step in enumerate(turn.steps, start=1):
                primitive = step.command.partition("(")[0].split(" ")[0]
                about = {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": primitive,
                    "gen_ai.tool.type": "function",
                    "learnact.order": number,
                }
                if self._content:
                    about |= {
                        "gen_ai.tool.call.arguments": step.command,
                        "gen_ai.tool.call.result": step.observation,
                    }
                inner = self._span(f"execute_tool {primitive}", span, about, start)
                if not step.ok:
                    self._failed(inner, "not_possible")
                inner.end(end_time=end)
        if not turn.ok:
            self._failed(span, turn.error.type if turn.error else "not_possible")
        span.end(end_time=end)

    def _call(self, one: _Answered, unit: Episode | Request, parent: Any) -> None:
        call, reply, model = one.call, one.call.reply, unit.model
        if isinstance(unit, Episode) and unit.opponent is not None and call.purpose == OPPONENT:
            model = unit.opponent.model
        operation = "embeddings" if reply.vectors else "chat"
        asked = model.name if model is not None else reply.model
        sent = json.loads(reply.parameters or "{}")
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": asked,
            "gen_ai.response.model": reply.model,
            "gen_ai.response.finish_reasons": [reply.finish],
            "gen_ai.conversation.id": unit.key,
            "gen_ai.usage.input_tokens": reply.tokens.prompt,
            "gen_ai.usage.output_tokens": reply.tokens.completion,
            "gen_ai.usage.cache_read.input_tokens": reply.tokens.cached,
            "learnact.purpose": call.purpose,
            "learnact.ordinal": call.ordinal,
            "learnact.tries": reply.tries,
            "learnact.simulated": bool(model and model.simulated),
        }
        attributes |= {name: sent[key] for key, name in _PARAMETERS.items() if sent.get(key) is not None}
        if stop := sent.get("stop"):
            attributes["gen_ai.request.stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
        if reply.cost is not None:
            attributes["learnact.dollars"] = reply.cost
        if self._content:
            attributes |= _messages(call)
        span = self._span(f"{operation} {asked}", parent, attributes, one.start, client=True)
        span.end(end_time=one.end)

    def _failures(self, outcome: Outcome, span: Any, unit: Episode | Request) -> None:
        """Tries that failed, as events of the span that they belong to: their boundary, not their text."""
        for attempt in outcome.attempts:
            about = {"error.type": attempt.boundary, "learnact.attempt": attempt.attempt + 1}
            span.add_event("try failed", {**about, "gen_ai.conversation.id": unit.key})

    def _failed(self, span: Any, kind: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))


class _WatchedCalls:
    """Implements `protocols.CallLog`."""

    def __init__(self, log: CallLog, trace: RunTrace) -> None:
        self._log = log
        self._trace = trace

    def record(self, call: Call) -> None:
        self._log.record(call)
        self._trace.call(call)

    def replay(self, unit: str) -> tuple[Call, ...]:
        return self._log.replay(unit)


def _messages(call: Call) -> dict[str, str]:
    """Prompt and reply, as the conventions write messages."""

    def said(role: str, text: str) -> dict[str, Any]:
        return {"role": role, "parts": [{"type": "text", "content": text}]}

    return {
        "gen_ai.input.messages": json.dumps([said(m.role, m.content) for m in call.prompt.messages()]),
        "gen_ai.output.messages": json.dumps(
            [{**said("assistant", call.reply.text), "finish_reason": call.reply.finish}]
        ),
    }
