"""The domain `mcp`: the tools of a server that a job names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from learnact.domains.base import Example, PlannedCall, Profile
from learnact.domains.family import Split
from learnact.domains.family_environment import NOTHING
from learnact.domains.mcp.environment import McpEnvironment, check_function, opening
from learnact.domains.mcp.options import McpOptions, McpTask, ServerCall
from learnact.domains.mcp.package import PACKAGES
from learnact.domains.mcp.schemas import ServerTool, ToolPrimitive, primitives_of
from learnact.domains.mcp.session import Session
from learnact.domains.option_errors import option_fault
from learnact.domains.planning.domain import function_example
from learnact.domains.text_file import read_text
from learnact.errors import BadInput, EnvironmentFailure, JobError, TaskError
from learnact.records import Task, canonical, digest

TEXT_VERSION = 1
"""Goes up whenever a prompt or an observation of ours could change."""
NAME = "mcp"
_NOT_OF_THE_ENGINE = {"tasks", "goal", "check", "train", "test", "seconds"}
"""Options that say what is played, not how the server answers."""


class McpDomain:
    """`learnact.domains.base.Domain` of a server's tools. Making it starts the server once, to list them."""

    def __init__(self, options: McpOptions) -> None:
        words = yaml.safe_load(read_text(resources.files(__package__) / "text.yaml"))
        for task in options.all_tasks:
            if isinstance(task.check, str):
                check_function(task.check)
        self.name = NAME
        self.title = options.title
        self.options = options
        self._tools = _tools(options)
        self.primitives = tuple(tool.primitive for tool in self._tools.values())
        self.instruction = "\n".join(
            part.strip() for part in (words["instruction"], options.instruction) if part
        )
        self.function_example = function_example()
        self.profile = Profile(
            call_observation="all",
            failure_context="history",
            explores=True,
            blocking=True,
            invalid=NOTHING,
            possible=words["possible"].strip(),
            impossible=words["impossible"].strip(),
        )
        self.example = self._worked_example()

    @cached_property
    def version(self) -> str:
        """Address of text and engine."""
        return digest(
            TEXT_VERSION, PACKAGES.versions(), self.instruction, self.primitives, self.example,
            self.options.model_dump(mode="json", exclude=_NOT_OF_THE_ENGINE),
        )  # fmt: skip

    def tasks(self, split: Split) -> Sequence[Task]:
        """The first tasks train, the others test; a single one does both."""
        every = [self._task(number, task) for number, task in enumerate(self.options.all_tasks)]
        if len(every) == 1 or split == "train":
            return every[: self.options.train]
        rest = every[self.options.train :]
        return rest if self.options.test is None else rest[: self.options.test]

    def read(self, path: str) -> Task:
        """A task of a JSON or YAML file, in the form of an entry of `tasks`."""
        try:
            task = McpTask.model_validate(yaml.safe_load(read_text(Path(path))))
        except (ValidationError, yaml.YAMLError) as error:
            raise TaskError(f"{path}: not a task: {str(error).splitlines()[0]}") from None
        return self._task(0, task)

    def open(self, task: Task) -> McpEnvironment:
        """A server of its own for the task; call it in an engine process."""
        try:
            content = McpTask.model_validate_json(task.content)
        except ValidationError as error:
            raise TaskError(
                f"{task.name}: not a task with an MCP server: {str(error).splitlines()[0]}"
            ) from None
        session = Session(self.options, content)
        try:
            return McpEnvironment(session, content, self._tools)
        except BaseException:
            session.close()
            raise

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """The plan that the job gives."""
        plan = McpTask.model_validate_json(task.content).plan
        return tuple(self._planned(call) for call in plan) or None

    def _task(self, number: int, task: McpTask) -> Task:
        content = canonical(task.model_dump(mode="json", exclude_defaults=True, exclude={"name"}))
        name = task.name or f"{NAME}-{number}"
        return Task(NAME, name, content, len(task.plan) or None, {"index": number})

    def _planned(self, call: ServerCall) -> PlannedCall:
        """A call of a tool as one of its primitive, with a value for each parameter up to the last given."""
        found = next((t for t in self._tools.values() if t.tool == call.tool), None)
        if found is None:
            raise BadInput(f"domain {NAME}: a plan calls {call.tool}, which is no tool of the server")
        defaults = dict(found.primitive.defaults)
        parameters = list(zip(found.names, found.primitive.parameters, strict=True))
        while parameters and parameters[-1][0] not in call.arguments and parameters[-1][1] in defaults:
            parameters.pop()
        return PlannedCall(
            found.primitive.name,
            tuple(call.arguments.get(theirs, defaults.get(ours)) for theirs, ours in parameters),
        )

    def _worked_example(self) -> Example:
        """The worked example: as the options have it, or played on the server, so that its observations are
        what an agent would see."""
        given = self.options.example
        if given is None:
            return Example("", "", ())
        planned = [self._planned(call) for call in given.plan]
        answers = [call.answer for call in given.plan]
        first = opening(given.files)
        if None in answers:
            task = McpTask.model_validate(given.model_dump(exclude={"plan"}))
            first, answers = self._played(self._task(0, task), planned)
        steps = zip(given.plan, planned, answers, strict=True)
        return Example(given.goal, first, tuple((c.think, p.written, a or "") for c, p, a in steps))

    def _played(self, task: Task, plan: Sequence[PlannedCall]) -> tuple[str, list[str | None]]:
        environment = self.open(task)
        try:
            answers: list[str | None] = []
            for call in plan:
                step = environment.call(call.name, call.arguments, {})
                if not step.valid:
                    raise BadInput(f"domain {NAME}: example: {call.written}: {step.observation}")
                answers.append(step.observation)
            return environment.first_observation, answers
        finally:
            environment.close()


def _tools(options: McpOptions) -> dict[str, ToolPrimitive]:
    """The tools of the server that the options name."""
    server = options.model_dump_json(include={"command", "url", "env", "seconds"})
    first = options.all_tasks[0].model_dump_json() if options.all_tasks else ""
    known = [ServerTool(tool.name, tool.description, tool.parameters) for tool in options.known_tools]
    return primitives_of(known or _listed(server, first), options.tools, f"domain {NAME}")


@lru_cache(maxsize=16)
def _listed(server: str, task: str) -> list[ServerTool]:
    """The tools that a server lists; it is started for this, once in a process."""
    try:
        session = Session(
            McpOptions.model_construct(**json.loads(server)),
            McpTask.model_validate_json(task) if task else None,
        )
    except EnvironmentFailure as error:
        raise BadInput(f"domain {NAME}: {error}") from None
    try:
        return session.tools
    finally:
        session.close()


def notes_options() -> dict[str, Any]:
    """The options of the server of notes that learnact brings."""
    found: dict[str, Any] = yaml.safe_load(read_text(resources.files(__package__) / "notes.yaml"))
    return found


@dataclass(frozen=True)
class McpFactory:
    """What the entry point names: called with options it gives the domain."""

    options_model: type[McpOptions] = McpOptions

    def __call__(self, options: dict[str, Any]) -> McpDomain:
        """The domain. Raises `MissingExtra` without the extra, `JobError` for bad options, `BadInput` for a
        server that cannot be used."""
        PACKAGES.require(f"the domain {NAME}")
        if not options.get("command") and not options.get("url"):
            options = {**notes_options(), **options}
        try:
            checked = McpOptions.model_validate(json.loads(json.dumps(options)))
        except ValidationError as error:
            raise JobError(f"domain {NAME}: {option_fault(error, McpOptions)}") from None
        return McpDomain(checked)


MCP = McpFactory()
