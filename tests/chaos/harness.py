"""A run that is killed again and again, while a reader asks for its results: real processes throughout.

The moments of the kills are told in requests that the model's server has seen, drawn from a seed, so that a
busy machine changes nothing.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from learnact.errors import ResultsError
from learnact.results.reader import connect, find_run
from tests.chaos.request_log import KillCount, count_repeats, requests_in
from tests.cluster.processes import processes_below

ROOT = Path(__file__).parents[2]
BOUND_SECONDS = 900.0
"""No wait comes near it."""
KINDS = ("worker", "sandbox", "server", "driver", "raylet")
JOB = """\
name: chaos
seed: 5
domains: [{{name: gripper, train: 1, test: {tests}, balls: [1, 2]}}]
methods: [act, learnact]
models: {{agent: {{name: sim-strong, base_url: "{url}"}}, learner: {{name: sim-strong, base_url: "{url}"}}}}
repeats: {{learn: 1, test: {repeats}}}
learner: {{candidates: 2, iterations: 1}}
limits: {{tries: 20}}
cluster: {{workers: 2, in_flight: 8}}
"""


@dataclass
class Kill:
    """A kill: what, when, after how many requests of the server, and what it cost."""

    what: str
    moment: float
    requests: int
    cost: KillCount = field(default_factory=lambda: KillCount(0, 0))


class ModelServer:
    """The model's server, in a process of its own on one port; killed and started again."""

    def __init__(self, folder: Path, latency: float, host: str) -> None:
        self.log = folder / "requests.log"
        self.log.touch()
        self._latency, self._host = latency, host
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://{host}:{self.port}/v1"
        self.start()

    def start(self) -> None:
        """Start it; returns when it listens."""
        command = [sys.executable, "-m", "tests.chaos.server", str(self.port), str(self.log)]
        self._process = subprocess.Popen([*command, str(self._latency), self._host], cwd=ROOT)
        for _ in until("the server listens"):
            assert self._process.poll() is None, "the model's server ended"
            if socket.socket().connect_ex((self._host, self.port)) == 0:
                return

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def asked(self) -> int:
        """Requests that have arrived so far."""
        return self.log.read_bytes().count(b" asked ")


class Reader(threading.Thread):
    """Asks ten times a second through SQL: counts must only grow, and no question may fail. It keeps a
    connection for a while, as a person does, and opens a new one for each question too."""

    def __init__(self, results: Path | str) -> None:
        super().__init__(daemon=True)
        self._results = results
        self._ended = threading.Event()
        self.polls = 0
        self.problems: list[str] = []

    def run(self) -> None:
        """Ask until told to stop."""
        seen, kept = (0, 0, 0), None
        while not self._ended.is_set():
            time.sleep(0.1)  # the pace of a person's display
            try:
                with connect(self._results) as connection:
                    now = self._counts(connection)
                if self.polls % 50 == 0:
                    kept = connect(self._results)
                if kept is not None:
                    self._counts(kept)
            except ResultsError as error:
                if self.polls == 0:  # the run has not begun
                    continue
                self.problems.append(str(error))
                continue
            except Exception as error:  # noqa: BLE001 - any error at all is what is looked for
                self.problems.append(f"{type(error).__name__}: {error}")
                continue
            if any(new < old for new, old in zip(now, seen, strict=True)):
                self.problems.append(f"counts fell: {seen}, then {now}")
            seen, self.polls = now, self.polls + 1

    def _counts(self, connection: object) -> tuple[int, ...]:
        each = ", ".join(f"(SELECT count(*) FROM {name})" for name in ("episodes", "turns", "calls"))
        return tuple(connection.execute(f"SELECT {each}").fetchone())  # type: ignore[attr-defined]

    def stop(self) -> None:
        """End the questions."""
        self._ended.set()
        self.join()


def until(what: str) -> Iterator[None]:
    """Try again and again until the caller breaks; fails after a long time."""
    deadline = time.monotonic() + BOUND_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
    raise AssertionError(f"not within {BOUND_SECONDS:g} s: {what}")


class ChaosRun:
    """A job that is run by `learnact run` or another `command`, and started again as often as needed."""

    def __init__(
        self,
        folder: Path,
        job: str,
        server: ModelServer,
        seed: int,
        results: str | None = None,
        *,
        after: Callable[[ChaosRun], None] = lambda _: None,
        command: str = "run",
    ) -> None:
        """`after`: called when the driver was killed, before it starts again."""
        self._command = command
        self.results: Path | str = results or folder / "results"
        self._folder = folder
        self._job = folder / "job.yaml"
        self._job.write_text(job)
        self._server = server
        self._random = random.Random(seed)
        self.kills: list[Kill] = []
        self._after = after
        self.lives = 0
        self.said: list[str] = []
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-c", "from learnact.cli import main; main()"]
        command += [self._command, str(self._job)]
        command += ["--results", str(self.results), "--no-check", "--json"]
        self.lives += 1
        with (self._folder / f"life-{self.lives}.txt").open("w") as said:
            self._driver = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )

    def torment(self, kinds: Sequence[str], pauses: tuple[int, int]) -> None:
        """Kill these in turn, each after so many requests more, and let the run come to its end."""
        for kind in kinds:
            wanted = self._server.asked() + self._random.randint(*pauses)
            for _ in until(f"{wanted} requests, to kill a {kind}"):
                self._live_on()
                if self._server.asked() >= wanted and (victims := self._victims(kind)):
                    self._kill(kind, self._random.choice(victims))
                    break
        for _ in until("the run ends"):
            if self._driver.poll() == 0:
                return
            self._live_on()

    def _live_on(self) -> None:
        """Where the driver has ended without being done, the same command continues."""
        code = self._driver.poll()
        if code is None:
            return
        assert code != 0 or len(self.kills) == 0 or self._driver.returncode == 0
        if code != 0:
            assert self.kills and self.kills[-1].what in ("driver", "raylet"), self.last_words()
            self._start()
        else:
            raise AssertionError(f"the run was done after {len(self.kills)} kills")

    def last_words(self) -> str:
        """What the driver's last life wrote to standard error."""
        return (self._folder / f"life-{self.lives}.txt").read_text()[-3000:]

    def _victims(self, kind: str) -> list[int]:
        if kind == "server":
            return [0]
        if kind == "driver":
            return [self._driver.pid]
        wanted = {
            "worker": lambda text: text.startswith("ray::UnitActor"),
            "sandbox": lambda text: "learnact.sandbox.fork_server_main" in text,
            "raylet": lambda text: text.split(" ", 1)[0].endswith("/raylet"),
        }[kind]
        return processes_below(self._driver.pid, wanted)

    def _kill(self, kind: str, pid: int) -> None:
        kill = Kill(kind, time.time(), self._server.asked())
        if kind == "server":
            self._server.kill()
            self._server.start()
        else:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
        if kind == "driver":
            self._driver.wait()
            self._after(self)
        if kind == "raylet":  # the run ends by itself, with words
            assert self._driver.wait(BOUND_SECONDS) not in (0, None)
            assert "the same command continues the run" in self.last_words()
        self.kills.append(kill)
        with (self._folder / "kills.txt").open("a") as noted:  # for whoever watches a long run
            noted.write(f"{kill.moment} {kill.what} {kill.requests}\n")

    def count(self, expected: Counter[str]) -> None:
        """Charge what was asked again to the kills."""
        moments = [kill.moment for kill in self.kills]
        costs = count_repeats(requests_in(self._server.log), moments, expected)
        for kill, cost in zip(self.kills, costs, strict=True):
            kill.cost = cost

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return find_run(self.results, "chaos").folder


def table(kills: Sequence[Kill]) -> str:
    """The kills, a line each, in Markdown."""
    lines = [
        "| kill | of | after requests | in flight | answered in the last second | asked again |",
        "|---|---|---|---|---|---|",
    ]
    for number, kill in enumerate(kills, 1):
        cost = kill.cost
        cells = (number, kill.what, kill.requests, cost.in_flight, cost.last_second, cost.again)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


@contextmanager
def model_server(folder: Path, latency: float, host: str = "127.0.0.1") -> Iterator[ModelServer]:
    """The server for as long as the context is open."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ModelServer(folder, latency, host)
    try:
        yield server
    finally:
        server.kill()
