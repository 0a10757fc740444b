"""Run a job, run it again, and read what it left, as a user does."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.cli.conftest import JOB, Desk, learnact


def test_a_run_ends_with_what_came_of_it(desk: Desk) -> None:
    assert desk.first.code == 0, desk.first.err
    out = desk.first.out
    assert "carry(ball, start, end)" in out
    assert "learnact report" in out
    assert "simulated" not in out
    assert "desk: trials 2/2" in desk.first.err


def test_a_second_time_does_nothing(desk: Desk) -> None:
    again = learnact("run", desk.folder / "job.yaml", *desk.results, "--json")
    assert again.code == 0, again.err
    assert again.json["name"] == "desk"
    assert "done now 0 episodes, 0 requests" in again.err.splitlines()[-1]


def test_sql_in_every_form(desk: Desk, tmp_path: Path) -> None:
    query = (
        "SELECT method, count(*) AS episodes, avg(success::INT) AS success FROM episodes "
        "WHERE phase = 'test' GROUP BY ALL ORDER BY ALL"
    )
    shown = learnact("sql", query, *desk.results)
    assert shown.code == 0
    assert "learnact" in shown.out
    as_csv = list(csv.DictReader(io.StringIO(learnact("sql", query, *desk.results, "--format", "csv").out)))
    assert [(row["method"], row["episodes"]) for row in as_csv] == [("act", "6"), ("learnact", "6")]
    rows = learnact("sql", query, *desk.results, "--format", "json").json
    assert {row["method"]: row["success"] for row in rows} == {"act": 1.0, "learnact": 1.0}
    (tmp_path / "q.sql").write_text(query)
    written = learnact(
        "sql",
        "--file",
        tmp_path / "q.sql",
        *desk.results,
        "--format",
        "parquet",
        "-o",
        tmp_path / "a.parquet",
    )
    assert written.code == 0
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == rows


def test_sql_finds_shipped_queries_by_name(desk: Desk) -> None:
    listed = learnact("sql", "--queries")
    assert listed.code == 0
    assert "success" in listed.out
    asked = learnact("sql", "--file", "success", *desk.results, "--format", "json")
    assert asked.code == 0, asked.err
    assert {row["method"]: row["episodes"] for row in asked.json} == {"act": 6, "learnact": 6}
    assert "did you mean 'success'" in learnact("sql", "--file", "sucess", *desk.results).err


def test_sql_without_a_query_lists_the_tables(desk: Desk) -> None:
    listed = learnact("sql", *desk.results)
    assert listed.code == 0
    assert all(table in listed.out for table in ("episodes", "turns", "libraries", "candidates", "calls"))


def test_a_bad_query_is_told_in_plain_words(desk: Desk) -> None:
    bad = learnact("sql", "SELECT sucess FROM episodes", *desk.results)
    assert bad.code == 2
    assert "sucess" in bad.err
    assert "Traceback" not in bad.err
    assert learnact("sql", "SELECT 1", "--results", desk.folder / "nowhere").code == 2
    assert "desk" in learnact("sql", "SELECT 1", *desk.results, "--run", "dsk").err


def test_show_a_run_a_trajectory_and_a_library(desk: Desk) -> None:
    run = learnact("show", "desk", *desk.results)
    assert run.code == 0, run.err
    assert "learnact on gripper, repeat 0" in run.out
    key = learnact(
        "sql", "SELECT key FROM episodes WHERE learned_calls > 0 LIMIT 1", *desk.results, "--format", "csv"
    ).out.split()[1]
    shown = learnact("show", "desk", key[:10], *desk.results)
    assert "carry('ball" in shown.out
    episode = learnact("show", "desk", key[:10], *desk.results, "--json").json
    assert episode["key"] == key
    assert any(turn["callee"] == "carry" and turn["learned"] for turn in episode["turns"])
    beside = learnact("show", "desk", key[:10], key[:10], *desk.results)
    assert "The two episodes are the same." in beside.out
    assert len(learnact("show", "desk", key[:10], key[:10], *desk.results, "--json").json) == 2
    assert learnact("show", "desk", "zzz", *desk.results).code == 2
    assert learnact("show", "dsk", *desk.results).code == 2


def test_a_shown_library_can_be_played_with(desk: Desk, tmp_path: Path) -> None:
    library = learnact(
        "sql", "SELECT library FROM actions LIMIT 1", *desk.results, "--format", "csv"
    ).out.split()[1]
    assert "def carry" in learnact("show", "desk", "--library", library[:8], *desk.results).out
    told = learnact("show", "desk", "--library", library[:8], *desk.results, "--json")
    assert told.json["id"] == library
    assert told.json["candidates"]
    (tmp_path / "library.json").write_text(told.out)
    task = learnact("tasks", "gripper", "-o", "balls=[2, 4]", "--n", "1", "--json").json["content"]
    (tmp_path / "task.pddl").write_text(task)
    start, end = ("rooma", "roomb") if "(at ball1 rooma)" in task.split(":goal")[0] else ("roomb", "rooma")
    commands = f"move('{end}', '{start}')\ncarry('ball1', '{start}', '{end}')\n"
    played = learnact(
        *(
            "play",
            "gripper",
            "--problem",
            tmp_path / "task.pddl",
            "--library",
            tmp_path / "library.json",
            "--json",
        ),
        stdin=commands,
    )
    assert [(line["turn"], line["error"]) for line in played.lines] == [(1, None), (2, None)]
    assert played.lines[1]["valid"]
    assert f"ball1 is in {end}." in played.lines[1]["observation"]


def test_a_library_stands_in_for_learning(desk: Desk, speaker: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def carry(ball, start, end):\n"
        '    """Requires: ball is in start. you are in start. left is free. Then: ball is in end."""\n'
        "    pick(ball, start, 'left')\n    move(start, end)\n    drop(ball, end, 'left')\n"
    )
    (tmp_path / "job.yaml").write_text(JOB.format(url=speaker))
    sets = ["methods=[learnact]", f"library={tmp_path / 'mine.py'}", "repeats.test=1"]
    options = [word for one in sets for word in ("--set", one)]
    run = learnact("run", tmp_path / "job.yaml", *options, "--results", tmp_path / "results")
    assert run.code == 0, run.err
    answer = learnact(
        "sql",
        "SELECT count(*) AS episodes, sum(learned_calls) > 0 AS used FROM episodes",
        "--results",
        tmp_path / "results",
        "--format",
        "json",
    )
    assert answer.json == [{"episodes": 3, "used": True}]


def test_work_that_cannot_be_finished_ends_with_1_and_says_why(speaker: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB.format(url=f"{speaker}/no/such/place"))
    run = learnact(
        *("run", tmp_path / "job.yaml", "--no-check", "--results", tmp_path / "results", "--json"),
        *(
            "--set",
            "limits.tries=1",
            "--set",
            "methods=[act]",
            "--set",
            "domains.0.test=1",
            "--set",
            "repeats.test=1",
        ),
    )
    assert run.code == 1, run.err
    assert json.loads(run.out)["unfinished"]
    query = "SELECT boundary, error FROM attempts"
    (attempt,) = learnact("sql", query, "--results", tmp_path / "results", "--format", "json").json
    assert attempt["boundary"] == "provider"
    assert "404" in attempt["error"]
