"""What was played and what was meant to be, read from the results once for all tables: test episodes by group, unfinished ones counted."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import Interval, bounds, clustered_mean


class Group(NamedTuple):
    """What a row of a table is about."""

    domain: str
    method: str
    agent_model: str
    learner_model: str


class Played(NamedTuple):
    """One finished episode, as far as tables go. `domain` tells apart what the tables tell apart (`Labels`)."""

    run: str
    trial: str
    key: str
    domain: str
    place: str
    """Name and options of the domain."""
    method: str
    agent_model: str
    learner_model: str
    simulated: bool
    library: str
    phase: str
    task_hash: str
    test_repeat: int
    success: bool
    progress: float
    grounding: float
    turns: int
    unreadable_turns: int
    primitive_steps: int
    learned_calls: int
    learned_calls_ok: int
    action_turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None

    @property
    def group(self) -> Group:
        """The row that it counts in."""
        return Group(self.domain, self.method, self.agent_model, self.learner_model)

    @property
    def task(self) -> str:
        """The cluster that it belongs to: a task's hash holds its domain."""
        return self.task_hash


ALL = "all"
"""The domain of rows over all domains."""


@dataclass(frozen=True)
class Score:
    """One row: a method on a domain (or all) with a pair of models. `worst` and `best`: success if all unfinished episodes failed, or succeeded."""

    group: Group
    simulated: bool
    success: Interval
    progress: Interval
    trials: int
    unfinished: int
    worst: float
    best: float
    unreadable: float
    turns: float
    primitive_steps: float


@dataclass(frozen=True)
class Trial:
    """A trial's row. `settings`, `rules` and `test_domains` are from its options; `test_episodes` None where the run did not say."""

    trial: str
    runs: tuple[str, ...]
    method: str
    domain: str
    agent_model: str
    learner_model: str
    test_repeats: int
    test_episodes: int | None
    status: str
    library: str
    learner: str
    settings: Mapping[str, Any]
    rules: Mapping[str, Any]
    domain_options: str
    test_domains: tuple[tuple[str, str], ...]
    """Name and options of each domain that it is tested on."""
    tests: str
    """What decides which tasks are tested: trials with equal `tests` are tested on the same."""
    label: str
    """What the tables call the domain that it learns on."""
    matched_to: str = ""
    """The method whose budget it was given (`match_budget`); "" without a match."""

    @property
    def group(self) -> Group:
        """The row that it counts in where libraries count, not episodes."""
        return Group(self.label, self.method, self.agent_model, self.learner_model)


def trials(connection: Connection) -> dict[str, Trial]:
    """Trials by id. One that several runs share (equal content) is there once, in its most finished state."""
    rows = dictionaries(
        connection,
        "SELECT *, list(run) OVER (PARTITION BY trial ORDER BY run ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS runs "
        "FROM trials QUALIFY row_number() OVER (PARTITION BY trial ORDER BY status <> 'done', run) = 1 ORDER BY run, trial",
    )
    found = {row["trial"]: _trial(row) for row in rows}
    labels = Labels(found)
    return {
        key: replace(trial, label=labels.plain(trial.domain, trial.domain_options))
        for key, trial in found.items()
    }


def _trial(row: Mapping[str, Any]) -> Trial:
    options = json.loads(row["options"] or "{}")
    specs = options.get("test_domains") or []
    own = (row["domain"], (options.get("domain") or {}).get("options", "{}"))
    tested = tuple(dict.fromkeys((spec["name"], spec["options"]) for spec in specs)) or (own,)
    told = json.dumps((row["domain"], options.get("domain"), specs, options.get("test")), sort_keys=True)
    return Trial(
        row["trial"],
        tuple(row["runs"]),
        row["method"],
        row["domain"],
        row["agent_model"] or "",
        row["learner_model"] or "",
        row["test_repeats"] or 1,
        row["test_episodes"],
        row["status"] or "",
        row["library"] or "",
        options.get("learner") or "",
        options.get("settings") or {},
        options.get("rules") or {},
        own[1],
        tested,
        told,
        row["domain"],
        (options.get("match_budget") or {}).get("to", ""),
    )


class Labels:
    """What the tables call a domain: its name; where a name is played with several options, those that differ; and where libraries of several
    origins are tested on it, where each was learned."""

    def __init__(self, known: Mapping[str, Trial]) -> None:
        self._known = known
        options: dict[str, set[str]] = defaultdict(set)
        for trial in known.values():
            for name, given in ((trial.domain, trial.domain_options), *trial.test_domains):
                options[name].add(given)
        self._origins: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        for trial in known.values():
            for place in trial.test_domains if trial.learner not in ("", "none") else ():
                self._origins[place].add((trial.domain, trial.domain_options))
        self._telling = {name: _telling(found) for name, found in options.items()}

    def of(self, trial: str, name: str, options: str) -> str:
        """The label of a domain as played by a trial."""
        label, about = self.plain(name, options), self._known.get(trial)
        if about is None or about.learner in ("", "none"):
            return label
        if len(self._origins[name, options]) < 2:
            return label
        return f"{label}, learned on {self.plain(about.domain, about.domain_options)}"

    def plain(self, name: str, options: str) -> str:
        """The label of a domain with its options, wherever a library that plays there was learned."""
        given = json.loads(options or "{}")
        told = [f"{key} {_short(given[key])}" for key in self._telling.get(name, ()) if key in given]
        return " ".join([name, *told])


def _telling(options: Iterable[str]) -> tuple[str, ...]:
    """Names of options that differ, but for how many tasks there are and which seed they come from."""
    found = [json.loads(text or "{}") for text in options]
    names = sorted({name for given in found for name in given} - {"train", "test", "seed"})
    return tuple(n for n in names if len({json.dumps(g.get(n), sort_keys=True) for g in found}) > 1)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def played(connection: Connection, phases: Sequence[str] = ("test",)) -> list[Played]:
    """Finished episodes of these phases, in a fixed order. An episode that several runs share (equal content) counts once."""
    special = {
        "agent_model": "model AS agent_model",
        "place": "domain || ' ' || COALESCE(domain_options, '{}') AS place",
    }
    columns = ", ".join(special.get(name, name) for name in Played._fields)
    listed = ", ".join(f"'{phase}'" for phase in phases)
    rows = connection.execute(
        f"SELECT {columns} FROM episodes WHERE phase IN ({listed}) "
        "QUALIFY row_number() OVER (PARTITION BY key ORDER BY run) = 1 ORDER BY trial, phase, key"
    ).fetchall()
    labels = Labels(trials(connection))
    found = (Played(*row) for row in rows)
    return [e._replace(domain=labels.of(e.trial, *e.place.split(" ", 1))) for e in found]


def order_of_methods(connection: Connection) -> dict[str, int]:
    """Methods in the order of the job."""
    rows = connection.execute(
        "SELECT method FROM _trials GROUP BY method ORDER BY min(run), min(seq)"
    ).fetchall()
    return {method: place for place, (method,) in enumerate(rows)}


def simulated_models(connection: Connection) -> frozenset[str]:
    """Names of the models that are simulated, of agents and learners."""
    rows = connection.execute(
        "SELECT model FROM episodes WHERE simulated UNION SELECT model FROM requests WHERE simulated"
    ).fetchall()
    return frozenset(model for (model,) in rows)


def unfinished(connection: Connection, episodes: Iterable[Played]) -> dict[Group, int]:
    """Test episodes that were meant to be played and have no result, by group."""
    known = trials(connection)
    missing: dict[Group, int] = defaultdict(int)
    for (trial, label), short in unfinished_by_trial(connection, episodes).items():
        about = known[trial]
        missing[Group(label, about.method, about.agent_model, about.learner_model)] += short
    return dict(missing)


def unfinished_by_trial(connection: Connection, episodes: Iterable[Played]) -> dict[tuple[str, str], int]:
    """Test episodes that were meant to be played and have no result, by trial and label of the domain.

    What was meant: the number of test tasks of a trial (by its own row, by the run's checks, or by what its like have played) times repeats.
    """
    known, checked = trials(connection), _checked(connection)
    labels = Labels(known)
    finished: dict[tuple[str, str], int] = defaultdict(int)
    tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for episode in episodes:
        finished[episode.trial, episode.domain] += 1
        if episode.trial in known:
            tasks[known[episode.trial].tests, episode.place].add(episode.task_hash)
    missing: dict[tuple[str, str], int] = {}
    for trial in known.values():
        for name, options in trial.test_domains:
            label = labels.of(trial.trial, name, options)
            seen = len(tasks[trial.tests, f"{name} {options}"])
            told = max((checked.get((run, trial.domain, name), 0) for run in trial.runs), default=0)
            meant = max(seen, told) * trial.test_repeats
            if len(trial.test_domains) == 1 and trial.test_episodes is not None:
                meant = trial.test_episodes
            short = meant - finished[trial.trial, label]
            if short > 0:
                missing[trial.trial, label] = short
    return missing


def _checked(connection: Connection) -> dict[tuple[str, str, str], int]:
    """Number of test tasks by (run, learned on, tested on), where no two domains of a run share a name."""
    found: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for row in dictionaries(connection, "SELECT run, facts FROM checks WHERE starts_with(name, 'disjoint')"):
        facts = json.loads(row["facts"])
        if isinstance(facts.get("test_tasks"), int):
            found[row["run"], facts["learned_on"], facts["tested_on"]].add(facts["test_tasks"])
    return {place: numbers.pop() for place, numbers in found.items() if len(numbers) == 1}


def scores(connection: Connection, overall: bool = True) -> list[Score]:
    """Success and progress by method and domain; with `overall` also over all domains where a method played several."""
    episodes = played(connection)
    missing = unfinished(connection, episodes)
    groups: dict[Group, list[Played]] = {group: [] for group in missing}
    for episode in episodes:
        groups.setdefault(episode.group, []).append(episode)
    if overall:
        together: dict[Group, list[Group]] = defaultdict(list)
        for group in list(groups):
            together[group._replace(domain=ALL)].append(group)
        for group, parts in together.items():
            if len(parts) > 1:
                groups[group] = [episode for part in parts for episode in groups[part]]
                missing[group] = sum(missing.get(part, 0) for part in parts)
    simulated, place = simulated_models(connection), order_of_methods(connection)

    def order(group: Group) -> tuple[Any, ...]:
        return group.domain == ALL, group.domain, group.agent_model, place.get(group.method, 99), group

    return [score(g, groups[g], missing.get(g, 0), simulated) for g in sorted(groups, key=order)]


def score(group: Group, episodes: Sequence[Played], missing: int, simulated: Container[str]) -> Score:
    """One group's numbers; `simulated` holds the names of models that are."""
    worst, best = bounds(sum(e.success for e in episodes), len(episodes), missing)
    turns = sum(e.turns for e in episodes)
    number = len(episodes) or math.nan
    return Score(
        group,
        any(e.simulated for e in episodes)
        or group.agent_model in simulated
        or group.learner_model in simulated,
        clustered_mean((e.task, e.success) for e in episodes),
        clustered_mean((e.task, e.progress) for e in episodes),
        len({e.trial for e in episodes}),
        missing,
        worst,
        best,
        sum(e.unreadable_turns for e in episodes) / turns if turns else math.nan,
        turns / number,
        sum(e.primitive_steps for e in episodes) / number,
    )
