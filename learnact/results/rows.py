"""Records to rows of tables.py and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from learnact.errors import ResultsError
from learnact.records import (
    AgentSpec,
    Attempt,
    Budget,
    Call,
    CodeBounds,
    DomainSpec,
    Episode,
    EpisodeResult,
    Library,
    ModelSpec,
    Opponent,
    Outcome,
    Reply,
    Request,
    Rules,
    Task,
    Tokens,
    Turn,
    canonical,
)
from learnact.results import tables
from learnact.results.blocks import Blocks, prompt_from
from learnact.results.bounded import finite, json_text
from learnact.results.tables import Row, record_reader

HIDDEN_OF_MODELS = ("base_urls", "api_key_env", "prices", "timeout", "limits")
"""Fields of a model that are no part of its identity and are not kept with units: places and secrets."""


# Records to rows --------------------------------------------------------------------------------------------


TRIAL_COLUMNS = tuple(
    name for name in tables.TRIALS.schema.names if name not in ("run", "seq", "trial", "more")
)
"""Facts of a trial that have a column of their own."""


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
    """What episodes share, as canonical JSON: with task and library enough to play one again."""
    return _setup(
        unit.domain,
        unit.agent,
        unit.model,
        unit.budget,
        unit.rules,
        versions=(unit.prompts, unit.versions),
        opponent=unit.opponent,
    )


@lru_cache(maxsize=4096)
def _setup(
    domain: DomainSpec,
    agent: AgentSpec,
    model: ModelSpec | None,
    budget: Budget,
    rules: Rules,
    *,
    versions: tuple[str, str],
    opponent: Opponent | None,
) -> str:
    more = {} if opponent is None else {"opponent": _opponent(opponent)}
    return canonical(
        {
            **more,
            "domain": domain,
            "agent": agent,
            "model": _model(model),
            "budget": budget,
            "rules": rules,
            "prompts": versions[0],
            "versions": versions[1],
        }
    )


def _opponent(opponent: Opponent) -> dict[str, Any]:
    """A second player without what is kept elsewhere: the library's content."""
    kept = {name: getattr(opponent, name) for name in opponent.__dataclass_fields__}
    return {**kept, "model": _model(opponent.model), "library": opponent.library.id}


def episode_row(run: str, unit: Episode, outcome: Outcome, result: EpisodeResult, blocks: Blocks) -> Row:
    """A row of `episodes`; the task is kept as canonical JSON, labels included."""
    task, setup = blocks.add(canonical(unit.task)), blocks.add(episode_setup(unit))
    return tables.EPISODES.row(
        run=run, unit=unit, outcome=outcome, result=result, task_block=task, setup=setup
    )


def turn_rows(run: str, trial: str, episode: str, turns: Sequence[Turn]) -> list[Row]:
    """Rows of `turns`."""
    return [tables.TURNS.row(run=run, trial=trial, episode=episode, turn=turn) for turn in turns]


def call_row(run: str, trial: str, call: Call, entries: tuple[str, ...], blocks: Blocks) -> Row:
    """A row of `calls`; `entries` is the history of the episode it belongs to."""
    request, prompt = blocks.request_hash(call.prompt), blocks.prompt(call.prompt, entries)
    return tables.CALLS.row(run=run, trial=trial, call=call, request=request, prompt=prompt)


def request_row(run: str, unit: Request, outcome: Outcome, calls: Sequence[Call], blocks: Blocks) -> Row:
    """A row of `requests`. Its last call holds the reply that counts."""
    costs = [finite(call.reply.cost) for call in calls]
    known = [cost for cost in costs if cost is not None]
    return tables.REQUESTS.row(
        run=run,
        unit=unit,
        outcome=outcome,
        setup=blocks.add(canonical({"model": _model(unit.model)})),
        prompt=blocks.prompt(unit.prompt),
        calls=calls,
        tokens=total([call.reply.tokens for call in calls]),
        cost=sum(known) if known and len(known) == len(costs) else None,
    )


def trial_row(run: str, seq: int, trial: str, facts: Mapping[str, Any]) -> Row:
    """A row of `trials`: facts with a column of their own (`TRIAL_COLUMNS`), the others as JSON in `more`."""
    cells = {name: facts.get(name) for name in TRIAL_COLUMNS}
    for name in ("method", "domain", "agent_model", "learner_model", "options"):
        if cells[name] is not None and not isinstance(cells[name], str):
            cells[name] = json_text(cells[name])
    more = json_text({name: value for name, value in facts.items() if name not in cells})
    return tables.TRIALS.row(run=run, seq=seq, trial=trial, more=more, **cells)


# Rows to records --------------------------------------------------------------------------------------------

FORMER_RULES = {
    "empty_call": "successful",
    "call_observation": "published",
    "show_turns": False,
    "show_returns": False,
    "usage_example": "written",
}
"""How runs were played that were made before these rules had switches, and so do not name them."""
_SETUP = ("domain", "agent", "model", "budget", "rules", "prompts", "versions")
turn_from = record_reader(tables.TURNS, Turn, "turn")
"""A turn from its row."""
attempt_from = record_reader(tables.ATTEMPTS, Attempt, "attempt")
"""A failed try from its row."""
library_from = record_reader(tables.LIBRARIES, Library, "library")
"""A library from its row."""
reply_from = record_reader(tables.CALLS, Reply, "call.reply")
"""The reply of a row of `calls`."""
_call = record_reader(tables.CALLS, Call, "call", given=("prompt",))
_result = record_reader(tables.EPISODES, EpisodeResult, "result", given=("turns",))
_episode = record_reader(tables.EPISODES, Episode, "unit", given=("task", "library", "opponent", *_SETUP))
_request = record_reader(tables.REQUESTS, Request, "unit", given=("model", "prompt"))


def result_from(row: Mapping[str, Any], turns: tuple[Turn, ...]) -> EpisodeResult:
    """An episode's result from its rows."""
    return _result(row, turns=turns)


def episode_from(
    row: Mapping[str, Any], text: Callable[[str], str], library: Library, opponents: Library | None = None
) -> Episode:
    """An episode (the unit of work) from its row. Its model has no URLs: they are not kept. `opponents`: the
    library of its second player.
    """
    setup, task = json.loads(text(row["setup"])), json.loads(text(row["task_block"]))
    return _episode(
        row,
        domain=DomainSpec(**setup["domain"]),
        task=Task(**task),
        agent=AgentSpec(**setup["agent"]),
        library=library,
        opponent=_opponent_from(setup.get("opponent"), opponents or Library()),
        model=_model_from(setup["model"]),
        budget=Budget(**setup["budget"]),
        rules=_rules(setup["rules"]),
        prompts=setup["prompts"],
        versions=setup["versions"],
    )


def call_from(row: Mapping[str, Any], text: Callable[[str], str], entries: tuple[str, ...]) -> Call:
    """A call from its row; `entries` is the history of the episode it belongs to."""
    return _call(row, prompt=prompt_from(row, text, entries))


def request_from(row: Mapping[str, Any], text: Callable[[str], str]) -> Request:
    """A request (the unit of work) from its row."""
    model = _model_from(json.loads(text(row["setup"]))["model"])
    if model is None:
        raise ResultsError(f"request {row['key']} has no model on file")
    return _request(row, model=model, prompt=prompt_from(row, text))


def _opponent_from(value: dict[str, Any] | None, library: Library) -> Opponent | None:
    if value is None:
        return None
    model = _model_from(value["model"])
    assert model is not None, "a second player has a model"
    return Opponent(**{**value, "agent": AgentSpec(**value["agent"]), "model": model, "library": library})


def _model_from(value: dict[str, Any] | None) -> ModelSpec | None:
    if value is None:
        return None
    return ModelSpec(**{**value, "stop": tuple(value["stop"])})


def _rules(kept: dict[str, Any]) -> Rules:
    return Rules(**{**FORMER_RULES, **kept, "bounds": CodeBounds(**kept.get("bounds", {}))})
