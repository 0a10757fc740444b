"""A job handed to the job server of a real Ray cluster: submitted, followed, stopped, fetched."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from learnact.runners.ray.job_server import JobServer
from tests.cli.conftest import learnact
from tests.cluster.test_remote import free_port

JOB = """
name: submitted
models: {agent: sim-strong}
domains: [{name: gripper, test: 3, train: 1, balls: [2, 3]}]
methods: [act]
repeats: {learn: 1, test: 1}
"""


def rows(query: str, results: str) -> list[dict[str, int]]:
    done = learnact("sql", query, "--results", results, "--format", "json")
    assert done.code == 0, done.err
    return list(done.json)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text(JOB)
    return tmp_path


def test_what_cannot_be_submitted_is_refused_before_anything_is_sent(desk: Path) -> None:
    where = ("--address", f"http://127.0.0.1:{free_port()}")
    relative = learnact("submit", "my.yaml", *where, "--results", "results")
    assert relative.code == 2 and "--results results: give an absolute folder" in relative.err
    silent = learnact("submit", "my.yaml", *where, "--results", "/results")
    assert silent.code == 2 and "no job server answers at" in silent.err and "ray start --head" in silent.err
    odd = learnact("status", "--address", "ray://127.0.0.1:10001")
    assert odd.code == 2 and "give the job server's URL, such as http://HEAD:8265" in odd.err
    unnamed = learnact("status")
    assert unnamed.code == 2 and "RAY_API_SERVER_ADDRESS" in unnamed.err
    wrong = learnact("submit", "my.yaml", *where, "--results", "/results", "--set", "methods=[actt]")
    assert wrong.code == 2 and "did you mean" in wrong.err


def test_inside_a_ray_job_a_relative_folder_is_refused(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    done = learnact("run", "my.yaml", "--results", "results")
    assert done.code == 2 and "inside a Ray job a relative folder" in done.err
    assert not (desk / "results").exists()


class BrokenOnce:
    """A job server's client whose connection breaks in the middle of a log."""

    broken = False
    asked = 0

    async def tail_job_logs(self, _job: str) -> AsyncIterator[str]:
        yield "one "
        if not self.broken:
            self.broken = True
            raise RuntimeError("the connection was closed")
        yield "two "

    def get_job_info(self, job: str) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(
            submission_id=job,
            status="SUCCEEDED" if self.asked > 1 else "RUNNING",
            message="",
            driver_exit_code=0,
            start_time=None,
            end_time=None,
            metadata={},
        )

    def get_job_logs(self, _job: str) -> str:
        return "one two three"


async def test_what_was_shown_is_not_shown_again_when_the_connection_broke() -> None:
    server, client = JobServer.__new__(JobServer), BrokenOnce()
    server._client = client
    shown = [text async for text in server.follow("job")]
    assert "".join(shown) == "one two three"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The job server's URL of a head of its own, ended by its process id."""
    port, dashboard = free_port(), free_port()
    folder = Path("/tmp") / f"ls{os.getpid()}"
    environment = {
        **os.environ,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--head"]
    command += ["--block", "--num-cpus=2", f"--port={port}", f"--ray-client-server-port={free_port()}"]
    command += ["--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
    command += [f"--temp-dir={folder}", "--object-store-memory=100000000", "--include-dashboard=true"]
    command += [f"--dashboard-agent-listen-port={free_port()}", f"--dashboard-agent-grpc-port={free_port()}"]
    log = tmp_path_factory.mktemp("ray") / "head.txt"
    with log.open("w") as out:
        head = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        while socket.socket().connect_ex(("127.0.0.1", dashboard)):
            assert head.poll() is None, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{dashboard}"
    finally:
        head.send_signal(signal.SIGTERM)
        head.wait()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


@pytest.mark.slow
def test_submitted_followed_and_fetched(desk: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", server)
    results = desk / "on the cluster"
    done = learnact("submit", "my.yaml", "--results", str(results), "--id", "first")
    assert done.code == 0, done.out + done.err
    assert "submitted first" in done.out and "3/3" in done.out
    assert learnact("status", "first").out.startswith("first: succeeded")
    row = json.loads(learnact("status", "first", "--json").out)
    assert (row["job"], row["exit_code"], row["results"]) == ("submitted", 0, str(results))
    fetched = learnact("fetch", "first", "--results", "here")
    assert fetched.code == 0, fetched.err
    assert rows("SELECT count(*) AS n FROM episodes", "here") == [{"n": 3}]
    again = learnact("submit", "my.yaml", "--results", str(results), "--json")
    assert json.loads(again.out.splitlines()[-1])["status"] == "SUCCEEDED"
    assert len(list(results.iterdir())) == 1
    assert learnact("submit", "my.yaml", "--results", str(results), "--id", "first").code == 2
    unknown = learnact("status", "third")
    assert unknown.code == 2 and "there is no job 'third'" in unknown.err and "first" in unknown.err


@pytest.mark.slow
def test_stopped_jobs_keep_what_they_have_and_continue(
    desk: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", server)
    results = desk / "results"
    long = ("my.yaml", "--results", str(results), "--set", "repeats.test=150")
    assert learnact("submit", *long, "--id", "long", "--no-wait").code == 0
    while not list(results.glob("*/episodes.*.parquet")):
        state = learnact("status", "long", "--json")
        assert json.loads(state.out)["status"] in ("PENDING", "RUNNING"), state.out
        time.sleep(0.2)
    assert "asked to stop" in learnact("stop", "long").out
    while json.loads(learnact("status", "long", "--json").out)["status"] == "RUNNING":
        time.sleep(0.2)
    assert learnact("fetch", "long", "--results", "here").code == 0
    kept = rows("SELECT count(*) AS n FROM episodes", "here")[0]["n"]
    assert 0 < kept < 450
    assert learnact("submit", *long).code == 0
    count = "SELECT count(*) AS n, count(DISTINCT key) AS k FROM episodes"
    assert rows(count, str(results)) == [{"n": 450, "k": 450}]
