"""Test episodes as logs of Inspect AI, made with its Python API: its viewer and data frames read them.

A log holds a method on a domain with a model; a sample is an episode. Its messages are the conversation as
the agent lived it; its events are the calls of models with the prompts exactly as sent, each action as a call
of a tool, and each learned action as an execution in the sandbox. Needs the extra `inspect`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from learnact.errors import MissingExtra
from learnact.pages.episodes import EpisodeView, episode_view, sent_prompts
from learnact.records import ACT, Turn
from learnact.results.reader import Connection, dictionaries

GROUPS = """
SELECT method, domain, model, any_value(run) AS run, list(key ORDER BY task, learn_repeat, test_repeat, key)
       AS keys
FROM (SELECT DISTINCT ON (key) * FROM episodes WHERE phase = 'test')
GROUP BY method, domain, model ORDER BY method, domain, model
"""
PARAMETERS = ("max_tokens", "temperature", "top_p", "seed")
STOPS = {
    "stop": "stop",
    "length": "max_tokens",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


def write_inspect_logs(connection: Connection, folder: Path) -> list[Path]:
    """A log for each method, domain and model. Raises `MissingExtra` where inspect-ai is not installed."""
    try:
        from inspect_ai.log import write_eval_log
    except ImportError as error:
        raise MissingExtra("logs of Inspect need inspect-ai: pip install 'learnact[inspect]'") from error
    written = []
    for number, group in enumerate(dictionaries(connection, GROUPS), start=1):
        words = (f"{number:03d}", group["method"], group["domain"])
        path = folder / (
            "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-.") for word in words) + ".eval"
        )
        write_eval_log(_log(connection, group), str(path))
        written.append(path)
    return written


def _log(connection: Connection, group: Mapping[str, Any]) -> Any:
    from inspect_ai import log

    views = [episode_view(connection, key) for key in group["keys"]]
    epochs: Counter[str] = Counter()
    samples = []
    for view in views:
        epochs[view.row["task"]] += 1
        samples.append(_sample(connection, view, epochs[view.row["task"]]))
    times = [view.row["finished"] or 0 for view in views]
    success = sum(view.result.success for view in views) / len(views)
    progress = sum(view.result.progress for view in views) / len(views)
    return log.EvalLog(
        status="success",
        eval=log.EvalSpec(
            created=_moment(max(times)),
            task=f"learnact/{group['domain']}",
            task_args={"method": group["method"]},
            run_id=group["run"],
            dataset=log.EvalDataset(name=group["domain"], samples=len(epochs)),
            model=_model(views[0].row),
            config=log.EvalConfig(epochs=max(epochs.values())),
            metadata={"method": group["method"], "simulated": any(view.row["simulated"] for view in views)},
        ),
        results=log.EvalResults(
            total_samples=len(samples),
            completed_samples=len(samples),
            scores=[
                log.EvalScore(
                    name=name, scorer=name, metrics={"mean": log.EvalMetric(name="mean", value=value)}
                )
                for name, value in (("success", success), ("progress", progress))
            ],
        ),
        stats=log.EvalStats(
            started_at=_moment(min(times)),
            completed_at=_moment(max(times)),
            model_usage={
                _model(views[0].row): sum((_usage(view.row) for view in views[1:]), _usage(views[0].row))
            },
        ),
        samples=samples,
    )


def _model(row: Mapping[str, Any]) -> str:
    """The model's name, which says so where it is simulated."""
    name = row["model"] or "none"
    return f"simulated/{name}" if row["simulated"] else f"openai-api/{name}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _sample(connection: Connection, view: EpisodeView, epoch: int) -> Any:
    from inspect_ai.log import EvalSample
    from inspect_ai.scorer import Score

    row, result = view.row, view.result
    names = (
        "run",
        "trial",
        "key",
        "method",
        "phase",
        "library",
        "learn_repeat",
        "test_repeat",
        "simulated",
        "goal",
    )
    events = list(_events(connection, view))
    outputs = [event.output for event in events if event.event == "model"]
    more = {"output": outputs[-1]} if outputs else {}
    return EvalSample(
        id=row["task"],
        epoch=epoch,
        input=f"Goal: {result.goal}\n\n{result.first_observation}",
        target="solved",
        messages=list(_messages(view)),
        scores={
            "success": Score(
                value=float(result.success), answer="solved" if result.success else "not solved"
            ),
            "progress": Score(value=result.progress),
        },
        metadata={name: row[name] for name in names},
        events=events,
        model_usage={_model(row): _usage(row)},
        total_time=row["seconds"],
        uuid=row["key"],
        **more,
    )


def _usage(row: Mapping[str, Any]) -> Any:
    """The tokens of an episode or a call."""
    from inspect_ai.model import ModelUsage

    return ModelUsage(
        input_tokens=row["prompt_tokens"] or 0,
        output_tokens=row["completion_tokens"] or 0,
        total_tokens=(row["prompt_tokens"] or 0) + (row["completion_tokens"] or 0),
        input_tokens_cache_read=row["cached_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
    )


def _messages(view: EpisodeView) -> Iterator[Any]:
    """The conversation: what was said, and what was observed of it."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageTool, ChatMessageUser
    from inspect_ai.tool import ToolCall

    yield ChatMessageUser(content=f"Goal: {view.result.goal}\n\n{view.result.first_observation}")
    for turn in view.result.turns:
        if turn.kind != "action" or not turn.callee:
            yield ChatMessageAssistant(content=turn.raw)
            yield ChatMessageUser(content=turn.observation)
            continue
        call = ToolCall(id=_id(turn), function=turn.callee, arguments={"call": turn.call})
        yield ChatMessageAssistant(content=turn.raw, tool_calls=[call])
        yield ChatMessageTool(
            content=turn.observation, tool_call_id=call.id, function=turn.callee, error=_error(turn)
        )


def _id(turn: Turn) -> str:
    return f"turn-{turn.index + 1}"


def _error(turn: Turn) -> Any:
    from inspect_ai.tool import ToolCallError

    if turn.ok:
        return None
    said = f"{turn.error.type}: {turn.error.message}" if turn.error else "the action was not possible"
    return ToolCallError(type="unknown", message=said)


def _events(connection: Connection, view: EpisodeView) -> Iterator[Any]:
    """For each turn: the call of the model, then the action, and the sandbox where learned code ran."""
    from inspect_ai.event import SandboxEvent, ToolEvent

    own = (call for call in _calls(connection, view) if call["purpose"] == ACT)
    calls = dict(enumerate(own))
    matched = len(calls) == len(view.result.turns)
    for call in calls.values() if not matched else ():
        yield _model_event(view, call)
    for turn in view.result.turns:
        if matched:
            yield _model_event(view, calls[turn.index])
        if turn.kind != "action" or not turn.callee:
            continue
        yield ToolEvent(
            id=_id(turn),
            function=turn.callee,
            arguments={"call": turn.call},
            result=turn.observation,
            error=_error(turn),
            metadata={"learned": turn.learned, "progress": turn.progress, "primitives": _primitives(turn)},
        )
        if turn.learned:
            yield SandboxEvent(
                action="exec",
                cmd=turn.call,
                input=None,
                result=0 if turn.error is None else 1,
                output=turn.printed or "\n".join(_primitives(turn)),
            )


def _primitives(turn: Turn) -> list[str]:
    return [f"{step.command} -> {step.observation}" for step in turn.steps]


def _calls(connection: Connection, view: EpisodeView) -> list[dict[str, Any]]:
    """The calls of an episode with the messages as sent."""
    rows = dictionaries(
        connection,
        """SELECT ordinal, purpose, reply, finish, model, parameters, latency, prompt_tokens,
               completion_tokens, cached_tokens, reasoning_tokens
        FROM stored.calls WHERE trial = ? AND unit = ? ORDER BY ordinal""",
        [view.row["trial"], view.row["key"]],
    )
    prompts = sent_prompts(connection, view)
    return [{**row, "prompt": prompts[row["ordinal"]]} for row in rows]


def _model_event(view: EpisodeView, call: Mapping[str, Any]) -> Any:
    from inspect_ai.event import ModelEvent
    from inspect_ai.model import (
        ChatMessageSystem,
        ChatMessageUser,
        GenerateConfig,
        ModelOutput,
    )

    output = ModelOutput.from_content(
        call["model"] or "", call["reply"] or "", stop_reason=STOPS.get(call["finish"], "unknown")
    )
    output.time = call["latency"]
    output.usage = _usage(call)
    sent, prompt = json.loads(call["parameters"] or "{}"), call["prompt"]
    return ModelEvent(
        model=_model(view.row),
        input=[ChatMessageSystem(content=prompt.system), ChatMessageUser(content=prompt.user)],
        tools=[],
        tool_choice="none",
        config=GenerateConfig(**{name: sent[name] for name in PARAMETERS if sent.get(name) is not None}),
        output=output,
        metadata={"ordinal": call["ordinal"]},
    )
