"""A cluster that runs already: by its address, by "auto", and through Ray's client (ray://)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.test_lifecycle import script

pytestmark = pytest.mark.slow

RUN = """
async def main():
    async with RayRunner(RayOptions(address=sys.argv[1], workers=2, in_flight=4), Scripted) as runner:
        done = [o async for o in runner.run(unit(n, "sleep 0.1") for n in range(30))]
        print(len(done), sum(o.result is not None for o in done), sum(len(o.attempts) for o in done))
asyncio.run(main())
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, dict[str, str]]]:
    """Port, client port and environment of a cluster with a home and a folder of its own, ended by its
    process id."""
    port, client = free_port(), free_port()
    folder = Path("/tmp") / f"lr{os.getpid()}"
    environment = {
        **os.environ,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(folder),
    }
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--num-cpus=3"]
    command += [f"--port={port}", f"--ray-client-server-port={client}", "--node-ip-address=127.0.0.1"]
    command += ["--include-dashboard=false", f"--temp-dir={folder}", "--object-store-memory=100000000"]
    head = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for number in (port, client):
            while socket.socket().connect_ex(("127.0.0.1", number)):
                assert head.poll() is None, head.stdout.read() if head.stdout else ""
                time.sleep(0.1)
        yield port, client, environment
    finally:
        head.send_signal(signal.SIGTERM)
        head.wait()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


@pytest.mark.parametrize("kind", ["address", "auto", "client"])
def test_a_running_cluster_is_used_and_left_running(
    cluster: tuple[int, int, dict[str, str]], kind: str
) -> None:
    port, client, environment = cluster
    address = {"address": f"127.0.0.1:{port}", "auto": "auto", "client": f"ray://127.0.0.1:{client}"}[kind]
    extra = {"RAY_ADDRESS": f"127.0.0.1:{port}"} if kind == "auto" else {}
    done = script(RUN, address, **environment, **extra)
    assert done.stdout.split() == ["30", "30", "0"], done.stderr
    assert socket.socket().connect_ex(("127.0.0.1", port)) == 0


def test_doctor_asks_every_node(cluster: tuple[int, int, dict[str, str]], tmp_path: Path) -> None:
    port, _, environment = cluster
    command = [sys.executable, "-m", "learnact.cli", "doctor", "--address", f"127.0.0.1:{port}", "--json"]

    def asked(*more: str) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [*command, *more], capture_output=True, text=True, env=environment, timeout=300, check=False
        )
        (node,) = json.loads(done.stdout)
        return done.returncode, node

    code, node = asked("--results", str(tmp_path))
    assert (code, node["problems"]) == (0, [])
    assert node["versions"]["learnact"] and abs(node["skew"]) < 2.0
    job = tmp_path / "job.yaml"
    job.write_text(
        f"name: x\nmodels: {{agent: {{name: m, base_url: 'http://127.0.0.1:{free_port()}/v1'}}}}\n"
        "domains: [gripper]\nmethods: [act]\n"
    )
    code, node = asked("--results", str(tmp_path / "none"), "--job", str(job))
    assert code == 1 and len(node["problems"]) == 2
    assert "cannot be reached" in node["problems"][0] and "is not there: mount" in node["problems"][1]
