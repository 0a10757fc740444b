"""What all tables are made of, read once: trials, test episodes in groups, unfinished episodes.

Grouping is done in SQL, on the temporary table `report_episodes`: test episodes (phases `test` and `survey`),
each once although several runs may share it, with the label that the tables give to its domain.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

from learnact.methods.registry import learns
from learnact.report.domain_labels import DomainLabels
from learnact.report.method_labels import MethodLabels
from learnact.results.location import Location
from learnact.results.reader import Connection, dictionaries
from learnact.statistics.amounts import amount_mean
from learnact.statistics.intervals import Interval, bounds, clustered_mean, method_mean

ALL = "all"
"""The domain of rows over all domains."""


class RowKey(NamedTuple):
    """What a row of a table is about."""

    domain: str
    method: str
    agent_model: str
    learner_model: str


@dataclass(frozen=True)
class TrialRow:
    """A trial, with what the tables use of its options (`settings`, `rules`, ...)."""

    trial: str
    runs: tuple[str, ...]
    """Runs that hold it: trials of equal content have the same id."""
    method: str
    domain: str
    agent_model: str
    learner_model: str
    test_repeats: int
    test_episodes: int | None
    """Test episodes that it is to play; None where the run did not say."""
    status: str
    library: str
    learner: str
    agent: str
    """The agent with its options, as JSON; "" where the run did not say."""
    settings: Mapping[str, Any]
    rules: Mapping[str, Any]
    domain_options: str
    test_domains: tuple[tuple[str, str], ...]
    """Name and options of each domain that it is tested on."""
    tests: str
    """What decides which tasks are tested: trials with equal `tests` are tested on the same."""
    matched_to: str
    """The method whose budget it was given (`match_budget`); "" without a match."""
    label: str = ""
    """What the tables call the domain that it learns on."""

    @property
    def row_key(self) -> RowKey:
        """The row that it counts in where trials are counted, not episodes."""
        return RowKey(self.label, self.method, self.agent_model, self.learner_model)

    @property
    def learns(self) -> bool:
        """Whether it has a learner, or a library that was learned elsewhere."""
        return learns(self.learner)


@dataclass(frozen=True)
class EpisodeSample:
    """The episodes of a group. Sequences hold one value for each, in a fixed order; numbers are sums."""

    trials: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    """The trial in which the library was learned; "" for a method that learns nothing."""
    seeds: tuple[int, ...] = ()
    """The seed of the repeat: methods of one job meet the same."""
    tasks: tuple[str, ...] = ()
    """The clusters of all intervals: hashes of tasks, which hold their domain."""
    success: tuple[bool, ...] = ()
    progress: tuple[float, ...] = ()
    learned_calls: tuple[int, ...] = ()
    learned_calls_ok: tuple[int, ...] = ()
    action_turns: tuple[int, ...] = ()
    turns: tuple[int, ...] = ()
    primitive_steps: tuple[int, ...] = ()
    prompt_tokens: tuple[int | None, ...] = ()
    """None where the server counted none: a prompt is never empty."""
    completion_tokens: tuple[int | None, ...] = ()
    cost: tuple[float | None, ...] = ()
    """US dollars; None where a price is not known."""
    model_seconds: tuple[float | None, ...] = ()
    unreadable_turns: int = 0
    simulated: bool = False

    def __len__(self) -> int:
        return len(self.tasks)

    def __add__(self, other: EpisodeSample) -> EpisodeSample:
        values = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return EpisodeSample(**{**values, "simulated": self.simulated or other.simulated})

    @property
    def tokens(self) -> tuple[int | None, ...]:
        """Tokens of each episode, in and out; None where the server counted none."""
        both = zip(self.prompt_tokens, self.completion_tokens, strict=True)
        return tuple(None if i is None or o is None else i + o for i, o in both)

    @property
    def call_frequency(self) -> Interval:
        """Share of turns that called a learned action, a mean over episodes."""
        calls = zip(self.tasks, self.learned_calls, self.action_turns, strict=True)
        return clustered_mean((task, called / turns) for task, called, turns in calls if turns)

    @property
    def call_correctness(self) -> Interval:
        """Share of the calls of learned actions that succeeded, a mean over episodes with such a call."""
        calls = zip(self.tasks, self.learned_calls_ok, self.learned_calls, strict=True)
        return clustered_mean((task, ok / called) for task, ok, called in calls if called)

    def outcomes(self, values: Sequence[float]) -> list[tuple[str, str, int, float]]:
        """(task, trial that learned, seed, value) of each episode, as `paired_difference` takes it."""
        about = zip(self.tasks, self.learned, self.seeds, values, strict=True)
        return [(task, learned, seed, float(value)) for task, learned, seed, value in about]

    def by_library(self, values: Sequence[float]) -> list[tuple[str, str, float]]:
        """(task, trial that learned, value) of each episode, as `method_mean` takes it."""
        return [(t, g, float(v)) for t, g, v in zip(self.tasks, self.learned, values, strict=True)]


def join_samples(samples: Iterable[EpisodeSample]) -> EpisodeSample:
    """All episodes of several groups."""
    return sum(samples, EpisodeSample())


@dataclass(frozen=True)
class Score:
    """The numbers of one row. `worst` and `best`: success if all unfinished episodes failed, or succeeded."""

    key: RowKey
    simulated: bool
    success: Interval
    success_of_method: Interval
    """Success with other libraries and on other tasks; `success` is of these libraries."""
    progress: Interval
    trials: int
    unfinished: int
    worst: float
    best: float
    unreadable: float
    """Share of turns whose reply could not be read."""
    all_turns: int
    """Model turns of all its episodes."""
    turns: Interval
    """Model turns an episode."""
    primitive_steps: Interval
    """Primitive steps an episode."""


SAMPLE = """
    list(trial ORDER BY trial, phase, key) AS trials,
    list(library ORDER BY trial, phase, key) AS libraries,
    list(learned ORDER BY trial, phase, key) AS learned,
    list(seed ORDER BY trial, phase, key) AS seeds,
    list(task_hash ORDER BY trial, phase, key) AS tasks,
    list(success ORDER BY trial, phase, key) AS success,
    list(progress ORDER BY trial, phase, key) AS progress,
    list(learned_calls ORDER BY trial, phase, key) AS learned_calls,
    list(learned_calls_ok ORDER BY trial, phase, key) AS learned_calls_ok,
    list(action_turns ORDER BY trial, phase, key) AS action_turns,
    list(turns ORDER BY trial, phase, key) AS turns,
    list(primitive_steps ORDER BY trial, phase, key) AS primitive_steps,
    list(CASE WHEN prompt_tokens > 0 OR turns = 0 THEN prompt_tokens END ORDER BY trial, phase, key)
        AS prompt_tokens,
    list(CASE WHEN prompt_tokens > 0 OR turns = 0 THEN completion_tokens END ORDER BY trial, phase, key)
        AS completion_tokens,
    list(cost ORDER BY trial, phase, key) AS cost,
    list(model_seconds ORDER BY trial, phase, key) AS model_seconds,
    CAST(sum(unreadable_turns) AS BIGINT) AS unreadable_turns,
    bool_or(simulated) AS simulated
"""
"""The columns of an `EpisodeSample`, over a group of `report_episodes`."""


class ReportData:
    """The results of one run or several, as the tables use them. Nothing is read twice."""

    def __init__(self, connection: Connection, results: Location | None = None) -> None:
        """`results`: the folder where the runs are kept, for the commands that tables print."""
        self.connection = connection
        self.results = results
        self.methods = MethodLabels(connection)
        self.labels = DomainLabels(self._read_trials())
        self.trials = {
            key: replace(trial, label=self.labels.of_domain(trial.domain, trial.domain_options))
            for key, trial in self.labels.trials.items()
        }
        """Trials by id. One that several runs share is there once, in its most finished state."""
        self._create_episodes()

    def _read_trials(self) -> dict[str, TrialRow]:
        rows = dictionaries(
            self.connection,
            """SELECT *, list(run) OVER (PARTITION BY trial ORDER BY run
                   ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS runs
            FROM trials
            QUALIFY row_number() OVER (PARTITION BY trial ORDER BY status <> 'done', run) = 1
            ORDER BY run, trial""",
        )
        labels = self.methods.of_trial
        return {row["trial"]: _trial_row(row, labels[row["trial"]]) for row in rows}

    def _create_episodes(self) -> None:
        played = self.connection.execute(
            """SELECT DISTINCT trial, domain, coalesce(domain_options, '{}'), coalesce(setup, ''), method
            FROM episodes WHERE phase IN ('test', 'survey')"""
        ).fetchall()
        labels = [self.labels.of_test(trial, name, options) for trial, name, options, _, _ in played]
        methods = [self.methods.of_setup.get((trial, setup), method) for trial, _, _, setup, method in played]
        trials, names, options, setups = ([row[i] for row in played] for i in range(4))
        models = [self.trials[trial].agent_model if trial in self.trials else None for trial in trials]
        learned = [self.learned_in(trial) for trial in trials]
        self.connection.execute(
            """CREATE OR REPLACE TEMP TABLE report_episodes AS
            WITH labels AS (
                SELECT unnest(CAST($trials AS TEXT[])) AS trial, unnest(CAST($names AS TEXT[])) AS name,
                       unnest(CAST($options AS TEXT[])) AS options, unnest(CAST($setups AS TEXT[])) AS setup,
                       unnest(CAST($labels AS TEXT[])) AS label, unnest(CAST($methods AS TEXT[])) AS method,
                       unnest(CAST($models AS TEXT[])) AS agent_model,
                       unnest(CAST($learned AS TEXT[])) AS learned
            )
            SELECT e.* EXCLUDE (domain, domain_options, model, method),
                   l.label AS domain, l.method, l.learned, coalesce(l.agent_model, e.model) AS agent_model,
                   l.name || ' ' || l.options AS place
            FROM episodes e JOIN labels l
              ON l.trial = e.trial AND l.name = e.domain AND l.options = coalesce(e.domain_options, '{}')
              AND l.setup = coalesce(e.setup, '')
            WHERE e.phase IN ('test', 'survey')
            QUALIFY row_number() OVER (PARTITION BY e.key ORDER BY e.run) = 1""",
            {
                "trials": trials,
                "names": names,
                "options": options,
                "setups": setups,
                "labels": labels,
                "methods": methods,
                "models": models,
                "learned": learned,
            },
        )

    def learned_in(self, trial: str) -> str:
        """A trial if its method learns, else "": episodes of one such trial share a library."""
        known = self.trials.get(trial)
        return trial if known is None or known.learns or known.learner_model else ""

    @cached_property
    def method_order(self) -> dict[str, int]:
        """The place of each method in its job."""
        rows = self.connection.execute(
            "SELECT method FROM stored.trials GROUP BY method ORDER BY min(run), min(seq)"
        ).fetchall()
        return {method: place for place, (method,) in enumerate(rows)}

    def place_of(self, method: str) -> int:
        """The place of a method in its job; methods that no trial knows come last."""
        plain = self.methods.plain.get(method, method)
        return self.method_order.get(plain, len(self.method_order))

    @cached_property
    def simulated_models(self) -> frozenset[str]:
        """Names and labels of the models that are simulated, of agents and learners."""
        rows = self.connection.execute(
            """SELECT t.agent_model FROM episodes e JOIN trials t USING (run, trial) WHERE e.simulated
            UNION SELECT t.learner_model FROM requests r JOIN trials t USING (run, trial) WHERE r.simulated
            UNION SELECT model FROM episodes WHERE simulated
            UNION SELECT model FROM requests WHERE simulated"""
        ).fetchall()
        return frozenset(model for (model,) in rows)

    def is_simulated(self, key: RowKey) -> bool:
        """Whether a row's agent or learner is a simulated model."""
        return bool({key.agent_model, key.learner_model} & self.simulated_models)

    def samples(
        self, by: Sequence[str], phases: Sequence[str] = ("test",)
    ) -> dict[tuple[str, ...], EpisodeSample]:
        """The finished episodes of these phases, grouped by columns of `report_episodes`."""
        columns, listed = ", ".join(by), ", ".join(f"'{phase}'" for phase in phases)
        rows = dictionaries(
            self.connection,
            f"SELECT {columns}, {SAMPLE} FROM report_episodes WHERE phase IN ({listed}) "
            f"GROUP BY {columns} ORDER BY {columns}",
        )
        found = {}
        for row in rows:
            key = tuple(row.pop(name) for name in by)
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
            found[key] = EpisodeSample(**values)
        return found

    @cached_property
    def test_samples(self) -> dict[RowKey, EpisodeSample]:
        """The test episodes of each row."""
        return {RowKey(*key): sample for key, sample in self.samples(RowKey._fields).items()}

    @cached_property
    def unfinished(self) -> dict[RowKey, int]:
        """Test episodes that were to be played and have no result, by row."""
        found: dict[RowKey, int] = defaultdict(int)
        for (trial, label), number in self.unfinished_by_trial.items():
            found[self.trials[trial].row_key._replace(domain=label)] += number
        return dict(found)

    @cached_property
    def unfinished_by_trial(self) -> dict[tuple[str, str], int]:
        """Test episodes that were to be played and have no result, by trial and label of the domain.

        How many were to be played: the number of test tasks (by the trial's own row, by the run's checks, or
        by what trials with the same tests have played) times repeats.
        """
        finished: dict[tuple[str, str], int] = {}
        tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
        for trial, method, label, place, number, hashes in self.connection.execute(
            """SELECT trial, method, domain, place, count(*), list(DISTINCT task_hash) FROM report_episodes
            WHERE phase = 'test' GROUP BY ALL"""
        ).fetchall():
            if trial not in self.trials:
                continue
            tasks[self.trials[trial].tests, place].update(hashes)
            if method == self.trials[trial].method:  # not episodes of a setup that the trial has left
                finished[trial, label] = finished.get((trial, label), 0) + number
        checked = self._checked_tasks()
        found: dict[tuple[str, str], int] = {}
        for known in self.trials.values():
            for name, options in known.test_domains:
                label = self.labels.of_test(known.trial, name, options)
                seen = len(tasks[known.tests, f"{name} {options}"])
                told = max((checked.get((run, known.domain, name), 0) for run in known.runs), default=0)
                planned = max(seen, told) * known.test_repeats
                if len(known.test_domains) == 1 and known.test_episodes is not None:
                    planned = known.test_episodes
                short = planned - finished.get((known.trial, label), 0)
                if short > 0:
                    found[known.trial, label] = short
        return found

    def _checked_tasks(self) -> dict[tuple[str, str, str], int]:
        """Number of test tasks by (run, learned on, tested on), where no domains of a run share a name."""
        rows = self.connection.execute(
            """SELECT run, facts ->> 'learned_on' AS learned_on, facts ->> 'tested_on' AS tested_on,
                   any_value(CAST(facts ->> 'test_tasks' AS INT)) AS tasks
            FROM checks WHERE starts_with(name, 'disjoint') AND (facts ->> 'test_tasks') IS NOT NULL
            GROUP BY ALL HAVING count(DISTINCT facts ->> 'test_tasks') = 1"""
        ).fetchall()
        return {(run, learned_on, tested_on): tasks for run, learned_on, tested_on, tasks in rows}

    @cached_property
    def scores(self) -> list[Score]:
        """Success and progress by row, and over all domains for a method that played several."""
        samples = {key: EpisodeSample() for key in self.unfinished} | self.test_samples
        missing = dict(self.unfinished)
        for key, parts in over_all_domains(samples).items():
            samples[key] = join_samples(samples[part] for part in parts)
            missing[key] = sum(missing.get(part, 0) for part in parts)
        return [self.score(key, samples[key], missing.get(key, 0)) for key in self.ordered(samples)]

    def ordered(self, keys: Iterable[RowKey]) -> list[RowKey]:
        """Domains by name, all of them last; methods in the order of the job."""
        return sorted(
            keys, key=lambda k: (k.domain == ALL, k.domain, k.agent_model, self.place_of(k.method), k)
        )

    def score(self, key: RowKey, sample: EpisodeSample, unfinished: int) -> Score:
        """The numbers of a row."""
        worst, best = bounds(sum(sample.success), len(sample), unfinished)
        return Score(
            key=key,
            simulated=sample.simulated or self.is_simulated(key),
            success=clustered_mean(zip(sample.tasks, sample.success, strict=True)),
            success_of_method=method_mean(sample.by_library(sample.success)),
            progress=clustered_mean(zip(sample.tasks, sample.progress, strict=True)),
            trials=len(set(sample.trials)),
            unfinished=unfinished,
            worst=worst,
            best=best,
            unreadable=sample.unreadable_turns / sum(sample.turns) if any(sample.turns) else math.nan,
            all_turns=sum(sample.turns),
            turns=amount_mean(zip(sample.tasks, sample.turns, strict=True)),
            primitive_steps=amount_mean(zip(sample.tasks, sample.primitive_steps, strict=True)),
        )


def over_all_domains(keys: Iterable[RowKey]) -> dict[RowKey, list[RowKey]]:
    """The row over all domains of each method and pair of models with several domains, and the rows in it."""
    rows: dict[RowKey, list[RowKey]] = defaultdict(list)
    for key in keys:
        rows[key._replace(domain=ALL)].append(key)
    return {key: parts for key, parts in rows.items() if len(parts) > 1}


def _trial_row(row: Mapping[str, Any], method: str) -> TrialRow:
    options = json.loads(row["options"] or "{}")
    tested = options.get("test_domains") or []
    own = (row["domain"], (options.get("domain") or {}).get("options", "{}"))
    return TrialRow(
        trial=row["trial"],
        runs=tuple(row["runs"]),
        method=method,
        domain=row["domain"],
        agent_model=row["agent_model"] or "",
        learner_model=row["learner_model"] or "",
        test_repeats=row["test_repeats"] or 1,
        test_episodes=row["test_episodes"],
        status=row["status"] or "",
        library=row["library"] or "",
        learner=options.get("learner") or "",
        agent=json.dumps(options["agent"], sort_keys=True) if options.get("agent") else "",
        settings=options.get("settings") or {},
        rules=options.get("rules") or {},
        domain_options=own[1],
        test_domains=tuple(dict.fromkeys((one["name"], one["options"]) for one in tested)) or (own,),
        tests=json.dumps((row["domain"], options.get("domain"), tested, options.get("test")), sort_keys=True),
        matched_to=(options.get("match_budget") or {}).get("to", ""),
    )
