"""Watches the cluster itself: a run on a cluster that is gone must end with words, and not wait for ever.

When the head's control service (GCS) dies, Ray ends the driver's process by itself after about a minute; when
the only node dies, workers that are to replace the lost ones wait for a free CPU without an end. Both are
noticed here before.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
import time
from collections.abc import Callable
from typing import Any

CHECK_SECONDS = 1.0
SILENT_SECONDS = 20.0
"""The control service may be silent for so long; Ray itself gives up after 60 s, and ends the process."""
EMPTY_SECONDS = 60.0
"""A cluster of others may have no node for so long: one that is being replaced comes back."""


async def cluster_lost(own: bool) -> str:
    """Wait until the cluster is lost; returns what happened, for a person. `own`: a Ray of our own."""
    ray: Any = importlib.import_module("ray")  # its functions have no types
    heard = peopled = time.monotonic()
    while True:
        if own and (ended := _ended_processes(ray)):
            return f"a process of Ray on this machine died ({', '.join(ended)})"
        asked, began = ask(ray.nodes), time.monotonic()
        while not asked.done():
            if time.monotonic() - began > SILENT_SECONDS:
                return f"Ray's control service has not answered for {SILENT_SECONDS:.0f} s: its process died"
            await asyncio.wait({asked}, timeout=CHECK_SECONDS)
        now = time.monotonic()
        if asked.exception() is None:
            heard = now
            if any(node["Alive"] for node in asked.result()):
                peopled = now
            elif own:
                return "Ray's node process (raylet) on this machine died"
            elif now - peopled > EMPTY_SECONDS:
                return f"the cluster has had no node for {EMPTY_SECONDS:.0f} s"
        elif now - heard > SILENT_SECONDS:
            return f"the cluster cannot be reached: {asked.exception()}"
        await asyncio.sleep(CHECK_SECONDS)


def _ended_processes(ray: Any) -> list[str]:
    """Names of the processes of our own Ray that have ended. Ray has no public word for it; where it is not
    found, the questions to the cluster notice it some seconds later."""
    node = getattr(getattr(ray, "_private", None), "worker", None)
    node = getattr(node, "_global_node", None)
    if node is None or not hasattr(node, "dead_processes"):
        return []
    return sorted({name for name, _ in node.dead_processes() if name in ("raylet", "gcs_server")})


def ask(question: Callable[[], Any]) -> asyncio.Future[Any]:
    """The answer to a question that may never be answered. Its thread is a daemon, so that the end of the
    process does not wait for it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Any] = loop.create_future()

    def told(value: Any, error: Exception | None) -> None:
        if not answer.done():
            answer.set_result(value) if error is None else answer.set_exception(error)

    def ask() -> None:
        value, failure = None, None
        try:
            value = question()
        except Exception as error:  # noqa: BLE001 - handed to the one who waits
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(told, value, failure)

    threading.Thread(target=ask, name="ray-watch", daemon=True).start()
    return answer
