"""Who takes the other seat where a domain is played by two: a second model of the job, or the job's players
among themselves.

A domain's options say which (`learnact.domains.base.OpponentChoice`); models are looked up among those of the
job. Covers no move: that is `learnact.domains.two_seats` and the worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from learnact.domains import registry
from learnact.domains.base import OpponentChoice, TwoSeats
from learnact.errors import JobError, suggestion
from learnact.job import Job
from learnact.job.domains import DOMAIN_KEYS, domain_spec
from learnact.job.endpoint_limits import agent_models, learner_models, opponent_models
from learnact.job.libraries import named_library
from learnact.methods import registry as methods
from learnact.methods.base import Agent, Method
from learnact.methods.no_learning import NO_LEARNING
from learnact.records import AgentSpec, DomainSpec, Library, ModelSpec, Opponent, Plain, canonical
from learnact.records.trials import TrialSpec
from learnact.results.location import Location

SAME = "same"
"""The library of an opponent that has the agent's own."""


def seat(
    job: Job, trials: Sequence[TrialSpec], libraries: Mapping[str, Library], results: Location
) -> tuple[tuple[TrialSpec, ...], dict[str, Library]]:
    """The trials with their opponents, and the libraries that they are given under their new ids.

    Raises:
        JobError: an opponent's model, method or library cannot be used, or there is nobody to play against.
        LibraryError: its library file cannot be used.
    """
    chosen = {spec: _choice(spec) for trial in trials for spec in (trial.domain, *trial.test_domains)}
    if not any(chosen.values()):
        return tuple(trials), dict(libraries)
    known = _known_models(job)
    seated, given = [], {}
    for trial in trials:
        found: list[tuple[DomainSpec, Opponent]] = []
        for spec in dict.fromkeys((trial.domain, *trial.test_domains)):
            choice = chosen[spec]
            if choice is None:
                continue
            if choice.model:
                others = [_second_model(job, trial, spec, choice, known, results=results)]
            else:
                others = _players(job, trial, spec, trials, libraries)
            found += ((spec, other) for other in others)
        new = replace(trial, opponents=tuple(found))
        if trial.id in libraries:
            given[new.id] = libraries[trial.id]
        seated.append(new)
    return tuple(seated), given


def seated(trial: TrialSpec) -> dict[str, list[dict[str, Plain]]]:
    """The opponents of a trial for its record; {} where it has none."""
    told: list[dict[str, Plain]] = [
        {
            "domain": spec.name,
            "method": one.label,
            "model": one.model.shown,
            "library": SAME if one.shares else one.library.id,
        }
        for spec, one in trial.opponents
    ]
    return {"opponents": told} if told else {}


def _choice(spec: DomainSpec) -> OpponentChoice | None:
    domain = registry.build(spec)
    return domain.second if isinstance(domain, TwoSeats) else None


def _place(job: Job, spec: DomainSpec) -> tuple[str | int, ...]:
    """Where the job names the opponent of a domain."""
    for part in DOMAIN_KEYS:
        for index, entry in enumerate(getattr(job, part) or ()):
            if entry.name == spec.name and domain_spec(job, entry) == spec:
                own = (entry.model_extra or {}).get("opponent")
                return (part, index, *(("opponent",) if own is not None else ()))
    return ()


def _known_models(job: Job) -> dict[str, ModelSpec]:
    """The models of the job by what tables call them; opponents first, then those that act."""
    source = job.source
    variants = [*opponent_models(job, source), *agent_models(job, source)]
    variants += learner_models(job, source, asked=False)
    found: dict[str, ModelSpec] = {}
    for variant in variants:
        found.setdefault(variant.value.shown, variant.value)
    return found


def _second_model(
    job: Job,
    trial: TrialSpec,
    spec: DomainSpec,
    choice: OpponentChoice,
    known: Mapping[str, ModelSpec],
    *,
    results: Location,
) -> Opponent:
    place = _place(job, spec)
    if choice.model not in known:
        near = suggestion(choice.model, known)
        raise job.error(place, f"the job has no model {choice.model!r}; {near} (models.opponent adds some)")
    method = _method(job, place, choice.method)
    agent = AgentSpec(method.agent.name, canonical(method.agent.options().model_dump(mode="json")))
    _check_agent(job, place, method.agent, trial, library=choice.library)
    library, shares = Library(), choice.library == SAME
    if choice.library and not shares:
        library = named_library(job, place, choice.library, spec, results)
    model = method.agent.model(known[choice.model])
    return Opponent(method.name, agent, model, library, shares=shares, version=_version(agent))


def _method(job: Job, place: tuple[str | int, ...], name: str) -> Method:
    try:
        return methods.METHODS.find(name)
    except JobError as error:
        raise job.error(place, str(error)) from None


def _version(agent: AgentSpec) -> str:
    return methods.version(agent, NO_LEARNING.spec(NO_LEARNING.options()))


def _check_agent(
    job: Job, place: tuple[str | int, ...], agent: Agent[Any], trial: TrialSpec, *, library: str
) -> None:
    """Refuse an agent that cannot play turn by turn, in the job's form of actions, with its library."""
    form, why = trial.rules.action_format, ""
    if agent.open_loop:
        why = "decides everything before it has seen a move"
    elif form not in agent.action_formats:
        why = f"cannot play with action_format {form!r}"
    elif library and not agent.accepts_library:
        why = "cannot be given learned actions"
    if why:
        told = f"the agent {agent.name} {why}, so it cannot be an opponent"
        raise job.error(place, f"{told}; name another method")


def _players(
    job: Job,
    trial: TrialSpec,
    spec: DomainSpec,
    trials: Sequence[TrialSpec],
    libraries: Mapping[str, Library],
) -> list[Opponent]:
    """Every other player of the job on this domain: a trial's agent with its library."""
    place = _place(job, spec)
    learning = next((t for t in trials if t.learns and spec in (t.domain, *t.test_domains)), None)
    if learning is not None:
        raise job.error(
            place,
            f"{learning.label} learns in this job, so its library is not known when the first game begins: "
            "learn in a job of its own, and give its run here (`library: RUN`)",
        )
    own = _as_player(trial, libraries)
    others: dict[str, Opponent] = {}
    for other in trials:
        if spec in other.test_domains:
            player = _as_player(other, libraries)
            if player.identity != own.identity:
                others.setdefault(player.identity, player)
    if not others:
        raise job.error(place, f"{trial.label} is the only player on {spec.name}; add a method or a model")
    return list(others.values())


def _as_player(trial: TrialSpec, libraries: Mapping[str, Library]) -> Opponent:
    return Opponent(
        label=trial.label,
        agent=trial.agent,
        model=trial.agent_model,
        library=libraries.get(trial.id, Library()),
        learner_model=trial.learned_by,
        version=_version(trial.agent),
    )
