"""Records to rows and back. A row is a tuple in the order of the table's columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from learnact.errors import ResultsError
from learnact.records import (
    ActionError,
    AgentSpec,
    Attempt,
    Budget,
    Call,
    Candidate,
    CodeBounds,
    DomainSpec,
    Episode,
    EpisodeResult,
    LearnedAction,
    Library,
    ModelSpec,
    Outcome,
    PrimitiveStep,
    Reply,
    Request,
    Rules,
    Seconds,
    Task,
    Tokens,
    Turn,
    canonical,
)
from learnact.results.blocks import Blocks, prompt_from
from learnact.results.schema import SCHEMAS

Row = tuple[Any, ...]
HIDDEN_OF_MODELS = ("base_urls", "api_key_env", "prices", "timeout")
"""Fields of a model that are no part of its identity and are not kept with units: places and secrets."""


def arrow(table: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as a table. Text that is not valid Unicode (lone surrogates) gets replacement characters."""
    schema = SCHEMAS[table]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [_array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _array(column: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(column, kind)
    except UnicodeEncodeError:
        return pa.array([_valid(value) for value in column], kind)


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple):
        return type(value)(_valid(item) for item in value)
    return value


# Out ------------------------------------------------------------------------------------------------------------------


def _tokens(tokens: Tokens, cost: float | None) -> Row:
    return tokens.prompt, tokens.cached, tokens.completion, tokens.reasoning, cost


def total(tokens: Sequence[Tokens]) -> Tokens:
    """Their sum, without a record for each step."""
    return Tokens(
        sum(t.prompt for t in tokens),
        sum(t.cached for t in tokens),
        sum(t.completion for t in tokens),
        sum(t.reasoning for t in tokens),
    )


def _model(model: ModelSpec | None) -> dict[str, Any] | None:
    if model is None:
        return None
    return {name: getattr(model, name) for name in model.__dataclass_fields__ if name not in HIDDEN_OF_MODELS}


def episode_setup(unit: Episode) -> str:
    """What an episode shares with its neighbours, as canonical JSON: enough, with task and library, to play it again."""
    return _setup(unit.domain, unit.agent, unit.model, unit.budget, unit.rules, unit.prompts, unit.versions)


@lru_cache(maxsize=4096)
def _setup(
    domain: DomainSpec,
    agent: AgentSpec,
    model: ModelSpec | None,
    budget: Budget,
    rules: Rules,
    prompts: str,
    versions: str,
) -> str:
    return canonical(
        {
            "domain": domain,
            "agent": agent,
            "model": _model(model),
            "budget": budget,
            "rules": rules,
            "prompts": prompts,
            "versions": versions,
        }
    )


def task_text(task: Task) -> str:
    """A task as canonical JSON, labels included."""
    return canonical(task)


def episode_row(run: str, unit: Episode, outcome: Outcome, result: EpisodeResult, blocks: Blocks) -> Row:
    """A row of `episodes`."""
    acting = unreadable = steps = learned = learned_ok = 0
    for turn in result.turns:
        acting += turn.kind == "action"
        unreadable += turn.kind == "unreadable"
        steps += len(turn.steps)
        learned += turn.learned
        learned_ok += turn.learned and turn.ok
    return (
        run,
        unit.trial,
        unit.key,
        unit.method,
        unit.phase,
        unit.domain.name,
        unit.domain.options,
        unit.task.name,
        unit.task.hash,
        blocks.add(task_text(unit.task)),
        unit.task.reference,
        unit.library.id,
        unit.agent.name,
        unit.model.name if unit.model else "",
        result.model_returned,
        unit.learner_model,
        bool(unit.model and unit.model.simulated),
        unit.learn_repeat,
        unit.test_repeat,
        unit.replicate,
        unit.seed,
        blocks.add(episode_setup(unit)),
        result.success,
        result.progress,
        result.grounding,
        len(result.turns),
        acting,
        unreadable,
        steps,
        learned,
        learned_ok,
        *_tokens(result.tokens, result.cost),
        result.goal,
        result.first_observation,
        result.sandbox_kind,
        result.seconds.wall,
        result.seconds.model,
        result.seconds.environment,
        result.seconds.sandbox,
        outcome.finished,
        outcome.node,
        len(outcome.attempts),
    )


def turn_rows(run: str, trial: str, episode: str, turns: tuple[Turn, ...]) -> list[Row]:
    """Rows of `turns`."""
    return [
        (
            run,
            trial,
            episode,
            t.index,
            t.kind,
            t.raw,
            t.said,
            t.call,
            t.callee,
            t.learned,
            t.ok,
            t.observation,
            t.progress,
            [(s.command, s.ok, s.observation) for s in t.steps],
            (t.error.type, t.error.message, t.error.function, t.error.line, t.error.source)
            if t.error
            else None,
            t.printed,
        )
        for t in turns
    ]


def call_row(run: str, trial: str, call: Call, entries: tuple[str, ...], blocks: Blocks) -> Row:
    """A row of `calls`; `entries` is the history of the episode it belongs to."""
    reply = call.reply
    return (
        run,
        trial,
        call.unit,
        call.ordinal,
        call.purpose,
        blocks.request_hash(call.prompt),
        *blocks.prompt(call.prompt, entries).cells(),
        reply.text,
        reply.finish,
        reply.reasoning,
        *_tokens(reply.tokens, reply.cost),
        reply.model,
        reply.fingerprint,
        reply.parameters,
        [list(vector) for vector in reply.vectors] or None,
        reply.tries,
        reply.latency,
    )


def request_row(run: str, unit: Request, outcome: Outcome, calls: Sequence[Call], blocks: Blocks) -> Row:
    """A row of `requests`. Its last call holds the reply that counts; tokens and cost are those of all its calls."""
    costs = [call.reply.cost for call in calls]
    known = [cost for cost in costs if cost is not None]
    return (
        run,
        unit.trial,
        unit.key,
        unit.method,
        unit.purpose,
        unit.iteration,
        unit.candidate,
        unit.attempt,
        unit.model.name,
        unit.model.simulated,
        unit.seed,
        blocks.add(canonical({"model": _model(unit.model)})),
        list(unit.texts),
        *blocks.prompt(unit.prompt).cells(),
        len(calls),
        *_tokens(
            total([call.reply.tokens for call in calls]),
            sum(known) if known and len(known) == len(costs) else None,
        ),
        outcome.finished,
        outcome.node,
        len(outcome.attempts),
    )


def library_row(run: str, trial: str, library: Library) -> Row:
    """A row of `libraries`."""
    actions = [(a.name, a.signature, a.source, a.description, list(a.notes)) for a in library.actions]
    return (
        run,
        trial,
        library.id,
        actions,
        library.preamble,
        library.usage_example,
        list(library.lessons),
    )


def candidate_row(run: str, seq: int, row: Candidate) -> Row:
    """A row of `candidates`."""
    terms = row.terms
    return (
        run,
        seq,
        row.trial,
        row.iteration,
        row.candidate,
        row.library,
        row.parent,
        row.origin,
        terms.success,
        terms.progress,
        terms.step_correctness,
        terms.call_ratio,
        terms.call_share,
        row.score,
        row.selected,
        row.uncreated,
        row.reason,
        row.failed_call,
    )


# Back -----------------------------------------------------------------------------------------------------------------


def _tokens_from(row: dict[str, Any]) -> Tokens:
    return Tokens(
        row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"], row["reasoning_tokens"]
    )


def _model_from(value: dict[str, Any] | None) -> ModelSpec | None:
    if value is None:
        return None
    return ModelSpec(**{**value, "stop": tuple(value["stop"])})


def turn_from(row: dict[str, Any]) -> Turn:
    """A turn from its row."""
    error = row["error"]
    return Turn(
        row["turn"],
        row["kind"],
        row["raw"],
        row["said"],
        row["call"],
        row["callee"],
        row["learned"],
        row["ok"],
        row["observation"],
        row["progress"],
        tuple(PrimitiveStep(s["command"], s["ok"], s["observation"]) for s in row["steps"]),
        ActionError(**error) if error else None,
        row["printed"],
    )


def result_from(row: dict[str, Any], turns: tuple[Turn, ...]) -> EpisodeResult:
    """An episode's result from its rows."""
    return EpisodeResult(
        row["success"],
        row["progress"],
        row["goal"],
        row["first_observation"],
        turns,
        _tokens_from(row),
        row["cost"],
        row["model_returned"],
        Seconds(row["seconds"], row["model_seconds"], row["environment_seconds"], row["sandbox_seconds"]),
        row["sandbox"],
    )


def episode_from(row: dict[str, Any], text: Callable[[str], str], library: Library) -> Episode:
    """An episode (the unit of work) from its row. Its model has no URLs: they are not kept."""
    setup, task = json.loads(text(row["setup"])), json.loads(text(row["task_block"]))
    return Episode(
        row["trial"],
        row["method"],
        row["phase"],
        DomainSpec(**setup["domain"]),
        Task(**task),
        AgentSpec(**setup["agent"]),
        library,
        _model_from(setup["model"]),
        Budget(**setup["budget"]),
        _rules(setup["rules"]),
        row["seed"],
        setup["prompts"],
        setup["versions"],
        row["learn_repeat"],
        row["test_repeat"],
        row["replicate"],
        row["learner_model"],
    )


def request_from(row: dict[str, Any], text: Callable[[str], str]) -> Request:
    """A request (the unit of work) from its row."""
    model = _model_from(json.loads(text(row["setup"]))["model"])
    if model is None:
        raise ResultsError(f"request {row['key']} has no model on file")
    return Request(
        row["trial"],
        row["method"],
        row["purpose"],
        model,
        prompt_from(row, text),
        row["seed"],
        row["iteration"],
        row["candidate"],
        row["attempt"],
        tuple(row["texts"]),
    )


def reply_from(row: dict[str, Any]) -> Reply:
    """The reply of a row of `calls`."""
    return Reply(
        row["reply"],
        row["finish"],
        row["reasoning"],
        _tokens_from(row),
        row["cost"],
        row["model"],
        row["fingerprint"],
        row["parameters"],
        row["tries"],
        row["latency"],
        tuple(tuple(vector) for vector in row["vectors"] or ()),
    )


def call_from(row: dict[str, Any], text: Callable[[str], str], entries: tuple[str, ...]) -> Call:
    """A call with its prompt exactly as sent."""
    return Call(row["unit"], row["ordinal"], row["purpose"], prompt_from(row, text, entries), reply_from(row))


def library_from(row: dict[str, Any]) -> Library:
    """A library from its row."""
    return Library(
        tuple(LearnedAction(**{**a, "notes": tuple(a["notes"])}) for a in row["actions"]),
        row["preamble"],
        row["usage_example"],
        tuple(row["lessons"]),
    )


def attempt_from(row: dict[str, Any]) -> Attempt:
    """A failed try from its row."""
    return Attempt(row["unit"], row["attempt"], row["boundary"], row["error"], row["seconds"], row["node"])


def _rules(kept: dict[str, Any]) -> Rules:
    return Rules(**{**kept, "bounds": CodeBounds(**kept.get("bounds", {}))})
