"""The same budget: every baseline of a job with `match_budget` spends on learning what the measured method
spent, found by its label.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import learnact
from learnact.errors import JobError
from learnact.job import Job, load
from learnact.job.preflight import preflight
from learnact.report.estimate import estimate
from learnact.results.reader import connect

BASELINES = ["act", "react", "act+reflexion", "code_as_policies", "voyager"]


def job(**settings: Any) -> Job:
    return load(
        {
            "name": "budget",
            "domains": {"name": "gripper", "train": 2, "test": 1, "balls": [2, 3]},
            "methods": [*BASELINES, "learnact"],
            "models": {"agent": "sim-weak", "learner": "sim-strong"},
            "repeats": {"learn": 1},
            "match_budget": {"to": "learnact", "unit": "tokens"},
            **settings,
        }
    )


def test_every_baseline_has_a_learner_that_spends() -> None:
    learners = {t.label: (t.learner.name, t.match_budget is not None) for t in job().trials()}
    assert learners == {
        "act": ("best_of", True),
        "react": ("best_of", True),
        "act+reflexion": ("reflexion", True),
        "code_as_policies": ("best_of", True),
        "voyager": ("voyager", True),
        "learnact": ("learnact", False),
    }


def test_methods_that_can_spend_no_more_keep_their_budget() -> None:
    trials = job(methods=["learnact", {"name": "learnact", "label": "no notes", "notes": False}]).trials()
    assert [t.match_budget for t in trials] == [None, None]


def test_a_label_is_found_whatever_the_grid_adds_to_it(tmp_path: Path) -> None:
    grid = {
        "test": ["rest", "all"],
        "budget": {"test": {"turns": [5, 9]}},
        "models": {
            "agent": {"name": "sim-weak", "temperature": [0.0, 0.5]},
            "learner": ["sim-weak", "sim-strong"],
        },
        "methods": ["act", "code_as_policies", {"name": "learnact", "label": "ours"}],
        "match_budget": {"to": "ours"},
    }
    made = preflight(job(**grid), tmp_path).trials
    assert len(made) == 3 * 2 * 2 * 2 * 2
    assert {t.base_label for t in made} == {"act", "code_as_policies", "ours"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"methods": ["act", "learnact"], "match_budget": {"to": "act"}}, "'act' learns nothing here"),
        (
            {"methods": ["learnact", {"name": "learnact", "label": "no notes", "notes": False}]},
            "no other method of the job can spend more",
        ),
        (
            {"learner": {"candidates": [1, 2]}},
            r"act on gripper \(repeat 0\) has more than one learning trial of 'learnact'",
        ),
        (
            {"match_budget": {"to": "code_as_policies"}},
            "has no learning trial of 'code_as_policies' beside it",
        ),
    ],
)
def test_a_measure_that_is_none_or_several_is_refused(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match=told):
        preflight(job(**changes), tmp_path)


@pytest.mark.parametrize("unit", [pytest.param("tokens", marks=pytest.mark.slow), "calls"])
def test_baselines_spend_what_learning_cost(unit: str, tmp_path: Path) -> None:
    settings = {
        "learner": {"candidates": 1, "iterations": 1, "voyager_rounds": 1},
        "budget": {"learn": {"turns": 4}, "test": {"turns": 4}},
        "match_budget": {"to": "learnact", "unit": unit},
    }
    assert learnact.run(job(**settings), results=tmp_path, address="local").done
    counted = "count(*)" if unit == "calls" else "sum(prompt_tokens + completion_tokens)"
    query = f"""
        SELECT t.method, {counted} FROM calls c JOIN trials t USING (run, trial)
        WHERE c.unit NOT IN (SELECT key FROM episodes WHERE phase = 'test') GROUP BY ALL
    """
    with connect(tmp_path) as db:
        spent = dict(db.execute(query).fetchall())
    assert set(spent) == {*BASELINES, "learnact"}
    assert all(spent["learnact"] <= amount for amount in spent.values()), spent


def test_plan_counts_what_baselines_are_given(tmp_path: Path) -> None:
    found = {e.trial.label: e for e in estimate(preflight(job(), tmp_path).trials)}
    measure = found["learnact"].learning.calls + found["learnact"].requests.calls
    for label in BASELINES:
        given, own = found[label], load({**job().given(), "match_budget": None, "methods": label})
        alone = estimate(own.trials())[0]
        more = given.learning.calls + given.requests.calls - alone.learning.calls - alone.requests.calls
        assert more >= measure, label
