"""What is said of a cluster from which nothing comes: workers that wait for a CPU, units that are stuck."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable
from typing import Any

from learnact.runners.ray.cluster_watch import ask
from learnact.runners.ray.options import RayOptions

LOOK_SECONDS = 5.0
"""Seconds between two looks at the cluster."""
FIRST_WORDS = 15.0
"""Workers may take so long to start before a word is said of it; said again after twice as long each time."""
FIRST_WORDS_HERE = 60.0
"""The same on a Ray of our own: nobody else takes its CPUs, so its workers are slow, and nothing worse."""
STUCK_SECONDS = 300.0
"""No reply and no outcome for so long, with units in flight, is told. A model's own timeout is 120 s."""


class ClusterCpus:
    """CPUs of the cluster as last told; both 0 before."""

    def __init__(self) -> None:
        self.total = 0
        self.free = 0

    async def look(self) -> None:
        """Wait a while, then ask; a cluster that does not answer is waited for (cluster_watch.py ends
        that)."""
        ray: Any = importlib.import_module("ray")  # its functions have no types
        await asyncio.sleep(LOOK_SECONDS)
        all_of = ask(lambda: (ray.cluster_resources(), ray.available_resources()))
        await asyncio.wait({all_of})
        if all_of.exception() is None:
            total, free = all_of.result()
            self.total, self.free = int(total.get("CPU", 0)), int(free.get("CPU", 0))

    def __str__(self) -> str:
        return f"the cluster has {self.total} CPUs, {self.free} of them free"


class WaitingTold:
    """Decides what to say, and how often. `now` is a clock in seconds."""

    def __init__(self, options: RayOptions, now: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._now = now
        self._cpus = "the cluster has not been asked for its CPUs"
        self._since: float | None = now()
        self._first = FIRST_WORDS if options.address is not None else FIRST_WORDS_HERE
        self._pause = self._first
        self._came = now()
        self._stuck = STUCK_SECONDS

    def heard(self) -> None:
        """A reply or an outcome has come back."""
        self._came, self._stuck = self._now(), STUCK_SECONDS

    def words(self, ready: int, places: int, in_flight: int, cpus: ClusterCpus) -> str:
        """What a person should know now; empty for nothing.

        `ready`: workers that are up, of `places`; `in_flight`: units that workers have."""
        self._cpus = str(cpus)
        now = self._now()
        if in_flight == 0:
            self._came = now
        if now - self._came >= self._stuck:
            self._stuck *= 2
            return (
                f"nothing has come back for {now - self._came:.0f} s: {in_flight} episodes and requests are "
                f"under way in {ready} workers. A model that does not answer is asked again after its "
                "`timeout`; `learnact check-model` asks it now; Ctrl-C stops, and the same command continues"
            )
        if ready >= places:
            self._since, self._pause = None, self._first
            return ""
        self._since = now if self._since is None else self._since
        if now - self._since < self._pause:
            return ""
        self._pause *= 2
        if ready:
            return (
                f"{places - ready} of {places} workers have waited {now - self._since:.0f} s for a free CPU "
                f"({self._cpus}); the run goes on with {ready}"
            )
        return f"{self.no_worker(now - self._since)}; waiting"

    def no_worker(self, seconds: float) -> str:
        """That there is no worker, and the way out."""
        said = f"no worker is ready after {seconds:.0f} s"
        if self._options.address is None:
            return f"{said}: the machine is busy; --address local runs in this process, without Ray"
        way_out = "end other work there, let the cluster grow, or take fewer workers (cluster.workers)"
        return f"{said}: {self._cpus}, and each worker takes one; {way_out}"
