"""Tables pool rows of one label, domain and pair of models: what differs has a label of its own, or is
refused.
"""

from __future__ import annotations

from typing import Any

import pytest

from learnact.errors import JobError
from learnact.job import load


def labels(**job: Any) -> list[str]:
    """The labels of a job's trials, in order, each once."""
    base = {"name": "x", "domains": "gripper", "repeats": {"learn": 1}}
    return list(dict.fromkeys(t.label for t in load({**base, **job}).trials()))


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (
            ["act", "learnact", {"name": "learnact", "updates": False}],
            ["act", "learnact", "learnact, updates off"],
        ),
        (
            [{"name": "learnact", "candidates": 1}, {"name": "learnact", "candidates": 4}],
            ["learnact, candidates 1", "learnact, candidates 4"],
        ),
        (["learnact", {"name": "learnact", "agent": "react"}], ["learnact", "learnact, agent react"]),
        (
            ["act", {"name": "act", "action_format": "text"}],
            ["act", "act, action format text"],
        ),
        (
            [{"name": "learnact", "label": "mine"}, {"name": "learnact", "notes": False}],
            ["mine", "learnact"],
        ),
    ],
)
def test_entries_of_one_name_are_told_apart_by_what_they_set(methods: Any, expected: list[str]) -> None:
    assert labels(methods=methods) == expected


def test_two_entries_with_one_label_are_refused() -> None:
    methods = [{"name": "act", "label": "a"}, {"name": "react", "label": "a"}]
    with pytest.raises(JobError, match=r"methods\.1\.label: 'a' is the label of methods\.0 too"):
        labels(methods=methods)


def test_setups_that_would_still_share_a_label_are_refused() -> None:
    methods = ["react", {"name": "act", "label": "react"}]
    with pytest.raises(JobError, match=r"two setups would be pooled as 'react'.*they differ in agent"):
        labels(methods=methods)


def test_models_of_one_name_are_told_apart_by_their_parameters() -> None:
    agents = [{"name": "m", "temperature": 0.0}, {"name": "m", "temperature": 0.7}]
    assert labels(methods="act", models={"agent": agents}) == ["act, temperature 0.0", "act, temperature 0.7"]


def test_a_models_label_is_what_tables_call_it() -> None:
    agents = [{"name": "m", "label": "cold"}, {"name": "m", "label": "warm", "temperature": 0.7}]
    job = {"name": "x", "domains": "gripper", "methods": "act", "models": {"agent": agents}}
    trials = load(job).trials()
    assert [(t.label, t.agent_model.shown) for t in trials] == [("act", "cold"), ("act", "warm")]


@pytest.mark.parametrize(
    ("agents", "message"),
    [
        (
            [{"name": "m", "base_url": "http://a/v1"}, {"name": "m", "base_url": "http://b/v1"}],
            r"models\.agent\.1: the same model as models\.agent\.0; give replicas .* as a list of base_url",
        ),
        (
            [{"name": "m", "label": "a"}, {"name": "n", "label": "a"}],
            r"models\.agent\.1: 'a' is the label of models\.agent\.0 too",
        ),
    ],
)
def test_models_that_would_be_dropped_or_pooled_are_refused(agents: Any, message: str) -> None:
    with pytest.raises(JobError, match=message):
        labels(methods="act", models={"agent": agents})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learner": {"candidates": 99999999999}}, r"learner\.candidates: .*less than or equal to 10000"),
        ({"repeats": {"test": 10**9}}, r"repeats\.test: .*less than or equal to 10000"),
        ({"tasks": {"train": 10**9}}, r"tasks\.train: .*less than or equal to 10000"),
        ({"seed": list(range(1000)), "repeats": {"learn": 1000}}, "trials are more than 100,000"),
    ],
)
def test_absurd_counts_are_refused_before_the_grid_is_made(change: dict[str, Any], message: str) -> None:
    with pytest.raises(JobError, match=message):
        labels(methods="learnact", **change)
