"""Episodes of a run by task, method and outcome."""

from __future__ import annotations

import asyncio
from pathlib import Path

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
