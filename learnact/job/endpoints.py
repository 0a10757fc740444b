"""What is asked of a job's models before it starts: keys are set, endpoints answer and know the models."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Iterable

from learnact.errors import JobError
from learnact.job import Job
from learnact.models.local.weights import problem
from learnact.models.reachable import reachable
from learnact.records import ModelSpec
from learnact.records.trials import TrialSpec

DEFAULT_KEY = ModelSpec("").api_key_env


def asked_models(trials: Iterable[TrialSpec]) -> list[tuple[ModelSpec, str]]:
    """The models that trials ask, each once, with its place in the job (`agent`, `learner`, `opponent`)."""
    asked: dict[tuple[object, ...], tuple[ModelSpec, str]] = {}
    for trial in trials:
        others = [(opponent.model, "opponent") for _, opponent in trial.opponents]
        for model, place in ((trial.agent_model, "agent"), (trial.learner_model, "learner"), *others):
            if place != "learner" or trial.learns:
                asked.setdefault((model.name, model.base_urls, model.api_key_env), (model, place))
    return list(asked.values())


async def check_endpoints(job: Job, trials: Iterable[TrialSpec]) -> None:
    """Ask each endpoint of each model whether it answers and knows the model (`models.reachable`).

    Raises:
        JobError: what is wrong with each model that cannot be asked, and the way out.
    """
    asked = asked_models(trials)
    reasons = await asyncio.gather(*(why_not_askable(model) for model, _ in asked))
    wrong = [
        f"{job.where(('models', place, 'base_url'))}: models.{place}: {why}"
        for (_, place), why in zip(asked, reasons, strict=True)
        if why
    ]
    if wrong:
        raise JobError("\n".join([*wrong, "Nothing was started; --no-check starts the run without asking."]))


async def why_not_askable(model: ModelSpec) -> str | None:
    """Why a model cannot be asked, in words with the way out; None where it can."""
    if model.simulated and not model.base_urls:
        return None
    if model.local:
        return problem(model.name)
    quick = dataclasses.replace(model, timeout=min(model.timeout, 60.0))
    return _unset_key(model) or await reachable(quick)


def _unset_key(model: ModelSpec) -> str | None:
    """The variable that a job names for a model's key, when it is not set."""
    if model.api_key_env != DEFAULT_KEY and model.api_key_env not in os.environ:
        return (
            f"{model.name}: the environment variable {model.api_key_env} is not set; "
            f"export {model.api_key_env}=..., or leave api_key_env out for a server that asks for no key"
        )
    return None
