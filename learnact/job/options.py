"""Options of methods in a job file: which may be given where, and what their values may be.

Each learner and agent brings a model of its options (`MethodOptions`). In a job file every option takes one
value or a list of values (an axis of the grid): in the entry of a method or, for all methods, under
`learner`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_origin

from pydantic import Field, ValidationError, create_model

from learnact.errors import JobError, suggestion
from learnact.job.fields import Listed, StrictConfig, named
from learnact.job.file import JobFile, Keys
from learnact.job.messages import job_error
from learnact.job.schema import MethodConfig
from learnact.methods import registry
from learnact.methods.base import Agent, Learner, Method, MethodOptions


@cache
def axes_of(model: type[MethodOptions]) -> type[StrictConfig]:
    """The options as a job file takes them: each one value or a list of values."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        item: Any = field.annotation
        if field.metadata:
            item = Annotated[(item, *field.metadata)]
        listed = get_origin(field.annotation) is tuple
        axis = Annotated[tuple[item, ...], Listed(of_lists=listed)]
        default = field.get_default(call_default_factory=True)
        fields[name] = (axis, Field(default=(default,), description=field.description))
    return create_model(f"{model.__name__}Axes", __base__=StrictConfig, **fields)


def method_of(entry: MethodConfig, place: Keys, source: JobFile) -> Method:
    """The method of an entry, with the agent and the learner that it names instead of the method's own.

    Raises:
        JobError: there is no method, agent or learner of that name, or it cannot be loaded.
    """
    known: Method | None = None
    try:
        if entry.name in registry.METHODS.names():
            known = registry.METHODS.find(entry.name)
    except JobError as error:
        raise _error(entry, source, (*place, "name"), str(error)) from None
    if known is None and not (entry.agent and entry.learner):
        raise _error(
            entry,
            source,
            (*place, "name"),
            f"no method {entry.name!r}; {suggestion(entry.name, registry.METHODS.names())} "
            "(a method of your own names its agent and its learner)",
        )
    agent: Agent[Any] | None = known.agent if known else None
    learner: Learner[Any] | None = known.learner if known else None
    key = "agent"
    try:
        agent = registry.find_agent(entry.agent) if entry.agent else agent
        key = "learner"
        learner = registry.find_learner(entry.learner) if entry.learner else learner
    except JobError as error:
        raise _error(entry, source, (*place, key), str(error)) from None
    assert agent is not None
    assert learner is not None
    return Method(entry.name, agent, learner)


def _error(entry: MethodConfig, source: JobFile, place: Keys, message: str) -> JobError:
    return JobError(f"{source.at(*place)}: {entry.label or entry.name}: {message}")


def option_problems(source: JobFile) -> list[str]:
    """What is wrong with the options of a job, one line a problem; parts that are no mappings are passed
    over.

    They are read from the plain values, so that they are told together with the other problems of the file.
    """
    known = registry.known_options()
    problems: list[str] = []
    learner = source.values.get("learner")
    for name, value in (learner if isinstance(learner, dict) else {}).items():
        place: Keys = ("learner", name)
        if name in known:
            problems += _value_problems(known[name], {name: value}, ("learner",), source)
        else:
            words = f"unknown key; {suggestion(name, known)} (`learnact methods` lists each method's options)"
            problems.append(f"{source.at(*place)}: {words}")
    for index, entry in _entries(source):
        problems += _entry_problems(entry, ("methods", index), source, known)
    return problems


def _entries(source: JobFile) -> Iterator[tuple[int, MethodConfig]]:
    """The entries of methods whose own keys are valid, with their numbers."""
    written = source.values.get("methods", [])
    for index, value in enumerate(written if isinstance(written, list | tuple) else [written]):
        try:
            yield index, MethodConfig.model_validate(named(value))
        except ValidationError:
            continue  # told with the other problems of the file


def _entry_problems(
    entry: MethodConfig, place: Keys, source: JobFile, known: Mapping[str, list[type[MethodOptions]]]
) -> list[str]:
    problems = []
    for name in entry.given:
        if name not in known:
            words = suggestion(name, {*MethodConfig.model_fields, *known})
            problems.append(f"{source.at(*place, name)}: unknown key; {words}")
    try:
        method = method_of(entry, place, source)
    except JobError as error:
        return [*problems, str(error)]
    for name, value in entry.given.items():
        own = [model for model in method.option_models() if name in model.model_fields]
        problems += _value_problems(own or known.get(name, []), {name: value}, place, source)
    return problems


def _value_problems(
    models: list[type[MethodOptions]], values: Mapping[str, Any], place: Keys, source: JobFile
) -> list[str]:
    """Why none of the models takes the values, as the last one says; empty where one does."""
    problems: list[str] = []
    for model in models:
        try:
            axes_of(model).model_validate(values)
        except ValidationError as error:
            problems = [str(job_error(error, source, place, axes_of(model)))]
        else:
            return []
    return problems


def chosen_axes(model: type[MethodOptions], *given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Every option of a model with its listed values; later mappings win. The values have been checked."""
    values = {n: v for mapping in given for n, v in mapping.items() if n in model.model_fields}
    axes = axes_of(model).model_validate(values)
    return {name: getattr(axes, name) for name in model.model_fields}
