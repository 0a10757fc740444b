"""Every prompt of every method, compared with a text that a person has read (tests/prompts).

After a deliberate change: `LEARNACT_WRITE_PROMPTS=1 pytest tests/methods/test_prompts.py`, then read the difference before it is committed.
"""

import os
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.job import load
from learnact.records import LearnedAction, Library
from learnact.report.preview import agent_prompt, learner_prompt
from learnact.trial import test_tasks as tasks_of

FOLDER = Path(__file__).parent.parent / "prompts"
LIBRARY = Library(
    (
        LearnedAction(
            "carry",
            "carry(obj, start, end, hand)",
            "def carry(obj, start, end, hand):\n    pick(obj, start, hand)\n    move(start, end)\n    drop(obj, end, hand)",
            "Requires: obj is in start. you are in start. hand is free. Then: obj is in end. you are in end. "
            "Does: pick(obj, start, hand); move(start, end); drop(obj, end, hand).",
            ("Use it only in the room where the ball is.",),
        ),
    ),
    usage_example="Goal: ball1 is in rooma.\nObservation: Now: you are in roomb.\nAction: carry('ball1', 'roomb', 'rooma', 'left')\n"
    "Observation: Now: you are in rooma.",
    lessons=("Look where each ball is before you move.",),
)
ACTING = ("act", "react", "code_as_policies", "act+reflexion", "learnact", "learnact-react", "voyager")
LEARNING = (
    ("learnact", "create"),
    ("learnact", "usage"),
    ("learnact", "describe"),
    ("learnact", "improve"),
    ("act+reflexion", "reflect"),
    ("voyager", "code"),
    ("voyager", "verify"),
)


def text_of(prompt) -> str:
    return "\n\n".join(f"[{m.role}]\n{m.content}" for m in prompt.messages()) + "\n"


def compare(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if os.environ.get("LEARNACT_WRITE_PROMPTS"):
        path.write_text(text)
    assert text == path.read_text(), f"{path} differs: see this file's head"


def trial_of(method: str, **changes):
    return load({"name": "p", "domains": "gripper", "methods": method, **changes}).trials()[0]


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
