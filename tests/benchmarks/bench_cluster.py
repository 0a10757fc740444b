"""What the runners cost: CPU a turn, and 500 episodes against the time that the model alone would need.

The model is a server in a process of its own that answers every request after 200 ms with the same action, so
that episodes use all their turns. `python -m tests.benchmarks.bench_cluster serve PORT_FILE` is that server.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from learnact.domains import registry
from learnact.models.pool import ModelPool
from learnact.records import AgentSpec, Budget, DomainSpec, Episode, Library, ModelSpec, Prompt, Rules
from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.runner import RayRunner
from learnact.runners.worker import Worker
from tests.cluster.processes import descendants
from tests.scripted import Scripted

EPISODES, TURNS, SECONDS, IN_FLIGHT, WORKERS = 500, 10, 0.2, 64, 2
REPLY = "Action: move('rooma', 'roomb')"
BODY = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": REPLY}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010},
}


def episodes(count: int, turns: int, model: ModelSpec) -> list[Episode]:
    """Gripper episodes that differ in their seeds."""
    spec = DomainSpec("gripper")
    domain = registry.build(spec)
    tasks = domain.tasks("test")
    return [
        Episode(
            trial="bench",
            method="act",
            phase="test",
            domain=spec,
            task=tasks[number % len(tasks)],
            agent=AgentSpec("act"),
            library=Library(),
            model=model,
            budget=Budget(turns=turns),
            rules=Rules(),
            seed=number,
            prompts="",
            versions=domain.version,
        )
        for number in range(count)
    ]


@contextmanager
def server() -> Iterator[str]:
    """The base URL of the slow model."""
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "tests.benchmarks.bench_cluster", "serve", str(port_file)]
        process = subprocess.Popen(command)
        try:
            deadline = time.monotonic() + 60
            while not port_file.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the benchmark's server did not start")
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port_file.read_text()}/v1"
        finally:
            process.terminate()
            process.wait(10)


class Slow(asyncio.Protocol):
    """Just enough HTTP to answer each request after `SECONDS`.

    A server's framework would cost as much CPU as the client that is measured.
    """

    ANSWER = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        % len(json.dumps(BODY))
    ) + json.dumps(BODY).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            asyncio.get_running_loop().call_later(SECONDS, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self.ANSWER)  # type: ignore[attr-defined]


async def serve(port_file: Path) -> None:
    """Answers every request after `SECONDS`; latencies of many clients overlap."""
    server = await asyncio.get_running_loop().create_server(Slow, "127.0.0.1", 0)
    part = port_file.with_suffix(".part")
    part.write_text(str(server.sockets[0].getsockname()[1]))
    part.rename(port_file)
    await server.serve_forever()


async def turn_cpu() -> float:
    """Milliseconds of CPU a turn with a model in this process: prompt, parsing, environment, records."""
    units = episodes(40, 30, ModelSpec("m"))
    taken = []
    async with Worker(Scripted(lambda _: REPLY)) as worker:
        await worker.execute(units[0])
        for _ in range(5):
            began = time.process_time()
            for unit in units:
                outcome = await worker.execute(unit)
                assert outcome.result is not None
            taken.append((time.process_time() - began) * 1000 / (len(units) * 30))
    return statistics.median(taken)


async def client_cpu(url: str) -> float:
    """Milliseconds of CPU a call in the client, 64 in flight, with a prompt of 4 kB."""
    prompt = Prompt("You play. " * 40, ("Goal and rules. " * 220,), "Action:")
    model = ModelSpec("m", base_urls=(url,))
    taken = []
    async with ModelPool() as pool:
        await pool.complete(model, prompt, 0, "warm")
        for _ in range(3):
            began = time.process_time()
            await asyncio.gather(*(pool.complete(model, prompt, n, str(n)) for n in range(256)))
            taken.append((time.process_time() - began) * 1000 / 256)
    return statistics.median(taken)


def workers_cpu() -> float:
    """Seconds of CPU that the workers have used."""
    ticks = 0
    for pid in descendants("ray::UnitActor"):
        stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def batch(url: str) -> tuple[float, float, float]:
    """Seconds for the batch on Ray, seconds until its workers were up, and a worker's CPU ms a turn."""
    units = episodes(EPISODES, TURNS, ModelSpec("m", base_urls=(url,)))
    began = time.perf_counter()
    async with RayRunner(RayOptions(workers=WORKERS, in_flight=IN_FLIGHT // WORKERS)) as runner:
        warm = episodes(IN_FLIGHT, 1, ModelSpec("m", base_urls=(url,)))
        while runner.ready < WORKERS:
            await asyncio.sleep(0.05)
        async for _ in runner.run(warm):
            pass
        up, used = time.perf_counter(), workers_cpu()
        done = [outcome async for outcome in runner.run(units)]
        seconds = time.perf_counter() - up
        cpu = (workers_cpu() - used) * 1000 / (EPISODES * TURNS)
    assert len(done) == EPISODES
    assert all(o.result is not None and not o.attempts for o in done)
    return seconds, up - began, cpu


def run() -> list[dict[str, Any]]:
    """Rows for the table of benchmarks."""
    ideal = EPISODES * TURNS * SECONDS / IN_FLIGHT
    with server() as url:
        client = asyncio.run(client_cpu(url))
        seconds, start, cpu = asyncio.run(batch(url))
    waves = math.ceil(EPISODES / IN_FLIGHT) * TURNS * SECONDS
    return [
        {
            "name": "harness CPU a turn, model in-process",
            "value": asyncio.run(turn_cpu()),
            "unit": "ms",
            "target": 1.0,
        },
        {
            "name": "client CPU a call, 4 kB prompt, 64 in flight",
            "value": client,
            "unit": "ms",
            "target": None,
        },
        {
            "name": f"{EPISODES} episodes x {TURNS} turns at {SECONDS * 1000:.0f} ms, {IN_FLIGHT} in"
            f" flight, over the ideal {ideal:.1f} s",
            "value": seconds / ideal,
            "unit": "x",
            "target": 1.10,
        },
        {"name": "the same over whole waves of 64", "value": seconds / waves, "unit": "x", "target": None},
        {"name": "CPU of a worker a turn, client included", "value": cpu, "unit": "ms", "target": None},
        {"name": "Ray and two workers up", "value": start, "unit": "s", "target": None},
    ]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[2])))
