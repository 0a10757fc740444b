"""A domain as an OpenEnv server: what TRL, verifiers and NeMo Gym play over HTTP and WebSocket.

Each action of the domain is a tool of OpenEnv's (`list_tools`, `call_tool`); `reset` takes `seed`,
`split` and `index`. The rewards of an episode, that of the reset included, add up to the reward of the
whole. Needs the extra `openenv`. Does not cover: what is played (playing), how the server runs (serving).
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from openenv.core.env_server import (
    Action,
    CallToolAction,
    CallToolObservation,
    ConcurrencyConfig,
    Environment,
    ListToolsAction,
    ListToolsObservation,
    Observation,
    State,
    Tool,
    ToolError,
    ToolErrorType,
    create_fastapi_app,
)
from openenv.core.env_server.types import EnvironmentMetadata
from pydantic import Field

from learnact import __version__
from learnact.errors import BadInput, LearnactError, suggestion
from learnact.library.calls import CallExpression, UnreadableCall, parse_call
from learnact.library.parameters import Parameter, as_call
from learnact.methods.tool_calls import parameters_of, tools_of
from learnact.records import Rules, Task
from learnact.training.playing import Playable, Playing, Split, run, run_async


@dataclass(frozen=True)
class Offer:
    """What a server serves. `splits`: the tasks of each split that may be played. `turns`: an episode ends
    after so many actions; 0: never for that.
    """

    what: Playable
    splits: Mapping[Split, tuple[Task, ...]]
    turns: int
    actions: Mapping[str, tuple[Parameter, ...]]
    tools: tuple[Tool, ...]


def offer_of(what: Playable, *, include_test: bool, turns: int = 0) -> Offer:
    """What is served of a domain: training tasks, and test tasks only where they are asked for.

    Raises:
        BadInput: training tasks are test tasks too, or there are no training tasks.
    """
    train = tuple(what.domain.tasks("train"))
    test = tuple(what.domain.tasks("test"))
    hashes = {task.hash for task in test}
    shared = sum(task.hash in hashes for task in train)
    if shared and not include_test:
        raise BadInput(
            f"{shared} of the {len(train)} training tasks of {what.spec.name} are test tasks too; choose "
            "other tasks with --option, or say --include-test"
        )
    if not train and not include_test:
        raise BadInput(f"{what.spec.name} has no training tasks with these options")
    served: Mapping[Split, tuple[Task, ...]] = {"train": train, "test": test if include_test else ()}
    actions = parameters_of(what.domain, what.library)
    return Offer(what, {k: v for k, v in served.items() if v}, turns, actions, _tools(what))


class TaskObservation(Observation):
    """What a reset answers. `reward` is that of the task as it begins (0, unless part of it is reached)."""

    text: str = Field(description="Instruction, goal and first observation")
    goal: str = Field(description="What is to be reached")
    observation: str = Field(description="The first observation")
    split: str = Field(description="train, or test")
    index: int = Field(description="The task's place in its split")
    task: str = Field(description="The task's name")


class TaskState(State):
    """Where a session stands. `step_count` counts actions of the player, `steps` primitive actions."""

    split: str = ""
    index: int | None = None
    task: str = ""
    steps: int = 0
    progress: float = 0.0
    success: bool = False


class DomainEnvironment(Environment):
    """A session: one task after another of what is offered. Its server calls it from its own event loop."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self._offer = offer
        self._playing = Playing(offer.what)
        self._state = TaskState()
        self._paid = 0.0
        self._closed = False

    def reset(self, **given: Any) -> TaskObservation:
        """`reset_async` for callers without an event loop."""
        return run(self._reset(given))

    async def reset_async(
        self, seed: int | None = None, episode_id: str | None = None, **given: Any
    ) -> TaskObservation:
        """Begin a task: `index` of `split` (train); no index: chosen by the seed; neither: any.

        Raises `BadInput` for what is not served.
        """
        return await run_async(self._reset({"seed": seed, "episode_id": episode_id, **given}))

    def step(self, action: Action, **_: Any) -> Observation:
        """`step_async` for callers without an event loop."""
        return run(self._step(action))

    async def step_async(self, action: Action, **_: Any) -> Observation:
        """List the actions, or do one."""
        return await run_async(self._step(action))

    @property
    def state(self) -> TaskState:
        """Where the session stands."""
        return self._state

    def close(self) -> None:
        """End the session: idle for too long, disconnected, or done. Idempotent."""
        self._closed = True
        run(self._playing.close())

    def get_metadata(self) -> EnvironmentMetadata:
        """Name, description and version of the domain."""
        domain = self._offer.what.domain
        about = f"{domain.title}. {domain.instruction}"
        return EnvironmentMetadata(name=domain.name, description=about, version=__version__)

    def list_splits(self) -> list[str]:
        """The splits that are served."""
        return list(self._offer.splits)

    def num_tasks(self, split: str) -> int:
        """How many tasks a split has."""
        return len(self._tasks(split))

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """A task by its place: name and hash, not its content, which may tell how it is solved."""
        if index < 0:
            raise IndexError(index)
        return self.get_task_range(split)[index]

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """All tasks of a split."""
        return self.get_task_range(split)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        """The tasks of a split from `start` up to, not including, `stop`."""
        tasks = [
            {"split": split, "index": index, "name": task.name, "hash": task.hash}
            for index, task in enumerate(self._tasks(split))
        ]
        return tasks[start:stop]

    def _tasks(self, split: object) -> Sequence[Task]:
        served = self._offer.splits
        if split == "test" and "test" not in served:
            raise BadInput(
                "split 'test': test tasks are not served, so that none leaks into training; "
                "`learnact serve-env --include-test` serves them"
            )
        if split not in served:
            raise BadInput(f"split {split!r}: there is no such split; {suggestion(str(split), served)}")
        return served[split]  # type: ignore[index]

    def _chosen(self, given: Mapping[str, Any]) -> tuple[str, int]:
        """The split and the place of the task that a reset asks for."""
        for name in given:
            if name not in ("seed", "episode_id", "split", "index"):
                raise BadInput(f"reset has no argument {name!r}; it takes seed, episode_id, split and index")
        split = "train" if given.get("split") is None else given["split"]
        tasks, index, seed = self._tasks(split), given.get("index"), given.get("seed")
        for name, value in (("index", index), ("seed", seed)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise BadInput(f"{name} {value!r}: it is a whole number from 0")
        if index is None:
            return str(split), seed % len(tasks) if seed is not None else random.randrange(len(tasks))
        if index >= len(tasks):
            name = self._offer.what.spec.name
            raise BadInput(f"{name} has {len(tasks)} {split} tasks, and no task {index}")
        return str(split), index

    async def _reset(self, given: Mapping[str, Any]) -> TaskObservation:
        self._refuse_closed()
        split, index = self._chosen(given)
        task, episode = self._tasks(split)[index], given.get("episode_id")
        if episode is not None and not (isinstance(episode, str) and len(episode) <= 255):
            raise BadInput(f"episode_id {episode!r}: it is text of at most 255 characters")
        text = await self._playing.begin(task)
        if self._closed:  # while it was opened
            await self._playing.close()
            self._refuse_closed()
        self._paid = self._playing.reward
        self._state = TaskState(episode_id=episode, split=split, index=index, task=task.name)
        self._see()
        opened = self._playing.environment
        return TaskObservation(
            text=text,
            goal=opened.goal,
            observation=opened.first_observation,
            split=split,
            index=index,
            task=task.name,
            reward=self._paid,
            done=bool(self._playing.ended),
        )

    async def _step(self, action: Action) -> Observation:
        self._refuse_closed()
        if isinstance(action, ListToolsAction):
            return ListToolsObservation(tools=list(self._offer.tools))
        assert isinstance(action, CallToolAction)
        known, call = _read(self._offer.actions, action)
        if self._done:
            return CallToolObservation(
                tool_name=call.name,
                result=self._playing.ended or f"The episode ended after {self._offer.turns} actions.",
                done=True,
                reward=0.0,
            )
        answer = await self._playing.call(call.name, call.args, call.kwargs)
        self._state.step_count += 1
        self._see()
        earned, self._paid = self._playing.reward - self._paid, self._playing.reward
        error = ToolError(error_type=ToolErrorType.TOOL_NOT_FOUND, message=answer.observation)
        return CallToolObservation(
            tool_name=call.name,
            result=answer.observation,
            error=None if known else error,
            done=self._done,
            reward=earned,
            metadata={"valid": answer.valid, "progress": self._state.progress, "steps": self._state.steps},
        )

    @property
    def _done(self) -> bool:
        return bool(self._playing.ended) or 0 < self._offer.turns <= self._state.step_count

    def _see(self) -> None:
        playing = self._playing.environment
        self._state.steps = self._playing.steps
        self._state.progress, self._state.success = playing.progress, playing.success

    def _refuse_closed(self) -> None:
        if self._closed:
            raise BadInput("this session was closed (it was idle for too long, or is done); connect again")


def application(offer: Offer, sessions: int, idle_seconds: float) -> FastAPI:
    """The web application: OpenEnv's own, with the reasons of what is refused.

    `sessions`: how many may be open at once; one that does nothing for `idle_seconds` is closed.
    """
    app = create_fastapi_app(
        functools.partial(DomainEnvironment, offer),
        CallToolAction,
        CallToolObservation,
        concurrency_config=ConcurrencyConfig(max_concurrent_envs=sessions, session_timeout=idle_seconds),
        env_name=offer.what.spec.name,
        state_cls=TaskState,
        reset_observation_cls=TaskObservation,
        mode="simulation",
    )
    app.add_exception_handler(LearnactError, _refused)
    return app


async def _refused(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400 if isinstance(error, BadInput) else 500)


def _tools(what: Playable) -> tuple[Tool, ...]:
    described = [tool["function"] for tool in json.loads(tools_of(what.domain, what.library, Rules()))]
    return tuple(
        Tool(name=tool["name"], description=tool["description"], input_schema=tool["parameters"])
        for tool in described
    )


def _read(offered: Mapping[str, Sequence[Parameter]], action: CallToolAction) -> tuple[bool, CallExpression]:
    """Whether there is such an action, and the call. A whole call in the place of the name is read as one:
    `pick('ball1', 'rooma', 'left')` (a trainer that sends plain replies puts them there).
    """
    name = action.tool_name
    if name in offered or action.arguments:
        return name in offered, as_call(name, action.arguments, offered.get(name, ()))
    try:
        call = parse_call(name)
    except UnreadableCall:
        return False, CallExpression(name)
    return call.name in offered, call
