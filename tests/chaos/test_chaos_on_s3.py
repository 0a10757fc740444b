"""The short suite of kills, with the results in a bucket of a real S3 server: driver, worker, sandbox parent
and model server are killed with SIGKILL in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from learnact.results.reader import connect
from learnact.results.storage import objects, s3
from tests.chaos.harness import JOB, KINDS, ChaosRun, Reader, model_server, table
from tests.chaos.request_log import requests_in
from tests.chaos.test_chaos import undisturbed
from tests.results.compare import compare
from tests.s3_server import s3_server

pytestmark = pytest.mark.slow
TESTS, REPEATS, PAUSES = 6, 5, (20, 60)


def test_a_run_in_a_bucket_is_killed_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet, expected = undisturbed(tmp_path / "quiet", TESTS, REPEATS)
    with s3_server(tmp_path / "s3") as store, model_server(tmp_path / "chaos", latency=0.02) as server:
        for name, value in {**store.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
            monkeypatch.setenv(name, value)
        for cached in (objects._cache, s3.bucket_of):
            cached.cache_clear()
        place = f"s3://{store.bucket('chaos')}/results"
        job = JOB.format(tests=TESTS, repeats=REPEATS, url=server.url)
        run = ChaosRun(tmp_path / "chaos", job, server, 7, place)
        reader = Reader(place)
        reader.start()
        run.torment(KINDS[:4], PAUSES)
        reader.stop()
        run.count(expected)
        with capsys.disabled():
            print(f"\n{table(run.kills)}\n\nrequests {len(requests_in(server.log))},")
            print(f"without kills {sum(expected.values())}; lives of the driver {run.lives}, {reader.polls}")
            print("questions of the reader")
        assert len(run.kills) == 4
        assert compare(quiet, run.folder) == []
        with connect(place) as connection:
            ((rows, keys),) = connection.execute(
                "SELECT count(*), count(DISTINCT key) FROM episodes"
            ).fetchall()
        assert rows == keys > 2 * TESTS * REPEATS
        assert [k for k in run.kills if k.cost.again > k.cost.bound] == []
        assert reader.problems == []
        assert reader.polls > 4
