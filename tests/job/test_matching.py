"""Which trial of a run gives its library to which trial of a job."""

from __future__ import annotations

from typing import Any

import pytest

from learnact.errors import JobError
from learnact.job import load
from learnact.methods.learnact_options import LearnActOptions
from learnact.records import DomainSpec, canonical
from learnact.records.trials import TrainedTrial, TrialSpec

GRIPPER = DomainSpec("gripper", '{"balls":[2,3]}')


def taught(**changes: Any) -> TrainedTrial:
    settings = {"candidates": 4, **changes.pop("settings", {})}
    base: dict[str, Any] = {
        "run": "r1",
        "trial": "t1",
        "status": "done",
        "method": "learnact",
        "label": "learnact",
        "learner": "learnact",
        "options": canonical({**LearnActOptions().model_dump(mode="json"), **settings}),
        "rules": "{}",
        "domain": GRIPPER,
        "agent_model": "a",
        "learner_model": "l",
        "seed": 0,
        "learn_repeat": 0,
        "library": "abc",
    }
    return TrainedTrial(**{**base, **changes})


def trials(*there: TrainedTrial, **settings: Any) -> tuple[TrialSpec, ...]:
    job: dict[str, Any] = {
        "name": "b",
        "domains": "gripper",
        "methods": "learnact",
        "models": {"agent": "a", "learner": "l"},
        "repeats": {"learn": 1},
        "library": "school",
    }
    return load({**job, **settings}).trials({"school": there})


def test_each_label_agent_and_seed_takes_its_own_where_the_run_has_it() -> None:
    there = [
        taught(label="learnact", library="plain"),
        taught(label="other rules", library="ruled"),
        taught(agent_model="b", library="by b"),
        taught(seed=1, library="seeded"),
    ]
    methods = ["learnact", {"name": "learnact", "label": "other rules", "show_descriptions": False}]
    found = {
        (t.label, t.agent_model.name, t.job_seed): t.library_hash
        for t in trials(*there, methods=methods, models={"agent": ["a", "b"], "learner": "l"}, seed=[0, 1])
    }
    assert found["learnact", "a", 0] == "plain"
    assert found["learnact", "b", 0] == "by b"
    assert found["learnact", "a", 1] == "seeded"
    assert found["other rules", "a", 0] == found["other rules", "b", 1] == "ruled"


def test_an_agent_and_rules_that_the_run_does_not_have_take_the_only_library() -> None:
    (trial,) = trials(
        taught(), models={"agent": "c", "learner": "l"}, rules={"show_usage_example": False}, seed=7
    )
    assert (trial.library_hash, trial.agent_model.name, trial.learned_by) == ("abc", "c", "l")


def test_settings_that_only_say_what_is_tested_may_differ_and_no_score_is_the_domains() -> None:
    there = taught(settings={"test_each_iteration": True, "score": ["success", "call_ratio"]})
    assert trials(there)[0].library_hash == "abc"
    with pytest.raises(JobError, match=r'score \["success", "call_ratio"\] \(here \["success"\]\)'):
        trials(there, learner={"score": ["success"]})


def test_every_domain_that_the_run_learned_on_under_one_name_is_tested() -> None:
    large = DomainSpec("gripper", '{"balls":[8,9]}')
    act, bigger, small, large_one = trials(
        taught(), taught(domain=large, library="def"), methods=["act", "learnact"]
    )
    assert {act.domain, bigger.domain} == {GRIPPER, large} == {small.domain, large_one.domain}
    assert (small.library_hash, large_one.library_hash) == ("abc", "def")
    assert all(t.test_domains == (DomainSpec("gripper"),) for t in (act, bigger, small, large_one))


def test_an_example_that_was_found_with_a_matched_budget_is_handed_on() -> None:
    sampled = taught(method="act", label="act", learner="best_of", library="tries")
    act, learnact = trials(sampled, taught(), methods=["act", "learnact"])
    assert (act.learner.name, act.learns, act.library_hash) == ("best_of", False, "tries")
    assert (learnact.learner.name, learnact.learns, learnact.library_hash) == ("learnact", False, "abc")


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([taught(), taught(agent_model="x"), taught(agent_model="y")], None),
        (
            [taught(agent_model="x"), taught(agent_model="y")],
            "2 libraries that fit: learnact (agent x, seed 0), learnact (agent y",
        ),
        (
            [taught(status="running")],
            "learnact on gripper is running, not done; run its job again to finish it",
        ),
        ([taught(learn_repeat=1)], "run school learned nothing with learning repeat 0; it has 1"),
        (
            [taught(settings={"notes": False})],
            "learnact learned with notes false (here true); set the same here",
        ),
    ],
)
def test_what_is_missing_or_ambiguous_is_told_with_what_the_run_has(
    there: list[TrainedTrial], told: str | None
) -> None:
    if told is None:
        assert trials(*there)[0].library_hash == "abc"
        return
    with pytest.raises(JobError) as error:
        trials(*there)
    assert told in str(error.value)
