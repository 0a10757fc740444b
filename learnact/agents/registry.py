"""Agents by name. Another package adds one through the entry-point group `learnact.agents` (name -> coroutine function over a Stage)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from learnact.agents.act import act
from learnact.agents.program import code_as_policies, program
from learnact.agents.react import react
from learnact.agents.stage import Stage
from learnact.registered import Registered

Agent: TypeAlias = Callable[[Stage], Awaitable[None]]
WRITES_CODE = frozenset({"program", "code_as_policies"})
"""Agents that need a sandbox though their library is empty."""

AGENTS: Registered[Agent] = Registered(
    "agent",
    "learnact.agents",
    {"act": act, "react": react, "program": program, "code_as_policies": code_as_policies},
)
