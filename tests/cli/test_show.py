"""Episodes of a run by task, method and outcome."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import pytest

from learnact.report.failed import CAUSES, FailedEpisode, failed_query, why_failed
from learnact.report.trajectory import episode_row
from learnact.results.reader import connect, dictionaries, load_episode
from tests.cli.conftest import Desk, learnact
from tests.report.conftest import write


def test_episodes_are_listed_by_task_method_and_outcome(desk: Desk) -> None:
    rows = learnact("show", "desk", "--method", "learnact", *desk.results, "--json").json
    assert rows
    assert {row["method"] for row in rows} == {"learnact"}
    task = rows[0]["task"]
    for arguments in ([task], ["--task", task]):
        shown = learnact("show", "desk", *arguments, *desk.results)
        assert shown.code == 0, shown.err
        assert "act: gripper" in shown.out
        assert f" {task}, repeat" in shown.out
        assert (
            f"Open one: learnact show {desk.folder.name}" in shown.out or "learnact show desk-" in shown.out
        )
    solved = learnact("show", "desk", "--failed", "--method", "learnact", *desk.results)
    assert solved.code == 0
    assert solved.out.strip() == "No test episode fits."


def test_a_single_episode_that_fits_is_shown(tmp_path: Path) -> None:
    folder = asyncio.run(write(tmp_path))
    options = ("--method", "act", "--task", "gripper-001", "--results", str(tmp_path))
    only = learnact("show", folder.name, *options)
    assert only.code == 0, only.err
    assert "act plays gripper gripper-001" in only.out


def test_what_is_not_there_is_told_with_near_names(desk: Desk) -> None:
    for arguments, near in (["--method", "lernact"], "learnact"), (["grippr"], "gripper-"):
        missing = learnact("show", "desk", *arguments, *desk.results)
        assert missing.code == 2
        assert near in missing.err
    both = learnact("show", "desk", "abc", "--failed", *desk.results)
    assert both.code == 2
    assert "one of these" in both.err


def test_the_story_of_learning_names_each_candidates_library(desk: Desk) -> None:
    shown = learnact("show", "desk", *desk.results).out
    library = learnact("show", "desk", *desk.results, "--json").json["best_library"]["library"]
    assert f"library {library[:12]})" in shown


def test_a_failed_episode_says_why_it_failed(tmp_path: Path) -> None:
    """In the list of failed episodes, in the episode opened, and as JSON: the same cause as in the report."""
    run = asyncio.run(write(tmp_path)).name
    results = ("--results", str(tmp_path))
    rows = learnact("show", run, "--failed", *results, "--json").json
    assert rows and all(row["failed"]["cause"] in CAUSES for row in rows)
    listed = learnact("show", run, "--failed", *results).out
    for row in rows:
        (line,) = (line for line in listed.splitlines() if line.startswith(row["key"][:12]))
        assert f"; {row['failed']['cause']}" in line
    one = rows[0]
    opened = learnact("show", run, one["key"][:12], *results).out
    assert f"\nwhy it failed: {one['failed']['cause']}: " in opened
    assert learnact("show", run, one["key"], *results, "--json").json["failed"] == one["failed"]
    with connect(tmp_path) as connection:
        causes = {row["episode"]: row["cause"] for row in dictionaries(connection, failed_query())}
        for row in rows:  # one by one as all at once
            why = why_failed(
                connection, episode_row(connection, row["key"]), load_episode(connection, row["key"])
            )
            assert why is not None and asdict(why) == row["failed"]
    assert causes == {row["key"]: row["failed"]["cause"] for row in rows}
    listed = learnact("show", run, "--method", "learnact", *results, "--json").json
    solved = next(row for row in listed if row["success"])
    assert solved["failed"] is None
    assert "why it failed" not in learnact("show", run, solved["key"], *results).out


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_told_with_its_figures(cause: str) -> None:
    counts = {"turns": 20, "budget": 30, "unreadable": 11, "failed_calls": 12, "invalid": 13}
    counts |= {"actions": 17, "distinct_moves": 5}
    told = FailedEpisode(episode="k", cause=cause, wrong="move: ValueError", times=3, **counts).text
    assert told.startswith(f"{cause}: ") and told.endswith("; most often: move: ValueError, 3 times")
    assert any(number in told for number in ("11 of 20", "12 of 17", "13 of 17", "20 of 30", "5 of", "17"))
    assert "most often" not in FailedEpisode(episode="k", cause=cause, wrong="", times=0, **counts).text
