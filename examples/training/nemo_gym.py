"""NeMo Gym's server `openenv` on `learnact serve-env`: a class for its `env_class`.

NeMo Gym builds an environment in its own process, which has another Python than learnact. This class needs
only OpenEnv there, and passes everything on to a server of learnact:

    learnact serve-env gripper --reward progress
    LEARNACT_SERVER=http://127.0.0.1:8102 gym env start --config openenv_gripper.yaml ...

    env_class: "nemo_gym.LearnactEnvironment"       # this file, under a name of your own on the path
    action_class: "openenv.core.env_server.mcp_types.CallToolAction"
    is_mcp: true
    reset_kwargs: {index: 0}
"""

from __future__ import annotations

import os
from typing import Any

from openenv.core import GenericEnvClient
from openenv.core.env_server import (
    Action,
    CallToolObservation,
    Environment,
    ListToolsAction,
    ListToolsObservation,
    Observation,
    State,
)

SERVER = os.environ.get("LEARNACT_SERVER", "http://127.0.0.1:8102")


class LearnactEnvironment(Environment):
    """One session of the server, from the first `reset` or `step` to `close`."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._client = GenericEnvClient(base_url=SERVER).sync()
        self._client.connect()

    def reset(self, seed: int | None = None, episode_id: str | None = None, **kwargs: Any) -> Observation:
        """Begin a task. What is known at its start is in `metadata`."""
        given = {"seed": seed, "episode_id": episode_id, **kwargs}
        result = self._client.reset(**given)
        return Observation(reward=result.reward, done=result.done, metadata=result.observation)

    def step(self, action: Action, **_: Any) -> Observation:
        """List the tools, or call one."""
        if isinstance(action, ListToolsAction):
            result = self._client.step({"type": "list_tools"})
            return ListToolsObservation(tools=result.observation["tools"])
        given = action.model_dump(exclude={"metadata"})
        result = self._client.step(given)
        return CallToolObservation(**result.observation, reward=result.reward, done=result.done)

    @property
    def state(self) -> State:
        """Where the session stands."""
        return State(**self._client.state())

    def close(self) -> None:
        """End the session."""
        self._client.close()
