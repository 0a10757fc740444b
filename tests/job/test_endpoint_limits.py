"""Limits of endpoints in a job: checked when it is loaded, shared by all who ask the same one, no part of a
run's identity."""

from __future__ import annotations

from typing import Any

import pytest

from learnact.errors import JobError
from learnact.job import Job, load
from learnact.records import EndpointLimits

URL = "http://127.0.0.1:9/v1"


def given(agent: dict[str, Any], learner: dict[str, Any] | None = None) -> Job:
    models = {"agent": {"name": "m", **agent}, "learner": {"name": "m", **(learner or agent)}}
    return load({"name": "x", "domains": "gripper", "methods": ["act", "learnact"], "models": models})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"requests_per_minute": 0}, "requests_per_minute: must be greater than or equal to 1"),
        ({"tokens_per_minute": "60k"}, "tokens_per_minute: must be a whole number"),
        ({"rpm": 600}, "unknown key; valid are: in_flight, requests_per_minute, tokens_per_minute"),
        ({"in_flight": -1}, "in_flight: must be greater"),
        ({"tokens_per_minute": 1000}, r"not more than one reply may have \(1,024 tokens"),
    ],
)
def test_what_lets_nothing_through_is_refused(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(JobError, match=message):
        given({"base_url": URL, "limits": limits})


def test_one_endpoint_has_one_set_of_limits_whoever_asks_it() -> None:
    stated = {"requests_per_minute": 600, "tokens_per_minute": 60_000}
    job = given({"base_url": URL, "limits": stated}, {"base_url": URL, "limits": {"in_flight": 3}})
    for trial in job.trials():
        assert trial.agent_model.limits == trial.learner_model.limits == EndpointLimits(600, 60_000, 3)
    apart = given({"base_url": URL, "limits": stated}, {"base_url": "http://127.0.0.1:10/v1"})
    assert {trial.learner_model.limits for trial in apart.trials()} == {EndpointLimits()}


def test_limits_are_no_part_of_a_runs_identity() -> None:
    limited = given({"base_url": URL, "limits": {"requests_per_minute": 600}})
    assert limited.id == given({"base_url": URL}).id
