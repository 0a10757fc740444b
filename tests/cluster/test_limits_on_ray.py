"""The limiter as an actor: what its death does, and the metrics of a cluster's processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from tests.cluster.processes import descendants
from tests.integration.test_run import answers, job
from tests.models.server import FaultServer

TITLE = "ray::LimiterActor"


@pytest.mark.slow
async def test_a_run_goes_on_when_its_limiter_is_killed(tmp_path: Path) -> None:
    """Killed by a reply of the model, while permits are leased: Ray starts another, which begins empty."""
    reply, killed = answers(), []

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(server.bodies) == 20:
            killed.extend(descendants(TITLE))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return await reply(request, body)

    async with FaultServer(always=answer) as server:
        model = {"name": "m", "base_url": server.url, "limits": {"requests_per_minute": 3000}}
        wanted = job(
            server.url,
            methods="act",
            models={"agent": model, "learner": model},
            cluster={"workers": 2, "in_flight": 4},
            tasks={"test": 6},
        )
        done = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, check=False)
    assert len(killed) == 1
    assert done.done
    assert done.counters.attempts == 0


@pytest.mark.slow
def test_workers_and_limiter_export_metrics_through_ray(tmp_path: Path) -> None:
    """In a process of its own, whose Ray has a metrics port."""
    script = textwrap.dedent(
        f"""
        import socket, time, urllib.request
        import ray, learnact

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        options = {{"num_cpus": 2, "include_dashboard": False, "log_to_driver": False}}
        for left in range(5, -1, -1):
            try:
                ray.init(address="local", _metrics_export_port=port, **options)
                break
            except Exception:  # a busy machine takes longer than the 30 s that Ray waits for its node
                ray.shutdown()
                assert left
        job = {{
            "name": "metrics",
            "domains": [{{"name": "gripper", "test": 2}}],
            "methods": "act",
            "repeats": {{"learn": 1, "test": 1}},
            "models": {{"agent": {{"name": "sim-strong", "limits": {{"requests_per_minute": 100000}}}}}},
            "cluster": {{"workers": 1}},
        }}
        done = learnact.run(job, results={str(tmp_path)!r})
        assert done.done
        until, text = time.monotonic() + 300, ""
        while time.monotonic() < until and "ray_learnact_calls_total" not in text:
            time.sleep(1)
            with urllib.request.urlopen(f"http://127.0.0.1:{{port}}/metrics", timeout=60) as answer:
                text = answer.read().decode()
        for line in text.splitlines():
            if line.startswith("ray_learnact"):
                print(line.split("{{")[0], line.rsplit(" ", 1)[1])
        ray.shutdown()
        """
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    found = dict(line.split() for line in ran.stdout.splitlines() if line.startswith("ray_learnact"))
    assert float(found["ray_learnact_calls_total"]) > 0
    assert float(found["ray_learnact_episodes_total"]) == 2
    assert {"ray_learnact_limiter_bound", "ray_learnact_limiter_requests_left"} <= set(found)
