"""The paper's tables and figure from a run whose numbers are known: variants, iterations, candidates all tested."""

import asyncio
import dataclasses
import re

import pytest

from learnact.errors import ResultsError
from learnact.records import Candidate, LearnedAction, Library, Terms, canonical
from learnact.report import sheet
from learnact.report.figures import Figure, draw_figure3, figure3, figure3_sheet
from learnact.report.paper import TABLES
from learnact.report.selector import candidates_tested, correlation_over_trials
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.report.test_report import text_of
from tests.results import material

TASKS = 8
METHODS = {
    "act": ("none", {}, {}),
    "learnact": ("learnact", {}, {}),
    "learnact, no descriptions": ("learnact", {}, {"show_descriptions": False}),
    "learnact, no notes": ("learnact", {"notes": False}, {}),
    "learnact, K 1": ("learnact", {"sampling": False, "candidates": 1}, {}),
}
SOLVED = {
    "act": 2,
    "learnact": 6,
    "learnact, no descriptions": 3,
    "learnact, no notes": 5,
    "learnact, K 1": 4,
}


def library(size: int) -> Library:
    names = [f"do_{n}" for n in range(size)]
    return Library(actions=tuple(LearnedAction(n, f"{n}()", f"def {n}():\n    pass") for n in names))


def options(learner, settings, rules):
    on = dict.fromkeys(("updates", "notes", "sampling", "learning"), True)
    return canonical(
        {
            "learner": learner,
            "settings": {**on, "iterations": 2, **settings},
            "rules": {"show_descriptions": True, "show_usage_example": True, **rules},
            "domain": {"name": "gripper", "options": "{}"},
            "test_domains": [{"name": "gripper", "options": "{}"}],
            "test": "rest",
        }
    )


def episodes(store, trial, method, of, solved, phase="test"):
    for task in range(TASKS):
        unit = material.episode(task, trial, method, task, of, phase, "gripper")
        unit = dataclasses.replace(unit, learner_model="" if method == "act" else "sim-strong")
        yield store.commit(material.outcome(unit, 6, task < solved))


def candidates(trial):
    """Iteration 0: 2 actions selected (score 1) before 4 actions; iteration 1: an update to 3 actions wins; a note is not created."""
    return [
        Candidate(trial, 0, 0, library(2).id, "", "create", Terms(0.5, 0.5, 0.5, 0.0), 1.0, True),
        Candidate(trial, 0, 1, library(4).id, "", "create", Terms(0.0, 0.5, 0.9, 0.1), 1.0),
        Candidate(trial, 1, 0, library(2).id, library(2).id, "incumbent", Terms(0.5, 0.5, 0.5, 0.0), 1.0),
        Candidate(trial, 1, 1, library(3).id, library(2).id, "update", Terms(1.0, 1.0, 0.5, 0.0), 1.5, True),
        Candidate(trial, 1, 2, "", library(2).id, "note", uncreated="unreadable"),
    ]


async def write(folder):
    store = RunStore.open(folder, "p" * 24, "paper", {}, {}, {})
    work = []
    for method, (learner, settings, rules) in METHODS.items():
        trial = f"trial {method}"
        final = library(3) if learner == "learnact" else Library()
        row = {
            "method": method,
            "domain": "gripper",
            "agent_model": "sim-strong",
            "test_repeats": 1,
            "status": "done",
        }
        row |= {"learner_model": "sim-strong" if learner == "learnact" else "", "library": final.id}
        store.trial(trial, {**row, "options": options(learner, settings, rules)})
        work += episodes(store, trial, method, final, SOLVED[method])
        if learner == "learnact":
            work.append(store.commit(material.answered(material.request(1, trial))))
            for candidate in candidates(trial):
                store.candidate(candidate)
            for size in (2, 3, 4):
                store.library(trial, library(size))
    work += episodes(store, "trial learnact", "learnact", library(2), 4, "survey")
    work += episodes(store, "trial learnact", "learnact", library(4), 7, "survey")
    await asyncio.gather(*work)
    await store.close()
    return store.folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return asyncio.run(write(tmp_path_factory.mktemp("results")))


@pytest.fixture
def connection(folder):
    with connect_folders([folder]) as open_connection:
        yield open_connection


def rows_of(connection, table, number=0):
    return sheet.as_plain(TABLES[table](connection)[number])["rows"]


@pytest.mark.parametrize("table", list(TABLES))
def test_every_table_shows_in_every_form_and_is_marked(connection, table):
    for shown in TABLES[table](connection):
        assert shown.rows
        assert shown.simulated
        assert "simulated" in sheet.to_markdown(shown)
        assert "simulated" in sheet.to_csv(shown).split("\n")[0]
        assert sheet.to_json(shown)
        drawn = text_of(sheet.to_rich(shown), width=240)
        assert len(drawn.splitlines()) >= 2 + len(shown.rows) + len(shown.remarks)


def test_table_2_has_methods_in_rows_and_domains_in_columns(connection):
    rows = rows_of(connection, "2")
    assert [row["method"] for row in rows] == list(METHODS)
    assert [row["gripper"]["mean"] for row in rows] == [n / TASKS for n in SOLVED.values()]
    assert all(row["unfinished"] == 0 and row["unreadable"] == 0.0 for row in rows)
    assert {row["episodes"] for row in rows} == {TASKS}


def test_table_4_counts_updates_and_notes(connection):
    row = rows_of(connection, "4")[0]
    assert (row["updates"], row["notes"], row["share of updates"]) == (1, 1, 0.5)
    assert (row["updates created"], row["notes created"], row["updates selected"]) == (1, 0, 1)


def test_table_5_counts_actions_before_and_after_learning(connection):
    row = next(r for r in rows_of(connection, "5") if r["method"] == "learnact")
    assert (row["learned at first"], row["learned in the end"]) == (2.0, 3.0)
    assert row["primitive"] == 3
    assert row["actions in all"] == 6.0


def test_tables_6_and_7_hold_their_own_switches_and_differences_paired_by_task(connection):
    six = [row for row in rows_of(connection, "6") if row["domain"] == "gripper"]
    assert [row["variant"] for row in six] == ["in full", "descriptions off"]
    assert six[0]["difference"] is None
    assert six[1]["difference"]["mean"] == pytest.approx((3 - 6) / TASKS)
    assert six[1]["difference"]["clusters"] == TASKS
    seven = [row for row in rows_of(connection, "7") if row["domain"] == "gripper"]
    assert [row["variant"] for row in seven] == ["in full", "notes off", "sampling off"]
    assert seven[1]["difference"]["low"] < -1 / TASKS < seven[1]["difference"]["high"]


def test_the_selector_is_judged_by_tests_of_all_candidates(connection):
    ranking = next(r for r in rows_of(connection, "selector") if r["method"] == "learnact")
    assert ranking["candidates"] == 3
    assert (ranking["chosen"], ranking["best candidate"]) == (0.75, 0.875)
    assert ranking["regret"] == pytest.approx(0.125)
    others = {row["selector"]: row for row in rows_of(connection, "selector", 1)}
    assert others["success only"]["test success"]["mean"] == 0.75  # the update
    assert others["step terms only"]["test success"]["mean"] == 0.875  # four actions
    assert others["random"]["test success"]["mean"] == pytest.approx((4 + 7 + 6) / 3 / TASKS)
    assert others["best candidate"]["regret"]["mean"] == 0.0
    assert correlation_over_trials(candidates_tested(connection)).clusters == 1


def test_cost_tells_learning_from_acting(connection):
    rows = {row["method"]: row for row in rows_of(connection, "cost")}
    assert rows["act"]["learn calls"] == 0
    assert rows["learnact"]["learn calls"] == 1
    assert rows["learnact"]["learn"] == pytest.approx(0.004)
    assert rows["learnact"]["test calls"] == 6.0
    assert rows["act"]["successes/$ acting"] == pytest.approx(2 / (8 * 0.03))
    assert rows["learnact"]["successes/$ all"] == pytest.approx(6 / (8 * 0.03 + 0.004))


def test_figure_3_follows_one_lineage_and_is_drawn_the_same_twice(connection, tmp_path):
    figure = figure3(connection)
    points = [
        (p.iteration, p.success.mean)
        for p in figure.points
        if p.method == "learnact" and p.domain == "gripper"
    ]
    assert points == [(0, 0.5), (1, 0.75), (2, 0.75)]
    assert all(p.correctness.known and 0 < p.frequency.mean < 1 for p in figure.points)
    assert [row[:3] for row in figure3_sheet(figure).rows] == [("learnact", "gripper", i) for i in range(3)]
    drawn = [draw_figure3(figure, tmp_path / name) for name in ("one", "two")]
    for first, second in zip(*drawn, strict=True):
        assert first.read_bytes() == second.read_bytes()
    picture = drawn[0][0].read_text()
    assert "<svg" in picture
    assert re.search(r"Simulated models", picture)
    assert drawn[0][1].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ResultsError, match="test_each_iteration"):
        draw_figure3(Figure((), False), tmp_path / "none")


def test_the_same_trial_in_two_runs_counts_once(tmp_path, folder):
    async def again():
        store = RunStore.open(tmp_path, "q" * 24, "again", {}, {}, {})
        row = {
            "method": "act",
            "domain": "gripper",
            "agent_model": "sim-strong",
            "status": "done",
            "test_repeats": 1,
        }
        store.trial("trial act", {**row, "options": options("none", {}, {})})
        await asyncio.gather(*episodes(store, "trial act", "act", Library(), SOLVED["act"]))
        await store.close()
        return store.folder

    with connect_folders([folder, asyncio.run(again())]) as connection:
        row = next(r for r in rows_of(connection, "2") if r["method"] == "act")
        assert (row["episodes"], row["unfinished"]) == (TASKS, 0)


def test_a_domain_played_in_several_forms_is_told_apart_by_what_differs(tmp_path):
    """Learned on small tasks, tested on small and large ones; one large episode has no result."""
    small, large = '{"balls":[4,6],"test":3,"train":3}', '{"balls":[8,12],"test":3}'

    async def transfer():
        store = RunStore.open(tmp_path, "t" * 24, "transfer", {}, {}, {})
        work = []
        for method, learner in (("act", "none"), ("learnact", "learnact")):
            told = {"domain": {"name": "gripper", "options": small}, "learner": learner, "test": "rest"}
            told["test_domains"] = [{"name": "gripper", "options": o} for o in (small, large)]
            row = {
                "method": method,
                "domain": "gripper",
                "agent_model": "sim-strong",
                "test_repeats": 1,
                "status": "done",
            }
            row |= {
                "learner_model": "sim-strong" if learner == "learnact" else "",
                "options": canonical(told),
            }
            store.trial(method, {**row, "test_episodes": 6})
            for number in range(6):
                spec = material.DomainSpec("gripper", small if number < 3 else large)
                unit = material.episode(number, method, method, number, Library(), "test", domain=spec.name)
                unit = dataclasses.replace(unit, domain=spec, learner_model=row["learner_model"])
                lost = method == "act" and number == 5
                work.append(store.commit(material.failed(unit) if lost else material.outcome(unit, 3)))
        await asyncio.gather(*work)
        await store.close()
        return store.folder

    with connect_folders([asyncio.run(transfer())]) as connection:
        rows = rows_of(connection, "2", 1)
    told = {(row["domain"], row["method"]): (row["episodes"], row["unfinished"]) for row in rows}
    assert told == {
        ("gripper balls 4-6", "act"): (3, 0),
        ("gripper balls 8-12", "act"): (2, 1),
        ("gripper balls 4-6", "learnact"): (3, 0),
        ("gripper balls 8-12", "learnact"): (3, 0),
        ("all", "act"): (5, 1),
        ("all", "learnact"): (6, 0),
    }
