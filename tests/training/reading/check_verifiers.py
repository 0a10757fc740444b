"""verifiers' taskset `openenv` plays a served domain: its own environment, with an agent that is a script.

Its requirements admit an older OpenEnv only (0.4.1: 0.10 and verifiers 0.4 ask for other versions of mcp), so
the server is another process, as it is for a user.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

import pytest
from verifiers.v1.tasksets.openenv import OpenEnvConfig, OpenEnvEnv, OpenEnvTaskset

SOLUTION = ("pick('ball1', 'rooma', 'left')", "move('rooma', 'roomb')", "drop('ball1', 'roomb', 'left')")


class Player:
    """Answers with what a model would reply, and keeps what it is told."""

    def __init__(self, replies: tuple[str, ...]) -> None:
        self.replies, self.told = list(replies), list[dict[str, Any]]()
        self.rewards: dict[str, float] = {}
        self.trace = SimpleNamespace(record_reward=self.rewards.__setitem__, stop=self.told.append)

    def interaction(self, task: Any) -> Player:
        return self

    async def __aenter__(self) -> Player:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def turn(self, text: str) -> Any:
        self.told.append(json.loads(text))
        return SimpleNamespace(terminated=False, last_reply=self.replies.pop(0))


AS_JSON = json.dumps(
    {"type": "call_tool", "tool_name": "move", "arguments": {"start": "rooma", "end": "roomb"}}
)


async def test_its_environment_plays_calls_and_json_and_adds_up_rewards() -> None:
    config = OpenEnvConfig(base_url=os.environ["LEARNACT_SERVER"], resets=[{"index": 0}, {"index": 1}])
    tasks = list(OpenEnvTaskset(config).load())
    assert len(tasks) == 2
    player = Player((SOLUTION[0], f"```json\n{AS_JSON}\n```", SOLUTION[2]))
    await OpenEnvEnv.run(object.__new__(OpenEnvEnv), tasks[0], SimpleNamespace(player=player))
    assert player.rewards == {"openenv_reward": pytest.approx(1.0)}
    tools = player.told[0]["action_schema"]["available_tools"]
    assert [tool["name"] for tool in tools] == ["move", "pick", "drop"]
    assert "Goal: ball1 is in roomb." in player.told[0]["observation"]["text"]
    assert "left holds ball1" in player.told[1]["observation"]["result"]
