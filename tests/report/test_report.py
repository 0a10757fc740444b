"""What a person reads: scores with intervals and marks, trajectories, libraries, the last page, progress."""

import csv
import io
import json
import logging
from dataclasses import replace

import pytest
from rich.console import Console

from learnact.errors import JobError
from learnact.records import ActionError, Library, Tokens
from learnact.report import result_table, summary
from learnact.report.data import ReportData
from learnact.report.paper import TABLES
from learnact.report.progress import Progress, ProgressDisplay, progress_line, progress_panel
from learnact.report.score_table import UNFINISHED, score_table
from learnact.report.trajectory import descent, show_episode, show_library, turn_lines
from learnact.results.counters import Counters
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from learnact.statistics.intervals import Interval
from tests.report.conftest import WEAK
from tests.results import material

WITH_RATES = ("2", "robustness", "transfer")


def text_of(renderable, width=160, terminal=False):
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal)
    console.print(renderable)
    return console.file.getvalue()


def test_scores_by_method_and_domain_carry_intervals_counts_and_the_mark_of_simulation(connection):
    table = score_table(ReportData(connection))
    rows = {(row["domain"], row["method"]): row for row in result_table.as_plain(table)["rows"]}
    learnact = rows["gripper", "learnact"]
    assert learnact["success"]["mean"] == 0.8
    assert learnact["success"]["low"] < 0.8 < learnact["success"]["high"] < 1.0
    assert (learnact["episodes"], learnact["tasks"], learnact["unfinished"]) == (5, 5, 0)
    assert rows["all", "act"]["success"]["clusters"] == 10
    assert list(rows) == [(d, m) for d in ("blockworld", "gripper", "all") for m in ("act", "learnact")]
    shown = text_of(result_table.to_rich(table))
    assert "(simulated)" in shown
    assert "say nothing about language models" in " ".join(shown.split())
    assert "80.0 (" in shown


def test_a_table_is_the_same_in_every_form(connection):
    table = score_table(ReportData(connection))
    rows = list(csv.DictReader(io.StringIO(result_table.to_csv(table))))
    assert [float(row["success"]) for row in rows[:2]] == [0.4, 0.8]
    assert rows[0]["simulated"] == "True"
    assert rows[0]["success_tasks"] == "5"
    marked = result_table.to_markdown(table)
    assert "| blockworld | act | 40.0 (" in marked
    assert "simulated" in marked
    assert json.loads(result_table.join_tables([table], "json"))[0]["rows"][0]["success"]["mean"] == 0.4


def test_unfinished_episodes_are_counted_and_bound_the_rate(broken):
    with connect_folders([broken]) as connection:
        rows = {
            (r["domain"], r["method"]): r
            for r in result_table.as_plain(score_table(ReportData(connection)))["rows"]
        }
    row = rows["blockworld", "learnact"]
    assert (row["episodes"], row["unfinished"]) == (3, 2)
    assert (row["worst"], row["best"]) == (0.6, 1.0)
    assert rows["blockworld", "act"]["unfinished"] == 0
    assert rows["all", "learnact"]["unfinished"] == 2


def test_bounds_are_shown_to_people_where_something_is_unfinished(connection, broken):
    whole = [TABLES[table](ReportData(connection))[0] for table in WITH_RATES]
    assert all("worst %" not in text_of(result_table.to_rich(shown), width=240) for shown in whole)
    assert all("worst" in result_table.to_csv(shown).splitlines()[0].split(",") for shown in whole)
    with connect_folders([broken]) as opened:
        for table in WITH_RATES:
            shown = TABLES[table](ReportData(opened))[0]
            told = text_of(result_table.to_rich(shown), width=240)
            assert "worst %" in told and "unreadable %" in told, table
            assert UNFINISHED in shown.notes
            row = next(r for r in result_table.as_plain(shown)["rows"] if r["method"] == "learnact")
            assert row["unfinished"] == 2
            assert row["worst"] < row["best"]


def test_cells_carry_their_number_of_episodes_where_rows_differ(connection, broken):
    assert "blockworld % n=5" in text_of(result_table.to_rich(TABLES["2"](ReportData(connection))[0]))
    with connect_folders([broken]) as opened:
        told = text_of(result_table.to_rich(TABLES["2"](ReportData(opened))[0]))
    assert "n=3" in told
    assert "gripper % n=5" in told


def test_an_episode_is_shown_turn_by_turn(connection):
    unit = material.episode(
        0, "learnact-gripper", "learnact", task=0, library=material.LIBRARY, phase="test", domain="gripper"
    )
    shown = show_episode(connection, unit.key[:12])
    assert f"episode {unit.key}" in shown
    assert "solved in 10 turns" in shown
    assert "learnact plays gripper gripper-000 with sim-strong (simulated)" in shown
    assert "  4. Action: carry(" in shown
    assert "  5. Action !: " in shown
    assert shown.count("Observation:") == 11
    turn = material.result(unit).turns[3]
    broken = replace(
        turn, ok=False, error=ActionError("KeyError", "'x'", "carry", 3, "return d['x']"), printed="hi"
    )
    lines = "\n".join(turn_lines(broken))
    assert "error: KeyError: 'x' in carry, line 3: return d['x']" in lines
    assert "printed: hi" in lines


def test_a_library_is_shown_with_code_notes_scores_and_descent(connection):
    shown = show_library(connection, material.LIBRARY.id[:10])
    assert "def carry(ball, start, end, hand):" in shown
    assert "# Note: Use it only when you are in start." in shown
    assert f"iteration 1, candidate 1 (update, library {material.LIBRARY.id[:12]}), selected" in shown
    assert "shown hop('a'); reason: misses a step" in shown
    assert f"descends from: {material.LIBRARY.id[:12]} (update) <- {WEAK.id[:12]} (create)" in shown
    assert "tested in 10 episodes: success 80%" in shown
    assert descent(connection, WEAK.id) == [(WEAK.id, "create")]


def test_the_last_page_names_the_best_library_the_place_and_the_next_commands(folder, broken):
    page = summary.run_page(folder, ["jobs/x.yaml"])
    shown = text_of(summary.render_page(page))
    assert page.best is not None
    assert page.best.library == material.LIBRARY
    assert "carry(ball, start, end, hand)" in shown
    assert str(folder) in shown.replace("\n", "")
    compared, library, report, failed = page.commands
    assert compared.startswith(f"learnact compare learnact act --by domain --run {folder.name}")
    assert library.startswith(f"learnact show {folder.name} --library {material.LIBRARY.id[:12]}")
    assert report.startswith(f"learnact report {folder.name}")
    assert failed.startswith(f"learnact show {folder.name} --failed")
    assert not page.unfinished
    assert json.loads(summary.page_json(page))["best_library"]["actions"][0]["calls"] == 5
    page = summary.run_page(broken, ["jobs/x.yaml"])
    assert page.commands[0].startswith("learnact run jobs/x.yaml")
    assert "learnact on blockworld" in page.unfinished[0]


async def test_the_best_library_is_a_trials_and_never_ranks_on_one_episode(tmp_path):
    """Voyager's agent is given other skills in each test; each such part was a library of one episode, which
    had solved its task and so was the best.
    """
    store = RunStore.open(tmp_path, "v" * 24, "parts", {}, {}, {})
    whole = Library(actions=(*material.LIBRARY.actions, *WEAK.actions))
    parts = (material.LIBRARY, WEAK, material.LIBRARY, WEAK)
    for trial, library, solved in (("voyager", whole, 3), ("lucky", WEAK, 1), ("learnact", WEAK, 2)):
        store.trial(trial, {"method": trial, "domain": "gripper", "status": "done", "library": library.id})
        for kept in (library, *parts):
            store.library(trial, kept)
        for task in range(1 if trial == "lucky" else 4):
            part = parts[task] if trial == "voyager" else library
            unit = material.episode(task, trial, trial, task=task, library=part)
            await store.commit(material.outcome(unit, 8, task < solved))
    await store.close()
    best = summary.run_page(store.folder).best
    assert best is not None
    assert (best.library, best.method, best.success, best.episodes) == (whole, "voyager", 0.75, 4)
    assert [row[2] for row in best.uses.rows] == [4, 0]  # calls of carry, in all tests of the trial


def test_progress_says_everything_in_one_line_and_on_a_terminal():
    counters = Counters(
        7,
        2,
        3,
        calls=12_345,
        tokens=Tokens(2_000_000, 0, 50_000, 0),
        cost=1.25,
        unpriced=0,
        attempts=4,
        failed=1,
        trials={},
    )
    progress = Progress(
        "job",
        True,
        4,
        ended=1,
        incomplete=0,
        tested=30,
        tests=60,
        stages={"testing": 3},
        counters=counters,
        seconds=90.0,
        fresh=30,
        last_error="provider: 503",
    )
    assert progress.seconds_left == 90.0
    told = progress_line(progress)
    for fact in (
        "trials 1/4 (3 testing)",
        "30/60",
        "12.3k",
        "prompt tokens 2.0M",
        "completion tokens 50.0k",
        "$1.25",
        "4 tries, 1 units gave up",
        "left 1:30 min",
        "simulated",
    ):
        assert fact in told
    drawn = text_of(progress_panel(progress), terminal=True)
    assert "30/60" in drawn
    assert "provider: 503" in drawn
    assert Progress("job", tests=5).seconds_left is None


def test_the_display_leaves_a_pipe_plain():
    console = Console(file=io.StringIO(), width=200)
    with ProgressDisplay(console, seconds=0) as display:
        unit = material.episode(1)
        display.outcome(material.outcome(unit), Counters(episodes=1))
        display.outcome(material.failed(material.episode(2)), Counters(episodes=1, attempts=2, failed=1))
    told = console.file.getvalue()
    assert "\x1b" not in told
    assert display.progress.tested == 1
    assert display.progress.last_error.startswith("provider: 503")


def test_no_difference_is_minus_zero():
    for tiny in (-0.0, -1e-17, -0.0004):
        assert result_table.format_cell(tiny, "difference") == "+0.0"
        assert result_table.format_cell(Interval(tiny, -0.2, tiny, 4, 2), "difference") == "+0.0 (-20 to +0)"
    assert result_table.format_cell(-0.0006, "difference") == "-0.1"


def test_the_display_shows_warnings_once_and_while_they_happen():
    console = Console(file=io.StringIO(), width=200)
    logger = logging.getLogger("learnact.models.pool")
    with ProgressDisplay(console) as display:
        for _ in range(3):
            logger.warning("%s: asked again after 503 \x1b[2J", "http://127.0.0.1:9/v1")
        assert "http://127.0.0.1:9/v1: asked again after 503" in console.file.getvalue()
    logger.warning("after the run")
    told = console.file.getvalue()
    assert told.count("asked again") == 1
    assert "\x1b" not in told
    assert "after the run" not in told
    assert display.progress.tested == 0


def test_a_run_that_was_refused_shows_no_progress() -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(JobError), ProgressDisplay(console):
        raise JobError("no")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == ""
