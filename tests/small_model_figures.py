"""Plays jobs/small_model.yaml and writes its figures into docs/local-models.md: `python -m
tests.small_model_figures [RESULTS]`. Needs `make install-local`; a run that is in RESULTS already is read
and not played again."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import learnact
from learnact.errors import ResultsError
from learnact.job import load
from learnact.results.reader import connect_folders, find_run
from tests.docs_figures import ROOT
from tests.marked_blocks import put

PAGE = ROOT / "docs" / "local-models.md"
BY_TRIAL = """
WITH played AS (
    SELECT e.method, e.key, e.phase, e.success FROM episodes e WHERE e.phase IN ('learn', 'test')
), replies AS (
    SELECT p.method, count(*) AS replies, avg((t.kind <> 'unreadable')::INT) AS readable,
           avg(t.ok::INT) AS valid
    FROM turns t JOIN played p ON p.key = t.episode GROUP BY 1
), solved AS (
    SELECT method, sum(success::INT) AS solved, count(*) AS episodes
    FROM played WHERE phase = 'test' GROUP BY 1
), asked AS (
    SELECT u.method, count(*) AS calls, sum(prompt_tokens) AS told, sum(cached_tokens) AS cached,
           sum(completion_tokens) AS written, sum(latency) AS seconds
    FROM (SELECT key, method FROM episodes UNION ALL SELECT key, method FROM requests) u
    JOIN calls c ON c.unit = u.key GROUP BY 1
)
SELECT a.method, a.calls, r.replies, r.readable, r.valid, s.solved, s.episodes, a.written / a.seconds,
       a.cached / a.told
FROM asked a JOIN replies r USING (method) JOIN solved s USING (method) ORDER BY a.method
"""


def table(results: Path) -> str:
    """The table, from the latest run of the job in a results folder; it is played where there is none."""
    notes = ""
    try:
        folder = find_run(results, "small_model").folder
    except ResultsError:
        began = time.perf_counter()
        job = load(ROOT / "jobs" / "small_model.yaml", ("cluster.runner=local",))
        folder = learnact.run(job, results=results).folder
        minutes = (time.perf_counter() - began) / 60
        machine = f"load average {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores"
        notes = f"\nThe run took {minutes:.1f} minutes ({machine}).\n"
    with connect_folders([folder]) as connection:
        rows = connection.execute(BY_TRIAL).fetchall()
    lines = [
        "| method | calls | agent's replies | readable | valid actions | solved | tokens written a second | "
        "prompt tokens from the cache |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for method, calls, replies, readable, valid, solved, episodes, speed, cached in rows:
        lines.append(
            f"| {method} | {calls} | {replies} | {readable:.0%} | {valid:.0%} | {solved} of {episodes} | "
            f"{speed:.1f} | {cached:.0%} |"
        )
    return "\n".join(lines) + "\n" + notes


def main() -> None:
    """Write the block."""
    with tempfile.TemporaryDirectory() as made:
        results = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        written = table(results)
    put(PAGE, "small-model", written)
    print(written)


if __name__ == "__main__":
    main()
