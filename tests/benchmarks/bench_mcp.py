"""Tools of an MCP server: starting one, a call with the check behind it, beside the SDK's own client on the
same server. Wall-clock time: the server is another process. Without the package there are no rows."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from learnact.domains import registry
from learnact.domains.mcp.domain import McpDomain, notes_options
from learnact.records import DomainSpec
from tests.benchmarks.family_rows import row

STARTS, CALLS = 3, 50


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("mcp") is None:
        return []
    domain = registry.build(DomainSpec("mcp"))
    assert isinstance(domain, McpDomain)
    task = domain.tasks("test")[0]
    starts = []
    for _ in range(STARTS):
        starts.append(_wall(lambda: domain.open(task).close()))
    environment = domain.open(task)
    steps = [_wall(lambda: environment.call("list_notes", [], {})) for _ in range(CALLS)]
    environment.close()
    return [
        row("start of a server", statistics.median(starts) * 1e3, "ms", 20_000),
        row("step with its check", statistics.median(steps) * 1e3, "ms", 200),
        row("call, stock client", statistics.median(asyncio.run(_stock())) * 1e3, "ms", None),
    ]


def _wall(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def _stock() -> list[float]:
    """Seconds of each call that the SDK's client makes of the server of notes."""
    import mcp

    _, *arguments = notes_options()["command"]
    server = mcp.StdioServerParameters(command=sys.executable, args=arguments)
    spent = []
    async with mcp.Client(mcp.stdio_client(server)) as client:
        await client.list_tools()
        for _ in range(CALLS):
            began = time.perf_counter()
            await client.call_tool("list_notes", {})
            spent.append(time.perf_counter() - began)
    return spent
