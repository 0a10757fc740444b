"""A task's content: all that opening a game needs, on any machine, as compact text."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from pydantic import BaseModel, ConfigDict, ValidationError

from learnact.domains.alfworld.task_types import TaskTypeName
from learnact.errors import TaskError

MAX_BYTES = 16 << 20
"""Bytes of an unpacked game; a published one has about 100 kB."""


class GameContent(BaseModel):
    """A game: its type, PDDL problem and task sentence; `labels` are AgentBoard's sub-goals (patterns),
    where the user has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TaskTypeName
    goal: str
    problem: str
    labels: tuple[str, ...] = ()

    def pack(self) -> str:
        """As a task's content (canonical JSON, zlib, base64): about 3 kB for a house."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(content: str, where: str) -> GameContent:
    """The game of a task's content. Raises `TaskError` naming `where`."""
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.b64decode(content, validate=True), MAX_BYTES)
        if unpacker.unconsumed_tail:
            raise ValueError(f"longer than {MAX_BYTES:,} bytes")
        return GameContent.model_validate_json(text)
    except (binascii.Error, zlib.error, ValidationError, ValueError) as error:
        raise TaskError(
            f"{where}: not the content of an ALFWorld game: {str(error).splitlines()[0]}"
        ) from error
