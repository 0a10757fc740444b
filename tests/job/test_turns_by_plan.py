"""Turns of an episode as a factor of the task's reference plan: `budget: {test: {turns: 1.5x}}`."""

from __future__ import annotations

import json
import math

import pytest

from learnact import driver
from learnact.domains import registry
from learnact.errors import JobError, TaskError
from learnact.job import load
from learnact.job.preflight import preflight
from learnact.records import Budget, Library
from learnact.records.trials import BudgetChange
from learnact.trial import PlannedTest
from learnact.trial import test_episodes as episodes_of
from tests.cli.conftest import learnact

SMALL = {"name": "t", "domains": {"name": "gripper", "test": 4, "train": 1}, "methods": "act"}


def job(turns: object, **more: object):
    return load(SMALL | {"budget": {"test": {"turns": turns}}, "repeats": {"learn": 1}} | more)


def test_turns_follow_from_each_tasks_plan_rounded_up():
    (trial,) = job("1.5x").trials()
    domain = registry.build(trial.domain)
    tests = [PlannedTest(trial.domain, domain, task, Library(), "test") for task in domain.tasks("test")]
    for episode in episodes_of(trial, tests):
        assert episode.budget.turns == math.ceil(1.5 * (episode.task.reference or 0))
        assert episode.budget.history == 20
    assert BudgetChange(turns="0.1x").over(Budget(), 4).turns == 1
    assert BudgetChange(turns="1.1x").over(Budget(), 10).turns == 11, "not 12, as floats would have it"
    with pytest.raises(TaskError, match="needs a reference plan"):
        BudgetChange(turns="2x").over(Budget(), None)


def test_the_factor_is_part_of_a_trials_identity_and_an_axis():
    ids = {turns: job(turns).trials()[0].id for turns in ("1.5x", "2x", 30)}
    assert len({*ids.values()}) == 3
    assert job("1.50x").trials()[0].id == ids["1.5x"]
    both = job(["1x", "1.5x", 30]).trials()
    assert [trial.label for trial in both] == ["act, turns 1x", "act, turns 1.5x", "act, turns 30"]
    own = SMALL["domains"] | {"budget": {"test": {"turns": "3 x"}}}  # type: ignore[operator]
    assert job("1.5x", domains=own).trials()[0].test_budget.turns == "3x"
    again = load(job("1.5x").resolved())
    assert again.trials()[0].id == ids["1.5x"]


@pytest.mark.parametrize(
    "turns", ["1.5", "x", "0x", "-1x", "1.5y", "1e3x", "1000x", 0, 10_001, 1.5, True, []]
)
def test_anything_else_is_refused_with_an_example(turns):
    with pytest.raises(JobError, match=r"budget.test.turns: .*(such as 1.5x|1 to 10000 turns|empty list)"):
        job(turns)


def test_a_task_without_a_plan_is_refused_before_the_run(tmp_path, monkeypatch):
    from learnact.domains.planning import domain as planning

    monkeypatch.setattr(planning, "find_plan", lambda *_: None)
    registry.forget()
    folder = tmp_path / "gripper"
    folder.mkdir()
    try:
        monkeypatch.undo()
        problem = registry.build(job(1).trials()[0].domain).tasks("test")[0].content
        (folder / "p.pddl").write_text(problem)
        monkeypatch.setattr(planning, "find_plan", lambda *_: None)
        registry.forget()
        given = {"name": "gripper", "source": str(tmp_path), "train_indices": [0]}
        with pytest.raises(JobError, match=r"budget.test.turns: 2x needs a reference plan .*1 of 1 \(p\)"):
            preflight(job("2x", domains=given, test="all"), tmp_path)
    finally:
        registry.forget()


def test_plan_counts_the_turns_and_tells_the_ceiling_without_learned_actions(tmp_path):
    tasks = registry.build(job(30).trials()[0].domain).tasks("test")
    steps = [task.reference or 0 for task in tasks]
    found = driver.plan(job("1.5x"), results=tmp_path)
    assert found.total.calls == sum(math.ceil(1.5 * n) for n in steps)
    (ceiling,) = found.ceilings
    assert (ceiling.turns, ceiling.tasks, ceiling.above, ceiling.unplanned) == ("1.5x", 4, 0, 0)
    (short,) = driver.plan(job(min(steps)), results=tmp_path).ceilings
    assert short.above == sum(n > min(steps) for n in steps) == short.tasks - short.followable


def test_the_command_prints_the_ceiling(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(
        "name: t\ndomains: [{name: gripper, level: harder, test: 4}, {name: barman, level: easy, test: 4}]\n"
        "methods: [act]\nrepeats: {learn: 1}\n"
    )
    told = learnact("plan", str(path), "--results", str(tmp_path))
    assert told.code == 0
    text = " ".join(told.out.split())
    assert "Reference plans longer than a test episode, which no agent without learned actions" in text
    assert 'gripper {"level":"harder","test":4}, 30 turns: 4 of 4 tasks (ceiling 0%)' in text
    told = learnact("plan", str(path), "--results", str(tmp_path), "--set", "budget.test.turns=1x")
    assert "No reference plan of a test task is longer than an episode." in told.out
    lines = learnact("plan", str(path), "--results", str(tmp_path), "--json").out
    assert json.loads(lines)["ceilings"][0]["plans_above_turns"] == 4
