"""Every prompt of every method, compared with a text that a person has read (tests/golden.py)."""

import pytest

from learnact.domains import registry
from learnact.job import load
from learnact.records import LearnedAction, Library
from learnact.report.preview import agent_prompt, learner_prompt
from learnact.trial import test_tasks as tasks_of
from tests.golden import compare, text_of

LIBRARY = Library(
    (
        LearnedAction(
            "carry",
            "carry(obj, start, end, hand)",
            "def carry(obj, start, end, hand):\n    pick(obj, start, hand)\n"
            "    move(start, end)\n    drop(obj, end, hand)",
            "Requires: obj is in start. you are in start. hand is free. Then: obj is in end. you are in end. "
            "Does: pick(obj, start, hand); move(start, end); drop(obj, end, hand).",
            ("Use it only in the room where the ball is.",),
        ),
    ),
    usage_example="Goal: ball1 is in rooma.\nObservation: Now: you are in roomb.\n"
    "Action: carry('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma.",
    lessons=("Look where each ball is before you move.",),
)
ACTING = (
    "act", "react", "code_as_policies", "act+reflexion", "learnact", "learnact-react", "voyager", "code_act",
    "dynasaur",
)  # fmt: skip
LEARNING = (
    ("learnact", "create"),
    ("learnact", "usage"),
    ("learnact", "describe"),
    ("learnact", "improve"),
    ("act+reflexion", "reflect"),
    ("voyager", "code"),
    ("voyager", "verify"),
    ("automanual", "manual"),
    ("automanual", "formulate"),
)


def trial_of(method: str, **changes):
    return load(
        {"name": "p", "domains": {"name": "gripper", "level": "easy"}, "methods": method, **changes}
    ).trials()[0]


@pytest.mark.parametrize("method", ACTING)
async def test_an_agents_prompt_is_the_reviewed_one(method):
    trial = trial_of(method)
    task = tasks_of(trial, trial.test_domains[0])[0]
    library = LIBRARY if trial.learns else Library()
    compare(f"{method}-act", text_of(await agent_prompt(trial, task, library)))


@pytest.mark.parametrize(("method", "purpose"), LEARNING)
async def test_a_learners_prompt_is_the_reviewed_one(method, purpose):
    compare(f"{method}-{purpose}", text_of(await learner_prompt(trial_of(method), purpose)))


@pytest.mark.parametrize(("method", "purpose"), LEARNING)
async def test_no_learners_prompt_shows_a_test_task(method, purpose):
    trial = trial_of(method)
    shown = text_of(await learner_prompt(trial, purpose))
    domain = registry.build(trial.domain)
    trained = {domain.open(task).first_observation for task in domain.tasks("train")}
    for task in tasks_of(trial, trial.test_domains[0]):
        environment = domain.open(task)
        seen = environment.first_observation in shown and environment.goal in shown
        assert not seen or environment.first_observation in trained
