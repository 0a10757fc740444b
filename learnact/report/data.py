"""What all tables are made of, read once: trials, test episodes in groups, unfinished episodes.

Grouping is done in SQL, on the temporary table `report_episodes`: test episodes (phases `test` and `survey`),
each once although several runs may share it, with the label that the tables give to its domain. What a group
holds: samples.py.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from learnact.report.domain_labels import DomainLabels
from learnact.report.method_labels import MethodLabels
from learnact.report.samples import (
    ALL,
    EpisodeSample,
    RowKey,
    Score,
    TrialRow,
    join_samples,
    over_all_domains,
    trial_row,
)
from learnact.results.location import Location
from learnact.results.reader import Connection, dictionaries
from learnact.statistics.amounts import amount_mean
from learnact.statistics.intervals import bounds, clustered_mean, method_mean

__all__ = [
    "ALL",
    "EpisodeSample",
    "ReportData",
    "RowKey",
    "Score",
    "TrialRow",
    "join_samples",
    "over_all_domains",
]

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
        return {row["trial"]: trial_row(row, labels[row["trial"]]) for row in rows}

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
