"""Whether a job's requests fit into the tokens a minute of their endpoints, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable

from learnact.domains import registry
from learnact.job import Job
from learnact.records import ModelSpec
from learnact.records.trials import TrialSpec
from learnact.report.estimate import first_prompt_chars

CHARS_PER_TOKEN = 6
"""Text has fewer characters a token than this: what is over a limit by this measure is over it."""


def check_request_sizes(job: Job, trials: Iterable[TrialSpec]) -> None:
    """Refuse a `tokens_per_minute` that already the first prompt of an episode is over: its request could
    never be sent. Raises `JobError`."""
    seen: set[tuple[ModelSpec, str, str]] = set()
    for trial in trials:
        model, most = trial.agent_model, trial.agent_model.limits.tokens_per_minute
        for spec in trial.test_domains if most is not None else ():
            key = (model, trial.agent.name, spec.name)
            if key in seen:
                continue
            seen.add(key)
            tokens = first_prompt_chars(trial, registry.build(spec)) // CHARS_PER_TOKEN
            if most is not None and tokens > most:
                raise job.error(
                    ("models", "agent"),
                    f"{model.name}: the first prompt on {spec.name} has at least {tokens:,} tokens, more "
                    f"than limits.tokens_per_minute ({most:,}) ever lets through: raise it, or shorten "
                    "the prompt",
                )
