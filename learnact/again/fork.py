"""`learnact fork`: go on from a recorded turn with another library or model.

    a recorded episode, a turn -> the turns before it, taken over -> the rest, played and paid for now

The forks of a run are a run of their own, which continues like any other. Their episodes have the phase
`survey`: they are never counted as a method's result. The fact `forks` (table `checks`) says of each what it
was forked from and how that went on; `learnact table credit` compares the two (docs/forks.md).
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from learnact.domains import registry
from learnact.driver.runner import open_runner, spending_limits
from learnact.errors import BadInput, suggestion
from learnact.job import Job, load
from learnact.job.preflight import check_price, versions
from learnact.methods.forked import FORKED, ForkedOptions
from learnact.methods.prompt_sections import TEMPLATES
from learnact.methods.registry import find_agent
from learnact.records import AgentSpec, Episode, EpisodeResult, Library, ModelSpec, Outcome, canonical, digest
from learnact.results.location import Location, location_of
from learnact.results.reader import connect_folders, find_run, load_library
from learnact.results.recorded import FORK_OF, RecordedRun
from learnact.results.store import RunStore
from learnact.runners.calls import MeteredCallLog, spent_so_far
from learnact.runners.resume import CommittingRunner

FORKS = "forks"
"""The name of the fact that tells what was forked."""
FREE_SETTINGS = ("limits", "cluster")
"""Parts of a job that change no result."""
EMPTY = "empty"
"""The name of the empty library."""


@dataclass(frozen=True)
class ForkChange:
    """What is other after the fork: the library ("" for the recorded one), one action left out, the model."""

    library: str = ""
    without: str = ""
    model: str = ""

    @property
    def shown(self) -> str:
        """For people and tables."""
        parts = [
            self.library and f"library {self.library[:12]}",
            self.without and f"without {self.without}",
            self.model and f"model {self.model}",
        ]
        return ", ".join(filter(None, parts)) or "unchanged"


@dataclass(frozen=True)
class Fork:
    """An episode that goes on from a recorded turn, beside its record."""

    unit: Episode
    turn: int
    recorded: Outcome


@dataclass(frozen=True)
class ForkSummary:
    """What came of forks: their run, each with its result (None: none; `failures` says why, by key)."""

    run: str
    folder: Location
    forks: tuple[tuple[Fork, EpisodeResult | None], ...]
    calls: int
    failures: Mapping[str, str] = field(default_factory=dict)


def fork(
    run: str,
    episode: str = "",
    turn: int | None = None,
    change: ForkChange = ForkChange(),
    *,
    results: str | Location = Path("results"),
    address: str | None = None,
    settings: Sequence[str] = (),
) -> ForkSummary:
    """Go on from a turn of an episode; without an episode, from the first call of the action that is left
    out, in every test episode that calls it.

    Args:
        run: a run (see `find_run`).
        episode: the key of an episode, or the beginning of it.
        turn: the first turn that is played anew, from 0; None for the first call of `change.without`.
        change: what is other from there.
        results: the folder where runs are kept.
        address: as for `learnact run`.
        settings: `limits...=VALUE` or `cluster...=VALUE` over those of the recorded job; the limits are of
            the forks' run, all its sessions together.

    Raises:
        BadInput: there is no such run, episode, turn, library, action or model, or a setting is another one.
    """
    for setting in settings:
        if setting.partition("=")[0].partition(".")[0].strip() not in FREE_SETTINGS:
            raise BadInput(
                f"--set {setting}: a fork takes {' and '.join(FREE_SETTINGS)} only, which change no result"
            )
    record = RecordedRun(find_run(results, run).folder)
    job = load(record.job, settings)
    chosen = [record.episode(episode)] if episode else _callers(record, change)
    forks = [_forked(record, job, outcome, turn, change) for outcome in chosen]
    for model in [f.unit.model for f in forks if f.unit.model is not None]:
        check_price(job, model)
    return asyncio.run(_play(record, job, forks, change, location_of(results), address))


def _callers(record: RecordedRun, change: ForkChange) -> list[Outcome]:
    """The test episodes that call the action."""
    if not change.without:
        raise BadInput("name an episode, or with --without the action that is to be left out")
    seen: Counter[str] = Counter()
    found = []
    for trial in record.trials():
        for outcome in record.outcomes(trial.id):
            if isinstance(outcome.unit, Episode) and isinstance(outcome.result, EpisodeResult):
                called = [t.callee for t in outcome.result.turns if t.learned]
                seen.update(called)
                if outcome.unit.phase == "test" and change.without in called:
                    found.append(outcome)
    if not found:
        raise BadInput(f"no test episode calls {change.without!r}; {suggestion(change.without, list(seen))}")
    return found


def _forked(record: RecordedRun, job: Job, outcome: Outcome, turn: int | None, change: ForkChange) -> Fork:
    unit, result = outcome.unit, outcome.result
    assert isinstance(unit, Episode)
    assert isinstance(result, EpisodeResult)
    agent = find_agent(unit.agent.name)
    if agent.open_loop or agent is FORKED or unit.model is None:
        why = "it has no turns in which a model goes on"
        raise BadInput(f"an episode of the agent {unit.agent.name} cannot be forked: {why}")
    if unit.opponent is not None:
        raise BadInput(
            f"episode {outcome.key[:12]} was played against a second model ({unit.opponent.label}), whose "
            "replies to other moves are not recorded, so it cannot be forked"
        )
    if turn is None:
        turn = next((t.index for t in result.turns if t.learned and t.callee == change.without), 0)
    if not 0 <= turn <= len(result.turns):
        raise BadInput(f"episode {outcome.key[:12]} has the turns 0 to {len(result.turns) - 1}, not {turn}")
    options = ForkedOptions(
        agent=unit.agent.name,
        agent_options=unit.agent.options,
        episode=outcome.key,
        turns=result.turns[:turn],
    )
    domain = registry.build(unit.domain)
    label = f"{unit.method} [fork: {change.shown}]"
    forked = replace(
        unit,
        trial=digest("fork", unit.trial, dataclasses.asdict(change)),
        method=label,
        phase="survey",
        agent=AgentSpec(FORKED.name, canonical(options.model_dump(mode="json"))),
        library=_library(record, unit.library, change),
        model=_model(job, unit, change.model),
        prompts=TEMPLATES.hash,
        versions=domain.version,
    )
    return Fork(forked, turn, outcome)


def _library(record: RecordedRun, recorded: Library, change: ForkChange) -> Library:
    """The library after the fork."""
    library = recorded
    if change.library == EMPTY:
        library = Library()
    elif change.library:
        with connect_folders([record.info.folder]) as connection:
            library = load_library(connection, change.library)
    return without_action(library, change.without) if change.without else library


def without_action(library: Library, name: str) -> Library:
    """The library without one of its actions, and without a usage example that calls it.

    Raises `BadInput` where there is no such action, or another one calls it.
    """
    if library.action(name) is None:
        raise BadInput(
            f"library {library.id[:12]} has no action {name!r}; {suggestion(name, _names(library))}"
        )
    left = tuple(action for action in library.actions if action.name != name)
    called = re.compile(rf"\b{re.escape(name)}\s*\(")
    callers = [action.name for action in left if called.search(action.source)]
    if callers:
        raise BadInput(f"{name} cannot be left out: {', '.join(callers)} calls it")
    example = "" if called.search(library.usage_example) else library.usage_example
    smaller = replace(library, actions=left, usage_example=example)
    return smaller if left else Library(lessons=library.lessons)


def _names(library: Library) -> list[str]:
    return [action.name for action in library.actions]


def _model(job: Job, unit: Episode, name: str) -> ModelSpec | None:
    """The model that plays on, with its place: the job's model of that name, or the recorded one."""
    trials = job.trials()
    # Agents' models come last: a learner's model of the same name may have other parameters.
    models = [*(t.learner_model for t in trials), *(t.agent_model for t in trials)]
    known = {m.shown: m for m in models}
    if not name:
        same = [m for m in models if unit.model and m.fingerprint == unit.model.fingerprint]
        if not same:
            raise BadInput(
                f"the job of this run no longer has the model of episode {unit.key[:12]}; name one"
            )
        return same[-1]
    if name in known:
        return known[name]
    simulated = next((m for m in known.values() if m.simulated), None)
    if simulated is not None and name.startswith("sim-"):
        return replace(simulated, name=name, label="")
    raise BadInput(f"the job of this run has no model {name!r}; {suggestion(name, known)}")


async def _play(
    record: RecordedRun,
    job: Job,
    forks: Sequence[Fork],
    change: ForkChange,
    results: Location,
    address: str | None,
) -> ForkSummary:
    name = f"{record.info.name}-fork"
    run = digest("forks", record.info.run, sorted(f.unit.key for f in forks))
    told: dict[str, Any] = {"name": name, FORK_OF: record.info.run, "change": change.shown}
    store = RunStore.open(results, run, name, told, {**told, "job": job.resolved()}, versions())
    found: dict[str, EpisodeResult] = {}
    failures: dict[str, str] = {}
    event = "interrupted"
    try:
        store.check(FORKS, [_fact(f, record, change) for f in forks])
        for trial, members in _by_trial(forks).items():
            store.trial(trial, _trial_row(members, "running"))
        async with AsyncExitStack() as stack:
            calls = MeteredCallLog(
                store,
                spending_limits(job),
                spent_so_far(store.folder),
                lambda failure: runner.stop(failure),
            )
            runner = CommittingRunner(
                lambda: stack.enter_async_context(open_runner(job, address, calls)),
                store,
                refuse=lambda: calls.failure,
            )
            stack.callback(calls.close)
            calls.begin()
            async for outcome in runner.run([f.unit for f in forks]):
                if isinstance(outcome.result, EpisodeResult):
                    found[outcome.key] = outcome.result
                elif outcome.attempts:
                    failures[outcome.key] = outcome.attempts[-1].error
        for trial, members in _by_trial(forks).items():
            done = all(f.unit.key in found for f in members)
            store.trial(trial, _trial_row(members, "done" if done else "unfinished"))
        event = "finished" if len(found) == len({f.unit.key for f in forks}) else "unfinished"
        pairs = tuple((f, found.get(f.unit.key)) for f in forks)
        return ForkSummary(run, store.folder, pairs, store.counters.calls, failures)
    finally:
        await store.close(event)


def _by_trial(forks: Sequence[Fork]) -> dict[str, list[Fork]]:
    groups: dict[str, list[Fork]] = {}
    for one in forks:
        groups.setdefault(one.unit.trial, []).append(one)
    return groups


def _fact(one: Fork, record: RecordedRun, change: ForkChange) -> dict[str, Any]:
    """What the run keeps of a fork: what it was forked from, and how that went on."""
    unit, result = one.unit, one.recorded.result
    source = one.recorded.unit
    assert isinstance(result, EpisodeResult)
    assert isinstance(source, Episode)
    return {
        "key": unit.key,
        "run": record.info.run,
        "episode": one.recorded.key,
        "turn": one.turn,
        "change": change.shown,
        "without": change.without,
        "method": source.method,
        "domain": source.domain.name,
        "task": source.task.hash,
        "trial": source.trial,
        "success": result.success,
        "progress": result.progress,
        "turns": len(result.turns),
        "simulated": bool(unit.model and unit.model.simulated),
    }


def _trial_row(members: Sequence[Fork], status: str) -> dict[str, Any]:
    unit = members[0].unit
    return {
        "method": unit.method,
        "domain": unit.domain.name,
        "agent_model": unit.model.shown if unit.model else "",
        "learner_model": unit.learner_model,
        "learn_repeat": unit.learn_repeat,
        "test_repeats": 0,
        "test_episodes": 0,
        "seed": 0,
        "status": status,
        "reason": "",
        "library": unit.library.id,
        "options": canonical({"episodes": sorted(f.recorded.key for f in members)}),
    }
