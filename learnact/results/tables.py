"""The tables of a run, each declared once: columns with type, meaning, and where a record has the value.

Writing (`TableSchema.row`, `TableSchema.arrow`), reading (`record_reader`) and the data dictionary
(dictionary.py) follow from the declarations. The views in `views/` are what people query; `_NAME` is the
stored table.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa

from learnact.records import ActionError, Ignored, LearnedAction, PrimitiveStep, UnreadableCause
from learnact.results.bounded import BoundedValue, array_of, finite

SCHEMA_VERSION = 1
READABLE_VERSIONS = frozenset({1})

Row: TypeAlias = tuple[Any, ...]
"""Values in the order of a table's columns, as the record has them (`TableColumn.dump` is applied by
`arrow`).
"""

T = TypeVar("T")
TEXT, REAL, INT64, INT32, FLAG = pa.string(), pa.float64(), pa.int64(), pa.int32(), pa.bool_()
TEXTS = pa.list_(TEXT)


@dataclass(frozen=True)
class TableColumn:
    """One column.

    `source` is where the value is found: a keyword of `TableSchema.row`, then attributes of what it is given
    (e.g. `turn.index`). `dump` turns the value into what is stored, `load` turns it back; a column with
    `dump` alone is derived and never read into a record. `temporal` columns (times, places, attempts) may
    differ between equal runs.
    """

    name: str
    type: pa.DataType
    source: str
    meaning: str
    dump: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None
    temporal: bool = False


@dataclass(frozen=True)
class TableSchema:
    """A table: columns, order of rows after compaction, whether equal runs have equal rows in it.

    `key`: of the rows that are equal in these columns the one with the highest `seq` counts; empty where all
    rows count.
    """

    name: str
    columns: tuple[TableColumn, ...]
    order: tuple[str, ...]
    compared: bool = True
    key: tuple[str, ...] = ()
    row: Callable[..., Row] = field(init=False, repr=False)
    """A row, from keywords: the first names of the columns' sources, e.g. `TURNS.row(run=..., turn=...)`."""

    def __post_init__(self) -> None:
        # Compiled, as namedtuple compiles its constructor: operator.attrgetter takes twice the time.
        names = dict.fromkeys(column.source.partition(".")[0] for column in self.columns)
        values = ", ".join(column.source for column in self.columns)
        object.__setattr__(self, "row", eval(f"lambda *, {', '.join(names)}: ({values},)"))

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its files."""
        columns = [(column.name, column.type) for column in self.columns]
        return pa.schema(columns, metadata={"learnact_schema": str(SCHEMA_VERSION)})

    @property
    def temporal(self) -> frozenset[str]:
        """Names of the columns that may differ between equal runs."""
        return frozenset(column.name for column in self.columns if column.temporal)

    def arrow(self, rows: Sequence[Row]) -> tuple[pa.Table, list[BoundedValue]]:
        """Rows as a table, and the values that had to be bounded to fit their columns."""
        bounded: list[BoundedValue] = []
        arrays = []
        by_column: Sequence[Row] = list(zip(*rows, strict=True)) if rows else [()] * len(self.columns)
        for column, values in zip(self.columns, by_column, strict=True):
            stored = [column.dump(value) for value in values] if column.dump else values
            arrays.append(array_of(stored, column.type, f"{self.name}.{column.name}", bounded))
        return pa.Table.from_arrays(arrays, schema=self.schema), bounded


def record_reader(
    table: TableSchema, record: type[T], prefix: str, given: Collection[str] = ()
) -> Callable[..., T]:
    """A function that makes a record from a row (a mapping by column name); fields `given` are its keywords.

    Raises `TypeError` now when a field without default has neither a column nor is given.
    """
    hints = typing.get_type_hints(record)
    plain: list[tuple[str, str]] = []
    loaded: list[tuple[str, str, Callable[[Any], Any]]] = []
    nested: list[tuple[str, Callable[..., Any]]] = []
    columns = {column.source: column for column in table.columns if column.load or not column.dump}
    for item in dataclasses.fields(record):  # type: ignore[arg-type]
        path = f"{prefix}.{item.name}"
        column = columns.get(path)
        if item.name in given:
            continue
        if column is not None and column.load:
            loaded.append((item.name, column.name, column.load))
        elif column is not None:
            plain.append((item.name, column.name))
        elif any(source.startswith(f"{path}.") for source in columns):
            nested.append((item.name, record_reader(table, hints[item.name], path)))
        elif item.default is item.default_factory is dataclasses.MISSING:
            raise TypeError(f"{record.__name__}.{item.name} has no column in {table.name} (source {path})")

    def read(row: Mapping[str, Any], **more: Any) -> T:
        for name, column in plain:
            more[name] = row[column]
        for name, column, load in loaded:
            more[name] = load(row[column])
        for name, make in nested:
            more[name] = make(row)
        return record(**more)

    return read


def _struct(
    record: type[Any], **types: pa.DataType
) -> tuple[pa.StructType, Callable[[Any], Row], Callable[[Any], Any]]:
    """A record kept inside a cell: its Arrow type, record to cell, cell to record."""

    def load(cell: Mapping[str, Any]) -> Any:
        return record(**{key: tuple(v) if isinstance(v, list) else v for key, v in cell.items()})

    return pa.struct(list(types.items())), attrgetter(*types), load


STEP, _dump_step, _load_step = _struct(PrimitiveStep, command=TEXT, ok=FLAG, observation=TEXT)
ERROR, _dump_error, _load_error = _struct(
    ActionError, type=TEXT, message=TEXT, function=TEXT, line=INT32, source=TEXT
)
ACTION, _dump_action, _load_action = _struct(
    LearnedAction, name=TEXT, signature=TEXT, source=TEXT, description=TEXT, notes=TEXTS
)


def _tokens(tokens: str, cost: str, of: str) -> tuple[TableColumn, ...]:
    return (
        TableColumn(
            "prompt_tokens", INT64, f"{tokens}.prompt", f"tokens of {of}: prompt, cached ones included"
        ),
        TableColumn(
            "cached_tokens", INT64, f"{tokens}.cached", f"tokens of {of}: prompt tokens from a cache"
        ),
        TableColumn(
            "completion_tokens", INT64, f"{tokens}.completion", f"tokens of {of}: completion, with reasoning"
        ),
        TableColumn("reasoning_tokens", INT64, f"{tokens}.reasoning", f"tokens of {of}: reasoning"),
        TableColumn(
            "cost",
            REAL,
            cost,
            f"US dollars of {of}; null where a price is not known",
            dump=finite,
            load=finite,
        ),
    )


_PROMPT = (
    TableColumn("system", TEXT, "prompt.system", "address in `blocks` of the system message"),
    TableColumn("fixed", TEXTS, "prompt.fixed", "addresses in `blocks` of the parts before the history"),
    TableColumn(
        "history_start", INT32, "prompt.history_start", "first entry of the episode's history that was shown"
    ),
    TableColumn("history_count", INT32, "prompt.history_count", "entries of the history shown (two a turn)"),
    TableColumn(
        "history",
        TEXTS,
        "prompt.history",
        "addresses of the entries where they do not follow from the episode's turns, else null",
    ),
    TableColumn("ask", TEXT, "prompt.ask", "address in `blocks` of the part after the history"),
    TableColumn("tools", TEXT, "prompt.tools", "address in `blocks` of the tools offered, as JSON, or null"),
    TableColumn(
        "grammar", TEXT, "prompt.grammar", "address in `blocks` of what the reply may be, as JSON, or null"
    ),
)


def _run(source: str = "run") -> TableColumn:
    return TableColumn("run", TEXT, source, "id of the run")


def _trial(source: str = "trial") -> TableColumn:
    return TableColumn("trial", TEXT, source, "id of the trial")


def _finished(unit: str) -> tuple[TableColumn, ...]:
    return (
        TableColumn("finished", REAL, "outcome.finished", f"when the {unit} ended", temporal=True),
        TableColumn("node", TEXT, "outcome.node", f"machine on which the {unit} ended", temporal=True),
        TableColumn("attempts", INT32, "outcome.attempts", "failed tries before it", dump=len, temporal=True),
    )


_SEQ = TableColumn("seq", INT64, "seq", "order of writing within the run", temporal=True)

EPISODES = TableSchema(
    "episodes",
    (
        _run(),
        _trial("unit.trial"),
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
        *_tokens("result.tokens", "result.cost", "all its agent's calls"),
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
        *_finished("episode"),
    ),
    order=("trial", "key"),
)

TURNS = TableSchema(
    "turns",
    (
        _run(),
        _trial(),
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
            dump=lambda steps: [_dump_step(step) for step in steps],
            load=lambda cells: tuple(_load_step(cell) for cell in cells),
        ),
        TableColumn(
            "error",
            ERROR,
            "turn.error",
            "(type, message, function, line, source) of an exception in learned code, or null",
            dump=lambda error: _dump_error(error) if error else None,
            load=lambda cell: _load_error(cell) if cell else None,
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
        _run(),
        _trial("unit.trial"),
        TableColumn("key", TEXT, "unit.key", "the request's content address: equal work has an equal key"),
        TableColumn("method", TEXT, "unit.method", "the method as the job labels it"),
        TableColumn(
            "purpose",
            TEXT,
            "unit.purpose",
            "what it was for: create, usage, describe, improve, reflect, code, verify, embed",
        ),
        TableColumn("iteration", INT32, "unit.iteration", "iteration of learning; 0 is creation"),
        TableColumn("candidate", INT32, "unit.candidate", "number of the candidate that it was for"),
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
        *_PROMPT,
        TableColumn("calls", INT32, "calls", "exchanges with the model that it took", dump=len),
        *_tokens("tokens", "cost", "all its calls"),
        *_finished("request"),
    ),
    order=("trial", "key"),
)

CALLS = TableSchema(
    "calls",
    (
        _run(),
        _trial(),
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
        *_PROMPT,
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
        *_tokens("call.reply.tokens", "call.reply.cost", "this call"),
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

LIBRARIES = TableSchema(
    "libraries",
    (
        _run(),
        TableColumn("trial", TEXT, "trial", "id of a trial that has the library"),
        TableColumn("library", TEXT, "library.id", "the library's content address"),
        TableColumn(
            "actions",
            pa.list_(ACTION),
            "library.actions",
            "list of (name, signature, source, description, notes)",
            dump=lambda actions: [_dump_action(action) for action in actions],
            load=lambda cells: tuple(_load_action(cell) for cell in cells),
        ),
        TableColumn("preamble", TEXT, "library.preamble", "imports and constants that the functions use"),
        TableColumn("usage_example", TEXT, "library.usage_example", "the example that the agent is shown"),
        TableColumn("lessons", TEXTS, "library.lessons", "Reflexion's lessons", load=tuple),
    ),
    order=("trial", "library"),
)

CANDIDATES = TableSchema(
    "candidates",
    (
        _run(),
        _SEQ,
        _trial("candidate.trial"),
        TableColumn("iteration", INT32, "candidate.iteration", "iteration of learning; 0 is creation"),
        TableColumn(
            "candidate",
            INT32,
            "candidate.candidate",
            "number in the iteration; 0 is the incumbent after iteration 0",
        ),
        TableColumn("library", TEXT, "candidate.library", "id in `libraries`; empty for none"),
        TableColumn("parent", TEXT, "candidate.parent", "id of the library that it was made from"),
        TableColumn(
            "origin",
            TEXT,
            "candidate.origin",
            "`create`, `update`, `note`, `incumbent`, `lesson`, `skill`, `attempt`",
        ),
        TableColumn(
            "success", REAL, "candidate.terms.success", "share of the training tasks that were solved"
        ),
        TableColumn("progress", REAL, "candidate.terms.progress", "mean progress on the training tasks"),
        TableColumn(
            "step_correctness",
            REAL,
            "candidate.terms.step_correctness",
            "successful calls of learned actions / calls of learned actions; 0 when there were none",
        ),
        TableColumn(
            "call_ratio",
            REAL,
            "candidate.terms.call_ratio",
            "successful calls of learned actions / turns that are actions",
        ),
        TableColumn(
            "call_share",
            REAL,
            "candidate.terms.call_share",
            "calls of learned actions / turns that are actions",
        ),
        TableColumn(
            "turns",
            REAL,
            "candidate.terms.turns",
            "share of the turn budget that was left, 0 for a task that was not solved, a mean over the "
            "training tasks",
        ),
        TableColumn(
            "score",
            REAL,
            "candidate.score",
            "sum of the chosen terms; null where it could not be created, was not played, or was stopped",
        ),
        TableColumn(
            "excluded", TEXT, "candidate.excluded", "why it cannot win although it was played, else empty"
        ),
        TableColumn("played_turns", INT32, "candidate.played_turns", "turns of its training episodes, a sum"),
        TableColumn(
            "played_tokens",
            INT64,
            "candidate.played_tokens",
            "tokens of its training episodes, prompt and completion, a sum",
        ),
        TableColumn(
            "played_tasks",
            INT32,
            "candidate.played_tasks",
            "training tasks that it has played; null in old runs",
        ),
        TableColumn(
            "planned_tasks",
            INT32,
            "candidate.planned_tasks",
            "training tasks that it would have played unless racing had stopped it; null in old runs",
        ),
        TableColumn("selected", FLAG, "candidate.selected", "whether it won its iteration"),
        TableColumn("uncreated", TEXT, "candidate.uncreated", "why it could not be created, else empty"),
        TableColumn("reason", TEXT, "candidate.reason", "the learner's own reason for an update or note"),
        TableColumn(
            "failed_call", TEXT, "candidate.failed_call", "the failed call that was shown to the learner"
        ),
        TableColumn(
            "equal_to",
            TEXT,
            "candidate.equal_to",
            "the candidate whose functions and notes it repeats, as ITERATION.CANDIDATE: it was not played; "
            "else empty",
        ),
    ),
    order=("trial", "iteration", "candidate", "seq"),
    key=("run", "trial", "iteration", "candidate"),
)

ATTEMPTS = TableSchema(
    "attempts",
    (
        _run(),
        _trial(),
        TableColumn("unit", TEXT, "attempt.unit", "key of the episode or request"),
        TableColumn("kind", TEXT, "kind", "`episode` or `request`"),
        TableColumn("attempt", INT32, "attempt.attempt", "number of the try, counted by the worker"),
        TableColumn(
            "boundary", TEXT, "attempt.boundary", "`provider`, `sandbox`, `environment` or `harness`"
        ),
        TableColumn("error", TEXT, "attempt.error", "the error in words; keys and tokens are hidden"),
        TableColumn("seconds", REAL, "attempt.seconds", "how long the try took"),
        TableColumn("node", TEXT, "attempt.node", "machine on which it failed"),
        TableColumn("recorded", REAL, "recorded", "when it was stored"),
    ),
    order=("trial", "unit", "attempt", "recorded"),
    compared=False,
)

TRIALS = TableSchema(
    "trials",
    (
        _run(),
        _SEQ,
        _trial(),
        TableColumn("method", TEXT, "method", "the method as the job labels it"),
        TableColumn("domain", TEXT, "domain", "the domain of its training tasks"),
        TableColumn("agent_model", TEXT, "agent_model", "the agent's model"),
        TableColumn("learner_model", TEXT, "learner_model", "the learner's model"),
        TableColumn("learn_repeat", INT32, "learn_repeat", "repeat of learning, from 0"),
        TableColumn("test_repeats", INT32, "test_repeats", "tests of each task"),
        TableColumn(
            "test_episodes",
            INT32,
            "test_episodes",
            "test episodes that it is to play; null where the run did not say",
        ),
        TableColumn("seed", INT64, "seed", "the job's seed"),
        TableColumn(
            "status",
            TEXT,
            "status",
            "`running`, `done`, `unfinished` (tests without result) or `blocked` (learning could not go on)",
        ),
        TableColumn("reason", TEXT, "reason", "why it is unfinished or blocked"),
        TableColumn("library", TEXT, "library", "id of the library that it ended with"),
        TableColumn(
            "options",
            TEXT,
            "options",
            "JSON of everything else: learner, agent, settings, domains, rules, budgets; `library_from` "
            "(run, trial, library) where a library was handed in instead of learned",
        ),
        TableColumn("more", TEXT, "more", "JSON of what has no column of its own"),
    ),
    order=("trial", "seq"),
    key=("run", "trial"),
)

EVENTS = TableSchema(
    "events",
    (
        _run(),
        dataclasses.replace(_SEQ, temporal=False),
        TableColumn("name", TEXT, "name", "the job's name"),
        TableColumn(
            "event", TEXT, "event", "`started`, `resumed`, `drained`, `finished`, `unfinished`, `interrupted`"
        ),
        TableColumn("recorded", REAL, "recorded", "when it happened"),
        TableColumn("job", TEXT, "job", "the job as given, as JSON; secrets hidden"),
        TableColumn(
            "resolved", TEXT, "resolved", "the job with everything filled in, as JSON; secrets hidden"
        ),
        TableColumn(
            "versions",
            TEXT,
            "versions",
            "learnact, Python, packages, git revision (`+changes` with local changes), the id of a submitted "
            "job, as JSON",
        ),
        TableColumn("host", TEXT, "host", "machine of the driver"),
        TableColumn("pid", INT64, "pid", "process of the driver"),
    ),
    order=("seq",),
    compared=False,
)

CHECKS = TableSchema(
    "checks",
    (
        _run(),
        _SEQ,
        TableColumn("name", TEXT, "name", "what was checked"),
        TableColumn("facts", TEXT, "facts", "as JSON, e.g. how many test tasks equal a training task (none)"),
    ),
    order=("name", "seq"),
    key=("run", "name"),
)

BLOCKS = TableSchema(
    "blocks",
    (
        _run(),
        TableColumn("hash", TEXT, "hash", "first 24 digits of the text's SHA-256"),
        TableColumn("text", TEXT, "text", "a text that many rows share"),
    ),
    order=("hash",),
)

TURN_GROUPS = TableSchema(
    "turn_groups",
    tuple(
        TableColumn(name, kind, f"group.{name}", meaning)
        for name, kind, meaning in (
            ("run", TEXT, "id of the run"),
            ("topic", TEXT, "the view that the group is for: action_usage, failures or unreadable"),
            ("domain", TEXT, "the episodes' domain"),
            ("method", TEXT, "the method as the job labels it"),
            ("model", TEXT, "the agent's model"),
            ("learner_model", TEXT, "the learner's model"),
            ("simulated", FLAG, "the model is the simulated one: says nothing about language models"),
            ("kind", TEXT, "`turns.kind`"),
            ("callee", TEXT, "`turns.callee`"),
            ("learned", FLAG, "`turns.learned`"),
            ("why", TEXT, "exception, cause, or first words of the observation"),
            ("turns", INT64, "turns"),
            ("ok", INT64, "turns of these that were valid as a whole"),
            ("steps", INT64, "primitive actions of these"),
            ("errors", INT64, "turns of these that ended with an exception"),
            ("episodes", INT64, "episodes with such a turn"),
            ("solved", INT64, "those of them that solved their task"),
            ("unsolved_example", TEXT, "the first key of an episode that did not"),
            ("example", TEXT, "the first key of an episode"),
        )
    ),
    order=(
        "run",
        "topic",
        "domain",
        "method",
        "model",
        "learner_model",
        "simulated",
        "kind",
        "callee",
        "learned",
        "why",
    ),
    compared=False,
)
"""Made from `turns` and `episodes` when parts are merged (turn_groups.py)."""

TABLES: dict[str, TableSchema] = {
    table.name: table
    for table in (
        EPISODES,
        TURNS,
        REQUESTS,
        CALLS,
        LIBRARIES,
        CANDIDATES,
        ATTEMPTS,
        TRIALS,
        EVENTS,
        CHECKS,
        BLOCKS,
        TURN_GROUPS,
    )
}
