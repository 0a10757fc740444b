"""Whether every node of a cluster can do a run's work: versions, clock, results, endpoints, confinement.

`learnact doctor --address` prints the findings. Each node is asked by a task that is bound to it and needs no
free CPU, so a busy cluster can be checked too.
"""

from __future__ import annotations

import asyncio
import importlib
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from learnact.errors import LearnactError
from learnact.records import ModelSpec
from learnact.results.location import Location, location_of
from learnact.results.storage import storage_of
from learnact.runners.ray.connection import RayConnection

SKEW_SECONDS = 2.0
"""Difference between two clocks that matters: deadlines and the order of events are told by clocks."""
ANSWER_SECONDS = 120.0
"""Bound on a node's answer; testing the confinement takes some seconds of CPU time."""
PACKAGES = ("learnact", "ray", "openai", "pyarrow", "duckdb")
ROUND_TRIPS = 3


@dataclass(frozen=True)
class NodeFacts:
    """What a node tells of itself. `skew`: its clock minus the driver's, in seconds, to within half a round
    trip. `problems`: what keeps a run from working there, each with the way out; empty for a fit node."""

    node: str
    host: str
    versions: dict[str, str] = field(default_factory=dict)
    skew: float = 0.0
    problems: tuple[str, ...] = ()


async def check_cluster(
    address: str, *, results: Location | None = None, models: Sequence[ModelSpec] = ()
) -> tuple[NodeFacts, ...]:
    """Ask all nodes of the cluster at an address; `results` and `models` are tried from each.

    Raises:
        JobError: no cluster answers there.
    """
    connection = RayConnection(address)
    await connection.open()
    try:
        return await asyncio.to_thread(_ask_all, results, tuple(models))
    finally:
        await connection.close()


def versions_here() -> dict[str, str]:
    """Python and the packages whose versions must be the same on all nodes."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def look_around(results: str | None, models: Sequence[ModelSpec]) -> dict[str, Any]:
    """What this machine tells of itself, as plain data. Runs on the node."""
    from learnact.models.reachable import reachable
    from learnact.sandbox.self_test import run_self_test

    tested = asyncio.run(run_self_test())
    problems = [problem for model in models if (problem := asyncio.run(reachable(model)))]
    if results is not None and (problem := _unwritable(location_of(results))):
        problems.append(problem)
    return {
        "versions": versions_here(),
        "walls": [one.layer for one in tested if one.needed and one.state != "stands"],
        "problems": problems,
    }


def _unwritable(folder: Location) -> str | None:
    if not isinstance(folder, Path):
        try:
            storage_of(folder).names()
        except LearnactError as error:
            return str(error)
        return None
    if not folder.is_dir():
        return f"{folder} is not there: mount the folder of results on this node, or make it"
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"learnact")
            probe.flush()
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}; permit it, or name another folder"
    return None


def _ask_all(results: Location | None, models: Sequence[ModelSpec]) -> tuple[NodeFacts, ...]:
    ray: Any = importlib.import_module("ray")  # its functions have no types
    nodes = [node for node in ray.nodes() if node["Alive"]]
    asked = {node["NodeID"]: _Question(ray, node["NodeID"]) for node in nodes}
    looks = {node: question.look(results, models) for node, question in asked.items()}
    hosts = {
        node["NodeID"]: f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})" for node in nodes
    }
    return tuple(_facts(node, hosts[node], asked[node], answer) for node, answer in looks.items())


class _Question:
    """Tasks on one node. The functions are sent by value, so that a node without learnact can answer too."""

    def __init__(self, ray: Any, node: str) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._here = {"num_cpus": 0, "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False)}

    def look(self, results: Location | None, models: Sequence[ModelSpec]) -> Any:
        """The reference of the node's answer."""

        def look(folder: str | None, specs: Sequence[ModelSpec]) -> Any:
            from learnact.runners.ray import cluster_check

            return cluster_check.look_around(folder, specs)

        task = self._ray.remote(look).options(**self._here, max_retries=0)
        return task.remote(None if results is None else str(results), models)

    def skew(self) -> float:
        """The node's clock minus ours, from the quickest of some round trips."""

        def now() -> float:
            import time

            return time.time()

        task = self._ray.remote(now).options(**self._here)
        trips: list[tuple[float, float]] = []
        for _ in range(ROUND_TRIPS):
            before = time.time()
            there = self._ray.get(task.remote(), timeout=ANSWER_SECONDS)
            after = time.time()
            trips.append((after - before, there - (before + after) / 2))
        return min(trips)[1]


def _facts(node: str, host: str, question: _Question, answer: Any) -> NodeFacts:
    import ray

    try:
        told = ray.get(answer, timeout=ANSWER_SECONDS)
        skew = question.skew()
    except ray.exceptions.RayError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return NodeFacts(node, host, problems=(f"does not answer: {lines[-1][:300]}",))
    here, problems = versions_here(), list(told["problems"])
    for name, version in told["versions"].items():
        if version != here.get(name):
            problems.append(f"{name} {version}, but {here.get(name)} here: install the same on all nodes")
    if told["walls"]:
        problems.append(f"learned code is refused: {', '.join(told['walls'])} missing; see docs/sandbox.md")
    if abs(skew) > SKEW_SECONDS:
        problems.append(f"its clock differs by {skew:+.1f} s: synchronise the clocks (NTP)")
    return NodeFacts(node, host, told["versions"], skew, tuple(problems))
