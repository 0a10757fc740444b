"""A run of a synthesis in this process: as many as are wanted, limits, and what a user sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from learnact.errors import JobError
from learnact.results.reader import connect, dictionaries
from learnact.synthesis.bound import bound
from learnact.synthesis.driver import synthesize
from learnact.synthesis.job import load_synthesis
from tests.cli.conftest import learnact as command

JOB: dict[str, Any] = {
    "name": "made",
    "trajectories": 6,
    "pattern_seconds": 3.0,
    "cluster": {"runner": "local"},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert synthesize(JOB, results=folder).done
    return folder


def rows(results: Path, query: str) -> list[dict[str, Any]]:
    with connect(results) as connection:
        return dictionaries(connection, query)


def test_limits_end_a_run_and_the_same_run_goes_on_without_a_call_made_again(
    results: Path, tmp_path: Path
) -> None:
    job = {**JOB, "at_once": 2}
    calls, first = 0, synthesize({**job, "limits": {"calls": 7}}, results=tmp_path)
    assert not first.done
    assert 7 <= first.calls <= 9, "a limit is overrun by at most the calls in flight"
    assert "limits.calls" in first.reasons[0]
    calls = first.calls
    second = synthesize(job, results=tmp_path)
    assert second.done
    whole = rows(results, "SELECT * EXCLUDE (run) FROM trajectories ORDER BY example")
    assert rows(tmp_path, "SELECT * EXCLUDE (run) FROM trajectories ORDER BY example") == whole
    assert calls + second.calls == sum(row["calls"] for row in whole)
    third = synthesize(job, results=tmp_path)
    assert (third.done, third.calls, third.generated) == (True, 0, 0)


async def test_it_is_made_where_an_event_loop_runs_as_in_a_notebook(tmp_path: Path) -> None:
    assert synthesize({**JOB, "trajectories": 1}, results=tmp_path).done


def test_a_finished_run_needs_no_endpoint_and_no_sandbox(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> str:
        return "nobody answers"

    monkeypatch.setattr("learnact.synthesis.driver.why_not_askable", refused)
    monkeypatch.setattr("learnact.synthesis.driver.PatternMatcher", None)
    found = synthesize(JOB, results=results)
    assert (found.done, found.generated) == (True, 0)
    with pytest.raises(JobError, match="nobody answers"):
        synthesize({**JOB, "trajectories": 60}, results=results)


@pytest.mark.slow
def test_more_are_wanted_of_the_same_run(results: Path) -> None:
    before = rows(results, "SELECT * FROM trajectories ORDER BY example")
    more = synthesize({**JOB, "trajectories": 8}, results=results)
    assert (more.done, more.verified) == (True, 8)
    after = rows(results, "SELECT * FROM trajectories ORDER BY example")
    assert after[: len(before)] == before
    assert more.generated == len(after) - len(before)


@pytest.mark.slow
def test_too_few_examples_leave_a_run_unfinished_and_say_so(tmp_path: Path) -> None:
    job = {**JOB, "trajectories": 2, "examples": 2, "script_calls": 1, "trajectory_calls": 1, "seed": 2}
    job |= {"model": "sim-weak"}
    found = synthesize(job, results=tmp_path)
    assert not found.done
    assert found.reasons == ("2 examples were begun; raise `examples` to go on",)


def test_every_number_of_a_run_is_below_its_bound(results: Path) -> None:
    most = bound(load_synthesis({**JOB, "trajectories": 8}))
    (used,) = rows(
        results,
        "SELECT count(*) AS calls, sum(prompt_tokens) AS prompts, sum(completion_tokens) AS replies "
        "FROM calls",
    )
    assert used["calls"] <= most.calls
    assert used["prompts"] <= most.prompt_tokens
    assert used["replies"] <= most.completion_tokens


def test_checks_say_of_each_reply_what_was_found(results: Path) -> None:
    (counts,) = rows(
        results,
        """SELECT count(*) AS checks, count(DISTINCT c.request) AS requests,
            count(*) FILTER (c.accepted AND c.stage = 'trajectory') AS verified,
            count(*) FILTER (c.accepted = (c.rule = '')) AS told, count(r.key) AS joined
        FROM reply_checks c LEFT JOIN requests r ON r.key = c.request""",
    )
    (asked,) = rows(results, "SELECT count(*) AS requests, sum(calls) AS calls FROM requests")
    (made,) = rows(results, "SELECT count(*) FILTER (status = 'verified') AS verified FROM trajectories")
    assert counts["checks"] == counts["requests"] == counts["told"] == counts["joined"] == asked["requests"]
    assert counts["verified"] == made["verified"]


def test_a_user_copies_the_shipped_job(tmp_path: Path) -> None:
    told = command("jobs", "synthesize", "--copy", tmp_path / "mine.yaml")
    assert told.code == 0, told.err
    assert f"learnact synthesize {tmp_path / 'mine.yaml'} --dry-run" in told.out
    planned = command("synthesize", tmp_path / "mine.yaml", "--dry-run")
    assert "200 trajectories from 60 persons" in planned.out
    for name in ("run", "plan"):
        wrong = command(name, tmp_path / "mine.yaml")
        assert (wrong.code, "`learnact synthesize` runs it" in wrong.err) == (2, True)


def test_what_a_user_sees(results: Path, tmp_path: Path) -> None:
    job = tmp_path / "made.yaml"
    job.write_text(json.dumps(JOB))
    told = command("synthesize", job, "--results", results)
    assert told.code == 0, told.err
    assert "say nothing about language models" in told.out
    assert "0 generated now, 0 calls now" in told.out
    machine = command("synthesize", job, "--results", results, "--json").json
    assert machine["done"] is True
    assert machine["simulated"] is True
    planned = command("synthesize", job, "--dry-run", "--json").json
    assert planned["run"] == machine["run"]
    assert planned["calls"] >= machine["spent"]["calls"]
    shown = command("show", "made", "--results", results)
    assert "trajectories are verified" in shown.out
    assert "simulated model" in shown.out
    example = command("show", "made", "--example", "0", "--results", results)
    assert all(words in example.out for words in ("Person:", "Goal:", "DM", "Player", "script call 0"))
    wrong = command("show", "made", "--example", "999", "--results", results)
    assert (wrong.code, "numbered from 0" in wrong.err) == (2, True)
    words = ["sql", *["--run", "made", "--file", "synthesis", "--format", "json", "--results"], results]
    asked = command(*words)
    assert {row["stage"] for row in asked.json} == {"script", "trajectory"}
