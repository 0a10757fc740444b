"""A run's Parquet files, read by plain DuckDB as anybody would: each key once in every table."""

from pathlib import Path

import duckdb
import pytest

import learnact
from learnact.results.reader import connect
from learnact.results.tables import TABLES
from tests.chaos.harness import JOB, ChaosRun, model_server

KEYS = {
    "episodes": "key",
    "turns": "episode, turn",
    "requests": "key",
    "calls": "unit, ordinal",
    "libraries": "trial, library",
    "candidates": "trial, iteration, candidate",
    "attempts": "unit, attempt, recorded",
    "trials": "trial",
    "events": "seq",
    "checks": "name",
    "blocks": "hash",
    "trajectories": "trial, example",
    "reply_checks": "trial, example, stage, attempt",
}
LEARNING = JOB.replace("workers: 2, in_flight: 8", "runner: local").replace("[act, learnact]", "[learnact]")


def repeated(folder: Path) -> dict[str, tuple[int, int]]:
    """Tables with rows whose key another row has: how many rows and keys."""
    found = {}
    for table, key in KEYS.items():
        if files := list(folder.glob(f"{table}.*.parquet")):
            query = f"SELECT count(*), count(DISTINCT ({key})) FROM read_parquet({list(map(str, files))})"
            (counts,) = duckdb.sql(query).fetchall()
            if counts[0] != counts[1]:
                found[table] = counts
    return found


def rows(folder, table):
    content = ", ".join(name for name in TABLES[table].schema.names if name != "seq")
    files = list(map(str, folder.glob(f"{table}.*.parquet")))
    return duckdb.sql(f"SELECT {content} FROM read_parquet({files})").fetchall() if files else []


@pytest.mark.slow  # tests/chaos looks at the end of a killed run in `make test`
def test_each_key_once_after_the_driver_was_killed_twice(tmp_path):
    """The learner runs again from its beginning, and what is on file already is not written again."""
    written = []

    def note(run):
        written.append({table: rows(run.folder, table) for table in ("candidates", "checks")})

    with model_server(tmp_path, latency=0.02) as server:
        run = ChaosRun(tmp_path, LEARNING.format(tests=4, repeats=25, url=server.url), server, 3, after=note)
        run.torment(["driver", "driver"], (140, 160))
    first, second = written
    assert len(first["candidates"]) >= 2  # it had learned, and then did so again
    assert second["candidates"] == first["candidates"] and second["checks"] == first["checks"]
    assert repeated(run.folder) == {}
    with connect(run.folder.parent) as connection:
        for table in KEYS:
            (shown,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
            assert shown == len(rows(run.folder, table)), table


def test_a_finished_run_that_is_run_again_writes_no_row_but_its_events(tmp_path):
    job = {
        "name": "again",
        "domains": [{"name": "gripper", "train": 1, "test": 2, "balls": [1, 2]}],
        "methods": ["act", "learnact"],
        "models": {"agent": "sim-strong", "learner": "sim-strong"},
        "repeats": {"learn": 1},
        "learner": {"candidates": 2, "iterations": 1},
        "cluster": {"runner": "local"},
    }
    first = learnact.run(job, results=tmp_path, check=False)
    before = {table: rows(first.folder, table) for table in KEYS if table not in ("events", "attempts")}
    again = learnact.run(job, results=tmp_path, check=False)
    assert again.folder == first.folder
    assert {table: rows(first.folder, table) for table in before} == before
    assert repeated(first.folder) == {}
