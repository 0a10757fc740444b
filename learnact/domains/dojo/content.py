"""A task's content: which of the package's tasks it is, and what is injected, as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from learnact.domains.dojo.package import Attack, begun, injections
from learnact.errors import TaskError
from learnact.records import canonical


class DojoContent(BaseModel):
    """`user_task`: what the user wants; `injection_task`: what text in the data asks for, worded by `attack`;
    "" and None for data without such text."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    user_task: str
    injection_task: str = ""
    attack: Attack | None = None

    def begun(self, suite: str) -> Any:
        """The suite's data as the task begins, before its user task has prepared them."""
        worded: dict[str, str] = {}
        if self.injection_task and self.attack is not None:
            worded = injections(suite, self.user_task, self.injection_task, self.attack)
        return begun(suite, worded)

    def pack(self) -> str:
        """As a task's content."""
        return canonical(self.model_dump(mode="json"))


def unpack(content: str, where: str) -> DojoContent:
    """The task of a content. Raises `TaskError` naming `where`."""
    try:
        return DojoContent.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TaskError(f"{where}: not a task of AgentDojo: {place} {first['msg']}") from error
