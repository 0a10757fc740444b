"""Prompts before anything is spent."""

import pytest

from learnact.errors import BadInput
from learnact.preview import preview
from learnact.spec import load

JOB = load(
    {
        "name": "t",
        "domains": "gripper",
        "methods": ["act", "learnact"],
        "models": {"agent": {"name": "gpt", "base_url": "http://localhost:1/v1"}},
    }
)


async def test_the_first_prompt_of_an_agent_needs_no_model():
    found = await preview(JOB, "gripper", 2, "act", "act")
    text = found.prompt.messages()[-1].content
    assert text.endswith("Action:")
    assert found.model.name == "gpt"
    assert not found.simulated


async def test_the_first_prompt_of_the_learner_needs_no_model():
    found = await preview(JOB, "gripper", 0, "create")
    assert "general Python functions" in found.prompt.request
    assert not found.simulated


async def test_what_the_job_never_asks_is_refused():
    with pytest.raises(BadInput, match="no trial of t on 'gripper' asks for 'reflect'"):
        await preview(JOB, "gripper", 0, "reflect")
    with pytest.raises(BadInput, match="test tasks 0 to"):
        await preview(JOB, "gripper", 10_000, "act", "act")
