"""Agents by name. Another package adds one through the entry-point group `learnact.agents` (name -> coroutine function over a Stage)."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import entry_points
from typing import TypeAlias

from learnact.agents.act import act
from learnact.agents.program import code_as_policies, program
from learnact.agents.react import react
from learnact.agents.stage import Stage
from learnact.errors import JobError

Agent: TypeAlias = Callable[[Stage], Awaitable[None]]
_OWN: dict[str, Agent] = {
    "act": act,
    "react": react,
    "program": program,
    "code_as_policies": code_as_policies,
}
WRITES_CODE = frozenset({"program", "code_as_policies"})


@cache
def agent(name: str) -> Agent:
    """The agent of that name.

    Raises:
        JobError: there is none.
    """
    if name in _OWN:
        return _OWN[name]
    others = {e.name: e for e in entry_points(group="learnact.agents")}
    if name in others:
        found: Agent = others[name].load()
        return found
    names = [*_OWN, *others]
    near = difflib.get_close_matches(name, names, n=1)
    raise JobError(
        f"there is no agent {name!r}{f'; did you mean {near[0]!r}?' if near else ''} Agents: {', '.join(sorted(names))}"
    )
