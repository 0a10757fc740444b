"""Methods, learners and agents by name: ours, and those of other packages (entry points of
`learnact.methods`).

A package's entry point is a `Method`. Its learner and agent can then be named too, in any combination
(`{name: mine, agent: react, learner: expel}`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

from learnact import methods
from learnact.errors import JobError, suggestion
from learnact.methods import (
    act,
    asi,
    automanual,
    awm,
    best_of,
    best_of_libraries,
    code_act,
    code_as_policies,
    curated_library,
    dynasaur,
    expel,
    forked,
    learnact,
    no_learning,
    program,
    random_library,
    raw_trajectories,
    react,
    reflexion,
    repair_only,
    voyager,
)
from learnact.methods.base import Agent, Learner, Method, MethodOptions, code_version
from learnact.methods.prompt_sections import TEMPLATES as AGENT_TEMPLATES
from learnact.methods.training import TEMPLATES as LEARNER_TEMPLATES
from learnact.plugins import PluginRegistry
from learnact.records import AgentSpec, LearnerSpec, digest

OWN: tuple[Method, ...] = (
    act.METHOD,
    react.METHOD,
    *reflexion.METHODS,
    code_as_policies.METHOD,
    code_act.METHOD,
    raw_trajectories.METHOD,
    curated_library.METHOD,
    random_library.METHOD,
    repair_only.METHOD,
    best_of_libraries.METHOD,
    voyager.METHOD,
    expel.METHOD,
    awm.METHOD,
    asi.METHOD,
    dynasaur.METHOD,
    automanual.METHOD,
    *learnact.METHODS,
)
"""Our methods, in the order in which they are listed."""
CODE_OF_LIBRARIES = ("learnact.library", "learnact.sandbox.confined_process", "learnact.sandbox.modules")
"""What decides how a library is read and what its code does when it runs."""
INTERNAL_LEARNERS: tuple[Learner[Any], ...] = (no_learning.NO_LEARNING, best_of.BEST_OF)
INTERNAL_AGENTS: tuple[Agent[Any], ...] = (program.PROGRAM, program.FIXED_CALLS, forked.FORKED)

_OWN_LEARNERS: dict[str, Learner[Any]] = {m.learner.name: m.learner for m in OWN}
_OWN_LEARNERS |= {learner.name: learner for learner in INTERNAL_LEARNERS}
_OWN_AGENTS: dict[str, Agent[Any]] = {m.agent.name: m.agent for m in OWN}
_OWN_AGENTS |= {agent.name: agent for agent in INTERNAL_AGENTS}
Part = TypeVar("Part", Learner[Any], Agent[Any])

METHODS: PluginRegistry[Method] = PluginRegistry(
    "method", "learnact.methods", {m.name: m for m in OWN}, Method
)


def find_learner(name: str) -> Learner[Any]:
    """The learner of that name. Raises `JobError` naming the nearest."""
    return _named("learner", name, _OWN_LEARNERS, learners)


def find_agent(name: str) -> Agent[Any]:
    """The agent of that name. Raises `JobError` naming the nearest."""
    return _named("agent", name, _OWN_AGENTS, agents)


def learns(learner: str) -> bool:
    """Whether a learner of that name (from a results folder) learns; unknown learners are taken to."""
    known = _OWN_LEARNERS.get(learner)
    return bool(learner) and (known is None or known.learns)


def learners() -> dict[str, Learner[Any]]:
    """Every learner that can be loaded, by name; ours win."""
    return {**_by_name(m.learner for m in installed()), **_OWN_LEARNERS}


def agents() -> dict[str, Agent[Any]]:
    """Every agent that a job can name and that can be loaded, by name; ours win."""
    return {**_by_name(m.agent for m in installed()), **_by_name(m.agent for m in OWN)}


def installed() -> Iterator[Method]:
    """Methods of other packages; those that cannot be loaded are left out."""
    for name in METHODS.names():
        if name not in METHODS.own:
            try:
                yield METHODS.find(name)
            except JobError:
                continue


def known_options() -> dict[str, list[type[MethodOptions]]]:
    """Every option of every learner and agent with the models that define it."""
    found: dict[str, list[type[MethodOptions]]] = {}
    models = [part.options for part in learners().values()] + [part.options for part in agents().values()]
    for model in dict.fromkeys(models):
        for name in model.model_fields:
            found.setdefault(name, []).append(model)
    return found


def version(agent: AgentSpec, learner: LearnerSpec) -> str:
    """Address of the code and prompts that decide what a trial's agent and learner do."""
    modules = [type(find_agent(agent.name)).__module__, type(find_learner(learner.name)).__module__]
    prompts = [AGENT_TEMPLATES.hash, LEARNER_TEMPLATES.hash]
    return digest([_shared_version(), sorted(map(code_version, modules)), prompts])


@cache
def _shared_version() -> str:
    """Address of the code that all methods share.

    It is this package without the modules of single methods, what reads libraries, and what learned code
    runs in. The agents that learners try things with belong to it.
    """
    parts = (*_OWN_LEARNERS.values(), *(method.agent for method in OWN))
    single = {type(part).__module__ for part in parts}
    names = [f"{methods.__name__}.{module.name}" for module in pkgutil.iter_modules(methods.__path__)]
    shared = [name for name in names if name not in single] + list(CODE_OF_LIBRARIES)
    for name in shared:
        importlib.import_module(name)
    return digest([code_version(name) for name in sorted(shared)])


def _named(kind: str, name: str, own: dict[str, Part], others: Callable[[], dict[str, Part]]) -> Part:
    if name in own:
        return own[name]
    known = {**others(), **own}
    if name in known:
        return known[name]
    raise JobError(f"there is no {kind} {name!r}; {suggestion(name, known)}")


def _by_name(parts: Iterable[Part]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for part in parts:
        found.setdefault(part.name, part)
    return found
