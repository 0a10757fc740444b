"""Everything that can be refused before anything starts, and what a run is about to do: domains, tasks,
agents, learners, libraries.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from learnact.domains import registry
from learnact.domains.base import OwnFunctionExample
from learnact.domains.disjoint import check_disjoint
from learnact.errors import BadInput, JobError, LearnactError, suggestion
from learnact.job import Job, libraries, opponents, run_id
from learnact.job.domains import DOMAIN_KEYS, domain_spec, families
from learnact.job.schema import DomainConfig
from learnact.methods.registry import find_agent, find_learner
from learnact.records import DomainSpec, Library, ModelSpec, Plain, Task, digest
from learnact.records.trials import TrialSpec
from learnact.results.location import Location
from learnact.sandbox.seccomp import missing
from learnact.trial import budget_key, planned_episodes, test_tasks


@dataclass(frozen=True)
class Preflight:
    """What a run is about to do.

    `run` is its id; `test_episodes` counts the tests of the libraries that the trials end with; `libraries`
    are those given instead of learned, by the trial's id.
    """

    run: str
    trials: tuple[TrialSpec, ...]
    test_episodes: int
    checks: Mapping[str, Plain] = field(default_factory=dict)
    libraries: Mapping[str, Library] = field(default_factory=dict)


def preflight(job: Job, results: Location) -> Preflight:
    """Check a job against what is installed and lies on disk.

    Raises:
        JobError: a domain, its options, a method or a combination of them cannot be used; names file, line
        and key.
        BadInput: a task source or a library cannot be read.
    """
    _check_domains(job)
    grid = job.trials(libraries.trained_trials(job, results))
    trials, made_elsewhere = libraries.read(job, map(_with_version, grid), results)
    trials, made_elsewhere = opponents.seat(job, trials, made_elsewhere, results)
    for index, entry in enumerate(job.methods):
        for trial in (t for t in trials if t.method == entry.name):
            try:
                _check_method(trial)
            except JobError as error:
                raise job.error(("methods", index), str(error)) from None
    _check_plans(job, trials)
    _check_matches(job, trials)
    _check_prices(job, trials)
    episodes = sum(planned_episodes(trial) for trial in trials)
    return Preflight(run_id(trials), trials, episodes, _disjoint(trials), made_elsewhere)


def _check_domains(job: Job) -> None:
    _check_families(job)
    for part in DOMAIN_KEYS:
        for index, entry in enumerate(getattr(job, part) or ()):
            spec = domain_spec(job, entry)
            _check_options(job, (part, index), entry, spec)
            try:
                domain = registry.build(spec)
                for split in ("train", "test"):
                    if not domain.tasks(split):
                        raise BadInput(f"{entry.name} has no {split} tasks as configured")
            except LearnactError as error:
                raise job.error((part, index), str(error)) from None


def _check_options(job: Job, place: tuple[str, int], entry: DomainConfig, spec: DomainSpec) -> None:
    """A domain's options, told at the line of the option that is wrong."""
    try:
        model = registry.options_model(spec.name)
    except LearnactError as error:
        raise job.error(place, str(error)) from None
    if model is None:
        return
    try:
        model.model_validate(json.loads(spec.options))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "extra_forbidden":
            told = f"{spec.name} has no such option; {suggestion(str(first['loc'][-1]), model.model_fields)}"
        else:
            told = first["msg"].removeprefix("Value error, ")
            told += "" if first["type"] == "value_error" else f", not {first['input']!r}"
        raise job.error(
            (*_given_at(job, place, entry, str(first["loc"][0])), *first["loc"][1:]), told
        ) from None


def _given_at(job: Job, place: tuple[str, int], entry: DomainConfig, option: str) -> tuple[str | int, ...]:
    """Where a domain's option was set: at the domain, or in `domain_options`."""
    if option not in (entry.model_extra or {}):
        for family in reversed(families(job, entry.name)):
            if option in job.domain_options[family]:
                return ("domain_options", family, option)
    return (*place, option)


def _check_families(job: Job) -> None:
    """Options of domains that the job does not have change nothing; a preset's wait for a job that has
    them.
    """
    names = {e.name for part in DOMAIN_KEYS for e in getattr(job, part) or ()}
    used = {family for name in names for family in families(job, name)}
    for family in job.domain_options.keys() - used:
        place = ("domain_options", family)
        if not job.where(place).startswith("preset"):
            raise job.error(
                place,
                f"no domain of this job is called {family} or {family}-...; {suggestion(family, names)}",
            )


def _check_method(trial: TrialSpec) -> None:
    learner, agent = find_learner(trial.learner.name), find_agent(trial.agent.name)
    other_library = bool(trial.library) and trial.trained is None
    runs_code = other_library or agent.writes_code or learner.writes_code
    if runs_code and trial.rules.sandbox == "confined" and (why := missing()):
        raise JobError(
            f"{trial.label} runs code that a model writes, and this machine cannot confine it: {why}. "
            "`learnact doctor` says more; code that you trust runs with `rules: {sandbox: trusted}`"
        )
    if learner.writes_code and trial.learns and trial.rules.learner_example == "same_domain":
        domain = registry.build(trial.domain)
        if not isinstance(domain, OwnFunctionExample) or domain.own_function_example is None:
            raise JobError(
                f"learner_example: same_domain needs a worked function of {trial.domain.name} (`function` in "
                "its table of sentences); it has none, so use other_world"
            )
    if trial.learns and (
        why := learner.problem(learner.options_of(trial.learner), registry.build(trial.domain))
    ):
        raise JobError(f"{trial.label} on {trial.domain.name}: {why}")
    if agent.open_loop:
        for spec in trial.test_domains:
            if registry.build(spec).profile.explores:
                raise JobError(
                    f"{trial.agent.name} writes one program before it has seen anything, and {spec.name} "
                    "must be "
                    "explored; leave one of the two out"
                )


def _check_plans(job: Job, trials: tuple[TrialSpec, ...]) -> None:
    """Turns that follow from reference plans need a plan for every task that is played."""
    played: dict[tuple[str, DomainSpec], tuple[str, Sequence[Task]]] = {}
    for trial in trials:
        if trial.learns and trial.learn_budget.by_plan:
            tasks = registry.build(trial.domain).tasks("train")
            played["learn", trial.domain] = (str(trial.learn_budget.turns), tasks)
        for spec in trial.test_domains if trial.test_budget.by_plan else ():
            played["test", spec] = (str(trial.test_budget.turns), test_tasks(trial, spec))
    for (phase, spec), (turns, tasks) in played.items():
        if without := [task.name for task in tasks if task.reference is None]:
            raise job.error(
                f"budget.{phase}.turns",
                f"{turns} needs a reference plan for each task, and {spec.name} has none for {len(without)} "
                f"of {len(tasks)} ({without[0]}); give a number of turns",
            )


def _with_version(trial: TrialSpec) -> TrialSpec:
    """The trial with the versions of its domains in its identity: their texts and engines decide its
    results.
    """
    domains = [registry.build(spec).version for spec in (trial.domain, *trial.test_domains)]
    return replace(trial, version=digest(trial.version, domains))


def _check_prices(job: Job, trials: tuple[TrialSpec, ...]) -> None:
    """A limit in dollars holds only for models with prices."""
    for trial in trials:
        seated = [opponent.model for _, opponent in trial.opponents]
        for model in (trial.agent_model, *([trial.learner_model] if trial.learns else []), *seated):
            check_price(job, model)


def check_price(job: Job, model: ModelSpec) -> None:
    """Refuse a model without prices where there is a limit in dollars. Raises `JobError`."""
    free = model.simulated or model.local
    priced = None not in (model.prices.prompt, model.prices.completion)
    if job.limits.dollars is not None and not free and not priced:
        raise job.error(
            "limits.dollars",
            f"model {model.name} has no prices (prompt, completion), so its cost cannot be bounded",
        )


def _check_matches(job: Job, trials: tuple[TrialSpec, ...]) -> None:
    """A budget can be matched only to a trial that learns, on the same domain, with the same models, seed
    and repeat.
    """
    given = job.match_budget
    if given is not None and not any(t.match_budget for t in trials):
        learns = any(t.learns and t.base_label == given.to for t in trials)
        why = "no other method of the job can spend more" if learns else f"{given.to!r} learns nothing here"
        raise job.error(
            "match_budget.to", f"{why}; name a method that learns, beside others, or leave match_budget out"
        )
    learning = Counter(budget_key(t, t.base_label) for t in trials if t.learns and t.match_budget is None)
    for trial in trials:
        match = trial.match_budget
        beside = learning[budget_key(trial, match.to)] if match is not None else 1
        if match is not None and beside != 1:
            many = "more than one learning trial" if beside else "no learning trial"
            raise job.error(
                "match_budget.to",
                f"{trial.label} on {trial.domain.name} (repeat {trial.learn_repeat}) has {many} of "
                f"{match.to!r} beside it; "
                "name a method that learns and whose own settings and rules are not lists",
            )


def _disjoint(trials: tuple[TrialSpec, ...]) -> dict[str, Plain]:
    """For each pair of training and test domain: that no test task equals a training task or the worked
    example, by hash.
    """
    rows: dict[str, Plain] = {}
    for trial in trials:
        learned_on = registry.build(trial.domain)
        for spec in trial.test_domains:
            name = f"disjoint {trial.domain.name} {spec.name} {trial.test}"
            if name not in rows:
                example = getattr(registry.build(spec), "example_task", None)
                found = check_disjoint(learned_on.tasks("train"), test_tasks(trial, spec), example)
                rows[name] = {"learned_on": trial.domain.name, "tested_on": spec.name, **found.plain()}
    return rows


def versions() -> dict[str, str]:
    """What the results depend on, for the record: learnact, Python, packages, git revision with a mark for
    local changes.
    """
    packages = ("learnact", "ray", "openai", "pyarrow", "duckdb", "alfworld", "textworld")
    found = {name: _version(name) for name in packages}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version for name, version in found.items() if version},
        "git": _git(),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _git() -> str:
    """Revision of the checkout that runs, with "+changes" where it has local changes; "" outside a
    checkout.
    """
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+changes"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
