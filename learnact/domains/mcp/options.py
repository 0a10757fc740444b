"""Options of the domain `mcp`: the server, the tasks, and how it is seen that one is solved."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

_FORM = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class ServerCall(BaseModel):
    """A call of a tool, by the server's own names. `{folder}` in a text stands for the task's folder."""

    model_config = _FORM
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolCheck(ServerCall):
    """A call whose answer says whether the task is solved."""

    equals: str | None = None
    """The answer is this text, but for blanks at both ends."""
    contains: str | None = None
    """The answer holds this text."""

    @model_validator(mode="after")
    def _one_of_both(self) -> ToolCheck:
        if (self.equals is None) == (self.contains is None):
            raise ValueError(f"the check with {self.tool} needs one of equals and contains")
        return self


def _check(value: Any) -> Any:
    """A check as it is kept: a function's name, or calls of tools."""
    if isinstance(value, str):
        if not _FUNCTION.fullmatch(value):
            raise ValueError(f"{value!r} is no function; write module:function, or a call of a tool")
        return value
    items = value if isinstance(value, list | tuple) else [value]
    try:
        return tuple(i if isinstance(i, ToolCheck) else ToolCheck.model_validate(i) for i in items)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place} {first['msg'].removeprefix('Value error, ')}".strip()) from None


Check = Annotated[str | tuple[ToolCheck, ...], BeforeValidator(_check)]
"""What says that a task is solved: calls of tools, or a function of yours as `module:function`."""


class McpTask(BaseModel):
    """A task."""

    model_config = _FORM
    name: str = ""
    """Its name in tables; default: its number."""
    goal: str = Field(min_length=1)
    """What is to be reached, as the agent reads it."""
    check: Check = ()
    """What says that it is reached: calls of tools (all must agree; progress is the share that do), or a
    function of yours."""
    files: dict[str, str] = Field(default_factory=dict)
    """Files in the task's folder, by name."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """Programs that run in the folder before the server starts, each as a list of words."""
    before: tuple[ServerCall, ...] = ()
    """Calls of tools before the agent's first turn."""
    plan: tuple[ServerCall, ...] = ()
    """Calls that solve it, where you know some: the reference plan."""


class ExampleCall(ServerCall):
    """A step of the worked example."""

    think: str = ""
    """What the agent thinks before it."""
    answer: str | None = None
    """What the server answers, where you know it."""


class McpExample(McpTask):
    """The worked example: a task with a plan."""

    plan: tuple[ExampleCall, ...] = Field(min_length=1)
    """The calls that solve it. Where each has its answer, nothing is played to make the example."""


class KnownTool(BaseModel):
    """A tool as the server lists it."""

    model_config = _FORM
    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object"})
    """The JSON Schema of its parameters."""


class McpOptions(BaseModel):
    """Options of the domain `mcp`. Without `command` and `url` it plays a server of notes that learnact
    brings."""

    model_config = _FORM
    command: tuple[str, ...] = ()
    """The program that is the server (it speaks on standard input and output), as a list of words."""
    url: str = ""
    """Or the address of a running server (streamable HTTP). All episodes share its state."""
    env: tuple[str, ...] = ()
    """Names of environment variables that the server is given; it sees no others of yours."""
    tools: tuple[str, ...] = ()
    """Only these tools of the server; default: all."""
    seconds: float = Field(default=30.0, gt=0, le=55)
    """How long the server may take to start and for a call, in seconds; then the episode has failed."""
    title: str = "the tools of an MCP server"
    """One line about the domain."""
    instruction: str = ""
    """What the agent should know about the server beside the descriptions of its tools."""
    tasks: tuple[McpTask, ...] = ()
    """The tasks; the first `train` of them are for training."""
    goal: str = ""
    """Instead of `tasks`: the goal of a single one, which is both trained on and tested."""
    check: Check = ()
    """The check of the single task."""
    files: dict[str, str] = Field(default_factory=dict)
    """The files of the single task."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """What prepares the single task."""
    train: int = Field(default=1, ge=1)
    """How many of the tasks train."""
    test: int | None = Field(default=None, ge=0)
    """How many of the others test; default: all."""
    example: McpExample | None = None
    """The prompts' worked example; played when the domain is made, unless its answers are given."""
    known_tools: tuple[KnownTool, ...] = ()
    """The server's tools, where they are known: it is then not started to list them. It must have them."""

    @model_validator(mode="after")
    def _consistent(self) -> McpOptions:
        if self.command and self.url:
            raise ValueError("give one of command and url")
        if bool(self.tasks) == bool(self.goal) and (self.command or self.url):
            raise ValueError("give one of tasks and goal: what is to be reached")
        if any(not task.check for task in self.all_tasks):
            raise ValueError("a task has no check: nothing could say that it is solved")
        return self

    @property
    def all_tasks(self) -> tuple[McpTask, ...]:
        """The tasks, the single one among them."""
        if not self.goal:
            return self.tasks
        return (McpTask(goal=self.goal, check=self.check, files=self.files, prepare=self.prepare),)
