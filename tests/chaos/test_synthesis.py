"""A synthesis under SIGKILLs of all that takes part in it makes what an undisturbed one makes, each example
once, and asks nothing again but what was in flight."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from learnact.results.reader import connect, connect_folders
from learnact.synthesis.driver import synthesize
from tests.chaos.harness import ChaosRun, model_server, table
from tests.chaos.request_log import requests_in
from tests.results.compare import compare
from tests.results.test_raw_parquet import repeated

JOB = """\
name: chaos
trajectories: {trajectories}
model: {{name: sim-strong, base_url: "{url}"}}
pattern_seconds: 2.0
at_once: 16
limits: {{tries: 20}}
cluster: {{workers: 2, in_flight: 8}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trajectories", "kinds"),
    [
        pytest.param(40, ("driver", "worker", "sandbox", "driver", "server"), id="short"),
        pytest.param(200, ("driver", "worker", "sandbox", "server") * 3, id="12-kills"),
    ],
)
def test_killed_at_any_moment(
    trajectories: int, kinds: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with model_server(tmp_path / "quiet", latency=0.0) as server:
        job = tmp_path / "quiet" / "job.yaml"
        job.write_text(JOB.format(trajectories=trajectories, url=server.url))
        quiet = synthesize(job, overrides=["cluster.runner=local"], results=tmp_path / "quiet", check=False)
        assert quiet.done
        expected = Counter(r.digest for r in requests_in(server.log))
    with model_server(tmp_path / "chaos", latency=0.05) as server:
        text = JOB.format(trajectories=trajectories, url=server.url)
        run = ChaosRun(tmp_path / "chaos", text, server, 7, command="synthesize")
        run.torment(kinds, (8, 20))
        run.count(expected)
        asked = len(requests_in(server.log))
    with capsys.disabled():
        print(f"\n{table(run.kills)}\n\nrequests {asked}, without kills {sum(expected.values())};")
        print(f"lives of the driver {run.lives}")
    assert compare(quiet.folder, run.folder) == []
    assert repeated(run.folder) == {}
    with connect_folders([run.folder]) as connection:
        ((rows, numbers, last, keys),) = connection.execute(
            "SELECT count(*), count(DISTINCT example), max(example), count(DISTINCT key) FROM trajectories"
        ).fetchall()
        ((requests, distinct),) = connection.execute(
            "SELECT count(*), count(DISTINCT key) FROM stored.requests"
        ).fetchall()
    assert rows == numbers == keys == last + 1, "each example once, none is missing"
    assert requests == distinct == sum(expected.values())
    with connect(run.results) as connection:
        ((verified,),) = connection.execute(
            "SELECT count(*) FROM trajectories WHERE status = 'verified'"
        ).fetchall()
    assert verified == trajectories
    assert [k for k in run.kills if k.cost.again > k.cost.bound] == []
