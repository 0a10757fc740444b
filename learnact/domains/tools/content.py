"""A task's content: a conversation, all that is needed to play and to check it, as JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from learnact.domains.tools.apis import Api
from learnact.errors import TaskError

_FORM = ConfigDict(extra="forbid", frozen=True)


class ReferenceCall(BaseModel):
    """A call that the package's authors made: a method and its arguments, all parameters in order."""

    model_config = _FORM
    name: str
    arguments: tuple[Any, ...] = ()


class UserTurn(BaseModel):
    """What the user says, and the calls after which the state is right. `new`: methods that are available
    from this turn on."""

    model_config = _FORM
    says: str
    reference: tuple[ReferenceCall, ...] = ()
    new: tuple[str, ...] = ()


class Conversation(BaseModel):
    """A conversation. `apis`: which there are; `config`: how each begins, by API; `without`: methods that
    are not available. `long_context`: the APIs answer with much text around what matters."""

    model_config = _FORM
    apis: tuple[Api, ...]
    config: dict[Api, dict[str, Any]]
    turns: tuple[UserTurn, ...]
    without: tuple[str, ...] = ()
    long_context: bool = False

    def pack(self) -> str:
        """As a task's content. The order of keys is kept: APIs answer in it."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))


def unpack(content: str, where: str) -> Conversation:
    """The conversation of a task's content. Raises `TaskError` naming `where`."""
    try:
        return Conversation.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TaskError(f"{where}: not a conversation with tools: {place} {first['msg']}") from error
