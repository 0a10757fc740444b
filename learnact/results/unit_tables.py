"""Tables of what was played and asked: episodes with their turns, requests, calls of models."""

from __future__ import annotations

import json
import typing

import pyarrow as pa

from learnact.records import Ignored, UnreadableCause
from learnact.results.columns import (
    ERROR,
    PROMPT_COLUMNS,
    STEP,
    dump_error,
    dump_step,
    finished_columns,
    load_error,
    load_step,
    run_column,
    token_columns,
    trial_column,
)
from learnact.results.schema import FLAG, INT32, INT64, REAL, TEXT, TEXTS, TableColumn, TableSchema

EPISODES = TableSchema(
    "episodes",
    (
        run_column(),
        trial_column("unit.trial"),
        TableColumn("key", TEXT, "unit.key", "the episode's content address: equal work has an equal key"),
        TableColumn("method", TEXT, "unit.method", "the method as the job labels it"),
        TableColumn(
            "phase",
            TEXT,
            "unit.phase",
            "`learn` (an agent plays a training task), `check` (a learner's usage line or program is run, no "
            "model acts), `stream` (a task before or after it was learned from; `replicate` tasks were), "
            "`test`, or `survey` (tests of libraries other than the trial's last one)",
        ),
        TableColumn("domain", TEXT, "unit.domain.name", "the domain that was played"),
        TableColumn(
            "domain_options",
            TEXT,
            "unit.domain.options",
            "the domain's own options (sizes, text, changed interface) as JSON",
        ),
        TableColumn("task", TEXT, "unit.task.name", "the task's name"),
        TableColumn(
            "task_hash", TEXT, "unit.task.hash", "address of the task's content: equal for equal problems"
        ),
        TableColumn("task_block", TEXT, "task_block", "address in `blocks` of the task as JSON"),
        TableColumn(
            "reference", INT32, "unit.task.reference", "length in primitive steps of a known plan, or null"
        ),
        TableColumn("library", TEXT, "unit.library.id", "id in `libraries`; empty for none"),
        TableColumn(
            "agent", TEXT, "unit.agent.name", "the agent that played: act, react, program, code_as_policies"
        ),
        TableColumn(
            "model",
            TEXT,
            "unit.model",
            "the agent's model as asked for; empty for none",
            dump=lambda model: model.name if model else "",
        ),
        TableColumn(
            "model_returned", TEXT, "result.model_returned", "the agent's model as the server named it"
        ),
        TableColumn(
            "learner_model", TEXT, "unit.learner_model", "the learner's model; empty where nothing is learned"
        ),
        TableColumn(
            "simulated",
            FLAG,
            "unit.model",
            "the agent's model is the simulated one: says nothing about language models",
            dump=lambda model: bool(model and model.simulated),
        ),
        TableColumn("learn_repeat", INT32, "unit.learn_repeat", "repeat of learning, from 0"),
        TableColumn("test_repeat", INT32, "unit.test_repeat", "repeat of testing, from 0"),
        TableColumn("replicate", INT32, "unit.replicate", "number of a deliberate repetition, from 0"),
        TableColumn("seed", INT64, "unit.seed", "the episode's seed, the same for every method"),
        TableColumn(
            "setup",
            TEXT,
            "setup",
            "address in `blocks` of the other settings as JSON: domain, agent, model, budget, rules, "
            "versions",
        ),
        TableColumn("success", FLAG, "result.success", "whether the task was solved"),
        TableColumn(
            "progress", REAL, "result.progress", "share of the goal reached, the highest during the episode"
        ),
        TableColumn(
            "grounding", REAL, "result.grounding", "share of turns (thoughts left out) whose action was valid"
        ),
        TableColumn("turns", INT32, "result.turns", "replies of the model", dump=len),
        TableColumn("action_turns", INT32, "result.action_turns", "replies that were actions"),
        TableColumn("unreadable_turns", INT32, "result.unreadable_turns", "replies that could not be read"),
        TableColumn(
            "primitive_steps",
            INT32,
            "result.primitive_steps",
            "primitive actions sent to the environment, valid or not",
        ),
        TableColumn("learned_calls", INT32, "result.learned_calls", "turns that called a learned action"),
        TableColumn(
            "learned_calls_ok",
            INT32,
            "result.learned_calls_ok",
            "turns that called a learned action with success",
        ),
        *token_columns("result.tokens", "result.cost", "all its agent's calls"),
        TableColumn(
            "opponent",
            TEXT,
            "unit.opponent",
            "the method of a second player, who took the other seat (docs/games.md); null without one",
            dump=lambda opponent: opponent.label if opponent else None,
        ),
        TableColumn(
            "opponent_model",
            TEXT,
            "unit.opponent",
            "the second player's model, by its label",
            dump=lambda opponent: opponent.model.shown if opponent else None,
        ),
        TableColumn(
            "opponent_learner_model",
            TEXT,
            "unit.opponent",
            "the model that wrote the second player's library; empty where nothing was learned",
            dump=lambda opponent: opponent.learner_model if opponent else None,
        ),
        TableColumn(
            "opponent_library",
            TEXT,
            "unit.opponent",
            "the second player's library: an id in `libraries`; empty for none",
            dump=lambda opponent: opponent.library.id if opponent else None,
        ),
        TableColumn(
            "opponent_progress",
            REAL,
            "result.opponent_progress",
            "what the second player came to, in 0 .. 1",
        ),
        TableColumn(
            "measures",
            TEXT,
            "result.measures",
            'what else the environment says of its end, as JSON ({"attack": 1.0}: docs/dojo.md), or null',
            dump=lambda measures: json.dumps(dict(measures)) if measures else None,
            load=lambda cell: tuple(sorted(json.loads(cell).items())) if cell else (),
        ),
        TableColumn("goal", TEXT, "result.goal", "the goal as the agent was shown it"),
        TableColumn(
            "first_observation",
            TEXT,
            "result.first_observation",
            "the first observation as the agent was shown it",
        ),
        TableColumn(
            "sandbox",
            TEXT,
            "result.sandbox_kind",
            "how learned code was confined; empty without learned code",
        ),
        TableColumn("seconds", REAL, "result.seconds.wall", "wall clock in all", temporal=True),
        TableColumn(
            "model_seconds", REAL, "result.seconds.model", "wall clock of calls to models", temporal=True
        ),
        TableColumn(
            "environment_seconds",
            REAL,
            "result.seconds.environment",
            "wall clock of the environment",
            temporal=True,
        ),
        TableColumn(
            "sandbox_seconds", REAL, "result.seconds.sandbox", "wall clock of the sandbox", temporal=True
        ),
        *finished_columns("episode"),
    ),
    order=("trial", "key"),
)

TURNS = TableSchema(
    "turns",
    (
        run_column(),
        trial_column(),
        TableColumn("episode", TEXT, "episode", "`episodes.key`"),
        TableColumn("turn", INT32, "turn.index", "number of the turn, from 0"),
        TableColumn("kind", TEXT, "turn.kind", "`action`, `thought` or `unreadable`"),
        TableColumn("raw", TEXT, "turn.raw", "the reply as received"),
        TableColumn("said", TEXT, "turn.said", "what the history shows of the reply"),
        TableColumn("call", TEXT, "turn.call", "the call in canonical form; empty where there was none"),
        TableColumn("callee", TEXT, "turn.callee", "the function that was called"),
        TableColumn("learned", FLAG, "turn.learned", "whether a learned action was called"),
        TableColumn("ok", FLAG, "turn.ok", "whether the action was valid as a whole"),
        TableColumn("observation", TEXT, "turn.observation", "what the agent was shown"),
        TableColumn("progress", REAL, "turn.progress", "progress after the turn"),
        TableColumn(
            "steps",
            pa.list_(STEP),
            "turn.steps",
            "primitive steps: list of (command, ok, observation)",
            dump=lambda steps: [dump_step(step) for step in steps],
            load=lambda cells: tuple(load_step(cell) for cell in cells),
        ),
        TableColumn(
            "error",
            ERROR,
            "turn.error",
            "(type, message, function, line, source) of an exception in learned code, or null",
            dump=lambda error: dump_error(error) if error else None,
            load=lambda cell: load_error(cell) if cell else None,
        ),
        TableColumn("printed", TEXT, "turn.printed", "what learned code printed, bounded"),
        TableColumn("returned", TEXT, "turn.returned", "what the call of a learned action returned, bounded"),
        TableColumn(
            "thought",
            TEXT,
            "turn.thought",
            "the thought before the action of the same reply; empty for none; null in older runs",
            load=lambda cell: cell or "",
        ),
        TableColumn(
            "cause",
            TEXT,
            "turn.cause",
            "why the reply could not be read: "
            + ", ".join(typing.get_args(UnreadableCause))
            + "; empty where it "
            "could; null in older runs",
            load=lambda cell: cell or "",
        ),
        TableColumn(
            "ignored",
            TEXTS,
            "turn.ignored",
            "what of a readable reply was left out: "
            + ", ".join(typing.get_args(Ignored))
            + "; null in older runs",
            dump=list,
            load=lambda cell: tuple(cell or ()),
        ),
        TableColumn(
            "form",
            TEXT,
            "turn.form",
            "how the reply gave its action: `text` or `tool_call` (`action_format: tools`); null in old runs",
        ),
    ),
    order=("trial", "episode", "turn"),
)

REQUESTS = TableSchema(
    "requests",
    (
        run_column(),
        trial_column("unit.trial"),
        TableColumn("key", TEXT, "unit.key", "the request's content address: equal work has an equal key"),
        TableColumn("method", TEXT, "unit.method", "the method as the job labels it"),
        TableColumn(
            "purpose",
            TEXT,
            "unit.purpose",
            "what it was for: create, usage, describe, improve, reflect, code, verify, embed; script and "
            "trajectory of a synthesis",
        ),
        TableColumn("iteration", INT32, "unit.iteration", "iteration of learning; 0 is creation"),
        TableColumn(
            "candidate",
            INT32,
            "unit.candidate",
            "number of the candidate, or of the example of a synthesis, that it was for",
        ),
        TableColumn("attempt", INT32, "unit.attempt", "the learner's try, from 0"),
        TableColumn("model", TEXT, "unit.model.name", "the learner's model as asked for"),
        TableColumn(
            "simulated",
            FLAG,
            "unit.model.simulated",
            "the model is the simulated one: says nothing about language models",
        ),
        TableColumn("seed", INT64, "unit.seed", "the request's seed"),
        TableColumn("setup", TEXT, "setup", "address in `blocks` of the model's settings as JSON"),
        TableColumn("texts", TEXTS, "unit.texts", "what was to be embedded", load=tuple),
        *PROMPT_COLUMNS,
        TableColumn("calls", INT32, "calls", "exchanges with the model that it took", dump=len),
        *token_columns("tokens", "cost", "all its calls"),
        *finished_columns("request"),
    ),
    order=("trial", "key"),
)

CALLS = TableSchema(
    "calls",
    (
        run_column(),
        trial_column(),
        TableColumn("unit", TEXT, "call.unit", "key of the episode or request"),
        TableColumn("ordinal", INT32, "call.ordinal", "number of the call in its unit, from 0"),
        TableColumn(
            "purpose",
            TEXT,
            "call.purpose",
            "`act` in episodes, `opponent` for a second player, else the request's purpose",
        ),
        TableColumn(
            "request",
            TEXT,
            "request",
            "first 24 digits of SHA-256 over system message, empty line, user message (then tools, grammar)",
        ),
        *PROMPT_COLUMNS,
        TableColumn("reply", TEXT, "call.reply.text", "the reply without thinking text"),
        TableColumn(
            "tool_calls",
            TEXT,
            "call.reply.tool_calls",
            "the tools that the model called, as a JSON list of (id, name, arguments), or null",
            dump=lambda calls: calls or None,
            load=lambda cell: cell or "",
        ),
        TableColumn("finish", TEXT, "call.reply.finish", "why the reply ended"),
        TableColumn("reasoning", TEXT, "call.reply.reasoning", "the thinking text, where the server gave it"),
        *token_columns("call.reply.tokens", "call.reply.cost", "this call"),
        TableColumn("model", TEXT, "call.reply.model", "the model as the server named it"),
        TableColumn("fingerprint", TEXT, "call.reply.fingerprint", "the server's name of its configuration"),
        TableColumn("parameters", TEXT, "call.reply.parameters", "the parameters actually sent, as JSON"),
        TableColumn(
            "vectors",
            pa.list_(pa.list_(REAL)),
            "call.reply.vectors",
            "embeddings, or null",
            dump=lambda vectors: vectors or None,
            load=lambda cells: tuple(tuple(cell) for cell in cells or ()),
        ),
        TableColumn("tries", INT32, "call.reply.tries", "HTTP requests, failed ones included", temporal=True),
        TableColumn("latency", REAL, "call.reply.latency", "seconds of the try that worked", temporal=True),
    ),
    order=("trial", "unit", "ordinal"),
)
