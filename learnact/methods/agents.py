"""Agents by name. Another package adds one through the entry-point group `learnact.agents` (name -> coroutine function over a Stage)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from learnact.methods.act import act
from learnact.methods.code_as_policies import code_as_policies, program
from learnact.methods.episode import EpisodeRun
from learnact.methods.react import react
from learnact.plugins import PluginRegistry

Agent: TypeAlias = Callable[[EpisodeRun], Awaitable[None]]
WRITES_CODE = frozenset({"program", "code_as_policies"})
"""Agents that need a sandbox though their library is empty."""

AGENTS: PluginRegistry[Agent] = PluginRegistry(
    "agent",
    "learnact.agents",
    {"act": act, "react": react, "program": program, "code_as_policies": code_as_policies},
)
