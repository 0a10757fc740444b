"""A run under SIGKILLs of all that takes part in it gives what an undisturbed one gives, and pays for hardly
a call twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import learnact
from learnact.results.parts import tidy
from learnact.results.reader import connect
from tests.chaos.harness import JOB, KINDS, ChaosRun, Reader, model_server, table
from tests.chaos.request_log import requests_in
from tests.results.compare import compare
from tests.results.test_raw_parquet import repeated


def undisturbed(folder: Path, tests: int, repeats: int) -> tuple[Path, Counter[str]]:
    """The run without kills, in this process, and how often it asked each request."""
    with model_server(folder, latency=0.0) as server:
        job = folder / "job.yaml"
        job.write_text(JOB.format(tests=tests, repeats=repeats, url=server.url))
        summary = learnact.run(
            job, overrides=["cluster.runner=local"], results=folder / "results", check=False
        )
        assert summary.done
        return summary.folder, Counter(r.digest for r in requests_in(server.log))


@pytest.mark.parametrize(
    ("tests", "repeats", "kinds", "pauses"),
    [
        pytest.param(6, 5, KINDS[:4], (20, 60), id="short"),
        pytest.param(8, 20, KINDS * 2, (20, 90), id="10-kills", marks=pytest.mark.slow),
        pytest.param(8, 125, KINDS * 10, (60, 260), id="50-kills", marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_moment(
    tests: int,
    repeats: int,
    kinds: tuple[str, ...],
    pauses: tuple[int, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quiet, expected = undisturbed(tmp_path / "quiet", tests, repeats)
    with model_server(tmp_path / "chaos", latency=0.02) as server:
        run = ChaosRun(
            tmp_path / "chaos", JOB.format(tests=tests, repeats=repeats, url=server.url), server, 7
        )
        reader = Reader(run.results)
        reader.start()
        run.torment(kinds, pauses)
        reader.stop()
        run.count(expected)
        asked = len(requests_in(server.log))
    with capsys.disabled():
        print(f"\n{table(run.kills)}\n\nrequests {asked}, without kills {sum(expected.values())};")
        print(f"lives of the driver {run.lives}, questions of the reader {reader.polls}")
    assert len(run.kills) == len(kinds)
    assert compare(quiet, run.folder) == []
    with connect(run.results) as connection:
        ((rows, keys),) = connection.execute("SELECT count(*), count(DISTINCT key) FROM episodes").fetchall()
    assert rows == keys > 2 * tests * repeats
    tidy(run.folder, grace=0.0)  # the reader was connected as the run ended: replaced parts stayed for it
    assert repeated(run.folder) == {}
    assert [k for k in run.kills if k.cost.again > k.cost.bound] == []
    assert reader.problems == [] and reader.polls > len(kinds)
