"""What `learnact compare` compares: two sides, each a method, a model or a run, and whether they can be.

A side is a name. `learnact` is a method (or variant, as the job labels it) of the runs at hand, or a model,
or a run; `RUN:NAME` is a method or model of a run. What neither side names must be the same on both: methods
are compared with the same models, models with the same method, runs with both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from learnact.errors import ResultsError, suggestion
from learnact.report.data import ReportData
from learnact.report.method_labels import facts_of_setups
from learnact.results.location import Location
from learnact.results.reader import dictionaries, find_run

SideKind = Literal["method", "agent model", "learner model", "run"]
Reason = Literal["tasks", "budgets", "prompts", "versions", "parameters", "settings"]
REASONS: tuple[Reason, ...] = ("tasks", "budgets", "prompts", "versions", "parameters", "settings")
SHOWN = 4
"""Differences of one kind that a refusal lists."""
EPISODES = """
SELECT e.key, e.trial, e.domain, e.place, e.method, e.agent_model, coalesce(e.learner_model, '') AS
       learner_model, e.learned, e.task_hash, e.seed, e.simulated, coalesce(e.setup, '') AS setup,
       coalesce(e.model_returned, '') AS model_returned, CAST(e.success AS DOUBLE) AS success, e.progress,
       CAST(e.turns AS DOUBLE) AS turns, CAST(e.prompt_tokens + e.completion_tokens AS DOUBLE) AS tokens,
       e.cost AS dollars, held.runs
FROM report_episodes e
JOIN (SELECT key, list(DISTINCT run) AS runs FROM episodes GROUP BY key) held USING (key)
WHERE e.phase = 'test' ORDER BY e.trial, e.key
"""


class SideGroup(NamedTuple):
    """The episodes of a side that are compared together: those of one method and one pair of models."""

    method: str
    agent_model: str
    learner_model: str


@dataclass(frozen=True)
class ComparedSide:
    """One side: its name as given, what kind of thing it names, and its finished test episodes by group."""

    name: str
    kind: SideKind
    groups: Mapping[SideGroup, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class SideName:
    """A side as a person wrote it, and the runs (by id) that it is of."""

    text: str
    runs: tuple[str, ...]
    name: str | None
    """Method or model; None for a whole run."""


def read_names(
    results: Location, texts: Sequence[str], at_hand: Sequence[str], known: Collection[str]
) -> list[SideName]:
    """The sides by name. `at_hand`: ids of runs; `known`: names of methods and models in these.

    Raises `ResultsError` for a name of nothing.
    """
    found = []
    for text in texts:
        run, colon, name = text.partition(":")
        if text in known:
            found.append(SideName(text, tuple(at_hand), text))
        elif colon and _is_run(results, run):
            found.append(SideName(text, (find_run(results, run).run,), name))
        elif _is_run(results, text):
            found.append(SideName(text, (find_run(results, text).run,), None))
        else:
            raise ResultsError(
                f"{text!r} is no method or model of the run at hand, and no run; "
                f"{suggestion(text, known, near=0.4)}; --run names another run, and RUN:METHOD a method of it"
            )
    return found


def _is_run(results: Location, text: str) -> bool:
    try:
        find_run(results, text)
    except ResultsError:
        return False
    return bool(text)


def names_of(data: ReportData) -> set[str]:
    """Names of methods and models in the results."""
    trials = data.trials.values()
    methods = {name for trial in trials for name in (trial.method, data.methods.plain.get(trial.method, ""))}
    models = {name for trial in trials for name in (trial.agent_model, trial.learner_model)}
    return (methods | models) - {""}


def read_sides(data: ReportData, names: Sequence[SideName]) -> list[ComparedSide]:
    """The episodes of each side. Raises `ResultsError` for one that has none."""
    episodes = dictionaries(data.connection, EPISODES)
    found = []
    several = len({run for name in names for run in name.runs}) > 1
    for name in names:
        own = [e for e in episodes if not several or set(name.runs) & set(e["runs"])]
        kind, kept = _named(data, own, name.name)
        if not kept:
            known = sorted({data.methods.plain.get(e["method"], e["method"]) for e in own})
            raise ResultsError(
                f"{name.text!r} has no finished test episode here; there are: {', '.join(known) or 'none'}"
            )
        groups: dict[SideGroup, list[Mapping[str, Any]]] = defaultdict(list)
        for episode in kept:
            key = SideGroup(episode["method"], episode["agent_model"], episode["learner_model"])
            groups[key].append(episode)
        found.append(ComparedSide(name.text, kind, dict(groups)))
    return found


def _named(
    data: ReportData, episodes: Sequence[dict[str, Any]], name: str | None
) -> tuple[SideKind, list[dict[str, Any]]]:
    if name is None:
        return "run", list(episodes)
    plain = data.methods.plain
    tests: tuple[tuple[SideKind, Any], ...] = (
        ("method", lambda e: e["method"] == name),
        ("method", lambda e: plain.get(e["method"], e["method"]) == name),
        ("agent model", lambda e: e["agent_model"] == name),
        ("learner model", lambda e: e["learner_model"] == name),
    )
    for kind, wanted in tests:
        if kept := [episode for episode in episodes if wanted(episode)]:
            return kind, kept
    return "method", []


def matched_groups(
    data: ReportData, first: ComparedSide, second: ComparedSide
) -> list[tuple[SideGroup, SideGroup]]:
    """The groups to compare: equal in what neither side names. Raises `ResultsError` where there are none."""
    named = {first.kind, second.kind}
    found = [(a, b) for a in first.groups for b in second.groups if _match(data, a, b, named)]
    if not found:
        raise ResultsError(
            f"{first.name} and {second.name} cannot be compared: "
            f"{first.name} has {_told(first.groups)}; {second.name} has {_told(second.groups)}; methods are "
            "compared with the same models, models with the same method, and runs with both"
        )
    return found


def _match(data: ReportData, a: SideGroup, b: SideGroup, named: set[SideKind]) -> bool:
    plain = data.methods.plain
    same_method = plain.get(a.method, a.method) == plain.get(b.method, b.method)
    same_agent = a.agent_model == b.agent_model
    same_learner = a.learner_model == b.learner_model or not (a.learner_model and b.learner_model)
    if named <= {"agent model"}:
        return same_method
    if named <= {"learner model"}:
        return same_method and same_agent
    if "method" in named:
        return same_agent and same_learner
    return same_method and same_agent and same_learner


def _told(groups: Iterable[SideGroup]) -> str:
    return ", ".join(f"{g.method} with {g.agent_model or 'no model'}" for g in groups)


# Are they comparable? ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Obstacle:
    """Why two groups are not comparable: a kind of reason, and what differs."""

    reason: Reason | None
    """None: no obstacle, but what is compared."""
    text: str


def obstacles(
    data: ReportData,
    first: Sequence[Mapping[str, Any]],
    second: Sequence[Mapping[str, Any]],
    compared: Collection[SideKind],
) -> list[Obstacle]:
    """What differs between two groups of episodes: with a reason, what was not asked for."""
    found: list[Obstacle] = []
    tasks = [{e["task_hash"] for e in side} for side in (first, second)]
    both = tasks[0] & tasks[1]
    if not both:
        found.append(
            Obstacle("tasks", f"no task in common ({len(tasks[0])} against {len(tasks[1])} other tasks)")
        )
    facts = facts_of_setups(data.connection)
    places = sorted({e["place"] for e in first} & {e["place"] for e in second})
    told: dict[Reason | None, list[str]] = defaultdict(list)
    for place in places:
        one, two = (_facts(facts, [e for e in side if e["place"] == place]) for side in (first, second))
        for name in sorted(one.keys() & two.keys()):
            reason = _reason(name, compared)
            if one[name] != two[name]:
                text = f"{name}: {_values(one[name])} against {_values(two[name])}"
                if text not in told[reason]:
                    told[reason].append(text)
    for reason, texts in told.items():
        more = f", and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
        found.append(Obstacle(reason, "; ".join(texts[:SHOWN]) + more))
    if "agent model" not in compared:
        answered = [{e["model_returned"] for e in side if e["model_returned"]} for side in (first, second)]
        if all(answered) and answered[0] != answered[1]:
            text = f"model as the server named it: {_values(answered[0])} against {_values(answered[1])}"
            found.append(Obstacle("versions", text))
    return found


def _facts(
    facts: Mapping[tuple[str, str], Mapping[str, str]], episodes: Iterable[Mapping[str, Any]]
) -> dict[str, set[str]]:
    """The values of each fact over these episodes."""
    found: dict[str, set[str]] = defaultdict(set)
    for setup in {(e["trial"], e["setup"]) for e in episodes}:
        for name, value in facts.get(setup, {}).items():
            found[name].add(value)
    return found


def _reason(name: str, compared: Collection[SideKind]) -> Reason | None:
    """What a fact that differs is called; None where it may differ, being what is compared."""
    head = name.partition(".")[0]
    reasons: dict[str, Reason] = {
        "budget": "budgets",
        "prompts": "prompts",
        "versions": "versions",
        "model": "parameters",
    }
    if head in reasons:
        return reasons[head]
    if "method" in compared or "run" in compared or head in ("learn_budget", "test_budget"):
        return None
    return "settings"


def _values(values: Iterable[str]) -> str:
    return ", ".join(sorted(value.strip('"')[:40] for value in values))
