"""Tables of a run itself and of what it learned: libraries, candidates, trials, events, checks, texts."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from learnact.results.columns import ACTION, SEQ_COLUMN, dump_action, load_action, run_column, trial_column
from learnact.results.schema import FLAG, INT32, INT64, REAL, TEXT, TEXTS, TableColumn, TableSchema

LIBRARIES = TableSchema(
    "libraries",
    (
        run_column(),
        TableColumn("trial", TEXT, "trial", "id of a trial that has the library"),
        TableColumn("library", TEXT, "library.id", "the library's content address"),
        TableColumn(
            "actions",
            pa.list_(ACTION),
            "library.actions",
            "list of (name, signature, source, description, notes)",
            dump=lambda actions: [dump_action(action) for action in actions],
            load=lambda cells: tuple(load_action(cell) for cell in cells),
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
        run_column(),
        SEQ_COLUMN,
        trial_column("candidate.trial"),
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
        run_column(),
        trial_column(),
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
        run_column(),
        SEQ_COLUMN,
        trial_column(),
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
        run_column(),
        dataclasses.replace(SEQ_COLUMN, temporal=False),
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
        run_column(),
        SEQ_COLUMN,
        TableColumn("name", TEXT, "name", "what was checked"),
        TableColumn("facts", TEXT, "facts", "as JSON, e.g. how many test tasks equal a training task (none)"),
    ),
    order=("name", "seq"),
    key=("run", "name"),
)

BLOCKS = TableSchema(
    "blocks",
    (
        run_column(),
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
