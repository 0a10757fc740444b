"""The models of a job, with the limits of their endpoints: one endpoint of one model has one set of limits,
whoever asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from learnact.errors import JobError
from learnact.job.axes import LEARNER_MAX_TOKENS, Variant, models
from learnact.job.file import JobFile
from learnact.job.schema import JobConfig, ModelDefaults
from learnact.models.negotiation import completion_limit
from learnact.records import EndpointLimits, ModelSpec

SharedLimits: TypeAlias = Mapping[tuple[str, str], EndpointLimits]
"""Limits by URL and name of the model."""


LEARNER_DEFAULTS = {"max_tokens": (LEARNER_MAX_TOKENS,)}


def agent_models(job: JobConfig, source: JobFile) -> list[Variant]:
    """The models that act. Raises `JobError` for limits that let nothing through."""
    return _limited(job, source, "agent", _agents(job), asked=True)


def learner_models(job: JobConfig, source: JobFile, *, asked: bool) -> list[Variant]:
    """The models that learn, likewise. `asked`: the method asks them."""
    return _limited(job, source, "learner", _learners(job), asked=asked)


def opponent_models(job: JobConfig, source: JobFile) -> list[Variant]:
    """The models that only play against agents, likewise."""
    return _limited(job, source, "opponent", _opponents(job), asked=True)


def embedding_model(job: JobConfig) -> ModelSpec | None:
    """The endpoint for embeddings."""
    found = [_with_shared(variant.value, _shared_limits(job)) for variant in _embeddings(job)]
    return found[0] if found else None


def _agents(job: JobConfig) -> list[Variant]:
    return list(models(job.models.agent, job.models.agent_defaults, {}))


def _learners(job: JobConfig) -> list[Variant]:
    return list(models(job.models.learner, job.models.learner_defaults, LEARNER_DEFAULTS))


def _opponents(job: JobConfig) -> list[Variant]:
    return list(models(job.models.opponent or (), job.models.agent_defaults, {}))


def _embeddings(job: JobConfig) -> list[Variant]:
    entry = job.models.embeddings
    return list(models((entry,), ModelDefaults(), {})) if entry is not None else []


def _limited(
    job: JobConfig, source: JobFile, place: str, variants: Iterable[Variant], *, asked: bool
) -> list[Variant]:
    shared = _shared_limits(job)
    found = [variant._replace(value=_with_shared(variant.value, shared)) for variant in variants]
    for variant in found if asked else ():
        if (why := reply_too_long(variant.value)) is not None:
            raise JobError(f"{source.where(('models', place))}: models.{place}: {why}")
    return found


def _shared_limits(job: JobConfig) -> SharedLimits:
    asked = (*_agents(job), *_learners(job), *_opponents(job), *_embeddings(job))
    return shared_limits(v.value for v in asked)


def shared_limits(specs: Iterable[ModelSpec]) -> SharedLimits:
    """The lowest that is stated for each endpoint: the same model may be agent and learner."""
    found: dict[tuple[str, str], EndpointLimits] = {}
    for model in specs:
        for url in _urls(model):
            known = found.get((url, model.name), EndpointLimits())
            found[url, model.name] = lowest(known, model.limits)
    return found


def _with_shared(model: ModelSpec, shared: SharedLimits) -> ModelSpec:
    """The model with the limits of its endpoints."""
    limits = model.limits
    for url in _urls(model):
        limits = lowest(limits, shared[url, model.name])
    return replace(model, limits=limits)


def lowest(one: EndpointLimits, other: EndpointLimits) -> EndpointLimits:
    """The lower of each; what one does not state is the other's."""

    def least(name: str) -> int | None:
        known = [limit for limit in (getattr(one, name), getattr(other, name)) if limit is not None]
        return min(known) if known else None

    return EndpointLimits(least("requests_per_minute"), least("tokens_per_minute"), least("in_flight"))


def reply_too_long(model: ModelSpec) -> str | None:
    """Why no request of a model could ever be sent; None where it can."""
    most, reply = model.limits.tokens_per_minute, completion_limit(model)
    if most is None or reply is None or reply < most:
        return None
    return (
        f"{model.name}: limits.tokens_per_minute {most:,} is not more than one reply may have ({reply:,} "
        "tokens: max_tokens and what `effort` adds), so one request could use more than a minute's tokens: "
        "raise it, or lower max_tokens"
    )


def _urls(model: ModelSpec) -> tuple[str, ...]:
    return model.base_urls or ("",)
