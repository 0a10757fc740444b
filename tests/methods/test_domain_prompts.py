"""What each domain puts into prompts, compared with texts that a person has read (tests/golden.py).

The texts are the agent's prompt with thoughts, and the learner's first. No prompt of a learner shows a test
task, and no worked example is one.
"""

import importlib.util

import pytest

from learnact.domains import registry
from learnact.job import load
from learnact.records import Library
from learnact.report.preview import agent_prompt, learner_prompt
from learnact.trial import test_tasks as tasks_of
from tests.golden import compare, text_of

PLANNING = ("gripper", "blockworld", "barman", "tyreworld")
HOUSEHOLD = tuple(f"alfworld-{kind}" for kind in ("put", "clean", "heat", "cool", "examine", "puttwo"))
no_engine = importlib.util.find_spec("alfworld") is None
DOMAINS = [
    *PLANNING,
    *(
        pytest.param(name, marks=pytest.mark.skipif(no_engine, reason="needs learnact[alfworld]"))
        for name in HOUSEHOLD
    ),
]


def trial_of(method: str, domain: str):
    entry = {"name": domain, "level": "easy", "train": 1, "test": 1}
    return load({"name": "p", "domains": entry, "methods": method}).trials()[0]


@pytest.mark.parametrize("domain", DOMAINS)
async def test_an_agents_prompt_is_the_reviewed_one(domain):
    trial = trial_of("react", domain)
    task = tasks_of(trial, trial.test_domains[0])[0]
    compare(f"domains/{domain}-act", text_of(await agent_prompt(trial, task, Library())))


@pytest.mark.parametrize("domain", DOMAINS)
async def test_a_learners_prompt_is_the_reviewed_one(domain):
    compare(f"domains/{domain}-create", text_of(await learner_prompt(trial_of("learnact", domain), "create")))


@pytest.mark.parametrize("purpose", ["create", "usage", "improve"])
@pytest.mark.parametrize("domain", PLANNING)
async def test_no_learners_prompt_shows_a_test_task(domain, purpose):
    trial = load({"name": "p", "domains": domain, "methods": "learnact"}).trials()[0]
    shown = text_of(await learner_prompt(trial, purpose))
    world = registry.build(trial.domain)
    for task in tasks_of(trial, trial.test_domains[0]):
        environment = world.open(task)
        assert f"Goal: {environment.goal}\nObservation: {environment.first_observation}" not in shown
        example = world.example
        assert (environment.goal, environment.first_observation) != (example.goal, example.first_observation)
