"""A job that is handed to the job server of three hosts, of which one is cut off and another joins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from learnact.results.reader import connect, find_run
from tests.chaos.harness import JOB, ROOT, model_server, until
from tests.chaos.request_log import count_repeats, requests_in
from tests.chaos.test_chaos import undisturbed
from tests.cluster.hosts import Hosts
from tests.results.compare import compare

pytestmark = pytest.mark.slow
TESTS, REPEATS = 8, 8


def nodes_of(hosts: Hosts) -> int:
    """Nodes that live, by the head's own word."""
    try:
        with urllib.request.urlopen(f"{hosts.job_server}/nodes?view=summary", timeout=10) as answer:
            found = json.load(answer)["data"]["summary"]
    except OSError:
        return 0
    return sum(node["raylet"].get("state") == "ALIVE" for node in found)


def played_on(results: Path, hosts: Hosts) -> bool:
    """Whether the host that is to be cut off has played an episode to its end."""
    with connect(results) as connection:
        where = "WHERE node = 'host-2'" if hosts.namespaces else ""
        ((count,),) = connection.execute(f"SELECT count(*) FROM episodes {where}").fetchall()
    return bool(count)


def test_one_host_is_cut_off_and_another_joins_and_nothing_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet, expected = undisturbed(tmp_path / "quiet", TESTS, REPEATS)
    with Hosts() as hosts, model_server(tmp_path / "model", 0.3, hosts.gateway) as server:
        for _ in range(3):
            number = hosts.start()
            for _ in until(f"host {number} has joined: {hosts.said(number)}"):
                if nodes_of(hosts) == number + 1:
                    break
        job = tmp_path / "job.yaml"
        job.write_text(JOB.format(tests=TESTS, repeats=REPEATS, url=server.url).replace("workers: 2, ", ""))
        results = tmp_path / "results"
        command = [sys.executable, "-c", "from learnact.cli import main; main()", "submit", str(job)]
        command += ["--address", hosts.job_server, "--results", str(results)]
        with (tmp_path / "said.txt").open("w") as said:
            submitted = subprocess.Popen(
                command, cwd=ROOT, stdout=said, stderr=said, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
        for _ in until("the run is well under way"):
            assert submitted.poll() is None, (tmp_path / "said.txt").read_text()
            if server.asked() > 150 and played_on(results, hosts):
                break
        moment = time.time()
        hosts.cut(2)
        joined = hosts.start()
        code = submitted.wait(1800)
        words = (tmp_path / "said.txt").read_text()
        assert code == 0, words
        requests = requests_in(server.log)
        (cost,) = count_repeats(requests, [moment], expected)
    assert compare(quiet, find_run(results, "chaos").folder) == []
    with connect(results) as connection:
        rows = connection.execute(
            "SELECT node, count(*), count(DISTINCT key) FROM episodes GROUP BY 1"
        ).fetchall()
    with capsys.disabled():
        print(f"\nepisodes by host: {sorted(rows)}; {cost}")
    assert all(count == keys for _, count, keys in rows)
    assert cost.again <= cost.bound
    if hosts.namespaces:
        assert {f"host-{n}" for n in (0, 1, 2, joined)} == {node for node, _, _ in rows}
