"""The paper's tables and figure from a run whose numbers are known."""

import asyncio
import dataclasses

import pytest

from learnact.errors import ResultsError
from learnact.records import Candidate, LearnedAction, Library, Terms, canonical
from learnact.report import result_table
from learnact.report.data import ReportData
from learnact.report.drawing import caption, draw_figure3
from learnact.report.figure3 import Figure3, figure3, figure3_table
from learnact.report.paper import TABLES
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
TESTED = {"test_every_candidate": True}
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
            "settings": {**on, **TESTED, "iterations": 2, "score": ["success", "call_ratio"], **settings},
            "rules": {"show_descriptions": True, "show_usage_example": True, **rules},
            "domain": {"name": "gripper", "options": "{}"},
            "test_domains": [{"name": "gripper", "options": "{}"}],
            "test": "rest",
        }
    )


def episodes(store, trial, method, of, solved, phase="test"):
    for task in range(TASKS):
        unit = material.episode(task, trial, method, task=task, library=of, phase=phase, domain="gripper")
        unit = dataclasses.replace(unit, learner_model="" if method == "act" else "sim-strong")
        yield store.commit(material.outcome(unit, 6, task < solved))


def candidates(trial):
    """Iteration 0: 2 actions are selected (score 1), not 4. Iteration 1: an update to 3 actions wins; a note
    is not created."""
    return [
        Candidate(
            trial,
            0,
            0,
            library=library(2).id,
            parent="",
            origin="create",
            terms=Terms(0.5, 0.5, 0.5, 0.0),
            score=1.0,
            selected=True,
        ),
        Candidate(
            trial,
            0,
            1,
            library=library(4).id,
            parent="",
            origin="create",
            terms=Terms(0.0, 0.5, 0.9, 0.1),
            score=1.0,
        ),
        Candidate(
            trial,
            1,
            0,
            library=library(2).id,
            parent=library(2).id,
            origin="incumbent",
            terms=Terms(0.5, 0.5, 0.5, 0.0),
            score=1.0,
        ),
        Candidate(
            trial,
            1,
            1,
            library=library(3).id,
            parent=library(2).id,
            origin="update",
            terms=Terms(1.0, 1.0, 0.5, 0.0),
            score=1.5,
            selected=True,
        ),
        Candidate(trial, 1, 2, "", library(2).id, "note", uncreated="unreadable"),
    ]


def trial_row(method, learner, told):
    return {
        "method": method,
        "domain": "gripper",
        "agent_model": "sim-strong",
        "learner_model": "sim-strong" if learner == "learnact" else "",
        "test_repeats": 1,
        "status": "done",
        "options": told,
    }


async def write(folder, planned=None):
    """`planned`: test episodes that each trial says it is to play."""
    store = RunStore.open(folder, "p" * 24, "paper", {}, {}, {})
    work = []
    for method, (learner, settings, rules) in METHODS.items():
        trial = f"trial {method}"
        final = library(3) if learner == "learnact" else Library()
        row = trial_row(method, learner, options(learner, settings, rules))
        store.trial(trial, {**row, "library": final.id, "test_episodes": planned})
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
    return result_table.as_plain(TABLES[table](ReportData(connection))[number])["rows"]


@pytest.mark.parametrize("table", sorted(TABLES.keys() - {"credit", "stream", "racing"}))
def test_every_table_shows_in_every_form_and_is_marked(connection, table):
    for shown in TABLES[table](ReportData(connection)):
        assert shown.rows
        assert shown.simulated
        assert "simulated" in result_table.to_markdown(shown)
        assert "simulated" in result_table.to_csv(shown).split("\n")[0]
        assert result_table.join_tables([shown], "json")
        drawn = text_of(result_table.to_rich(shown), width=240)
        assert len(drawn.splitlines()) >= 2 + len(shown.rows) + len(shown.all_notes)


def test_table_2_has_methods_in_rows_and_domains_in_columns(connection):
    rows = rows_of(connection, "2")
    assert [row["method"] for row in rows] == list(METHODS)
    assert [row["gripper"]["mean"] for row in rows] == [n / TASKS for n in SOLVED.values()]
    assert all(row["unfinished"] == 0 and row["unreadable"] == 0.0 for row in rows)
    assert {row["episodes"] for row in rows} == {TASKS}


def test_table_4_counts_updates_and_notes_and_apart_from_them_what_was_not_created(connection):
    row = rows_of(connection, "4")[0]
    assert (row["updates"], row["notes"], row["updates selected"], row["notes selected"]) == (1, 0, 1, 0)
    share = row["share of updates"]
    assert (share["mean"], share["clusters"]) == (1.0, 1)
    assert share["low"] < 0.1  # one trial says little
    assert row["not created"] == 0.5


def test_table_5_counts_actions_before_and_after_learning(connection):
    row = next(r for r in rows_of(connection, "5") if r["method"] == "learnact")
    assert (row["learned at first"]["mean"], row["learned in the end"]["mean"]) == (2.0, 3.0)
    assert row["primitive"] == 3
    assert row["actions in all"] == {"mean": 6.0, "low": None, "high": None, "clusters": 1}
    assert row["trials"] == 1


def test_tables_6_and_7_hold_their_own_switches_and_differences_paired_by_task(connection):
    six = [row for row in rows_of(connection, "6") if row["domain"] == "gripper"]
    assert [row["variant"] for row in six] == ["no learning, for reference", "in full", "descriptions off"]
    assert [row["method"] for row in six][:2] == ["act", "learnact"]
    assert six[0]["difference"] is six[1]["difference"] is None
    assert six[2]["difference"]["mean"] == pytest.approx((3 - 6) / TASKS)
    assert six[2]["difference"]["clusters"] == TASKS
    assert six[2]["difference of the method"]["libraries"] == 1  # nothing is known of others:
    assert six[2]["difference of the method"]["low"] is None
    assert six[2]["p"] == pytest.approx(2 / 2**3)  # three tasks, all lost
    assert six[1]["of the method"]["trusted"] is False
    assert six[0]["of the method"]["trusted"] is True  # act learns nothing
    seven = [row for row in rows_of(connection, "7") if row["domain"] == "gripper"]
    assert [row["variant"] for row in seven][1:] == ["in full", "notes off", "sampling off"]
    assert seven[2]["difference"]["low"] < -1 / TASKS < seven[2]["difference"]["high"]
    assert [row["Holm p"] for row in seven[2:]] == [1.0, 1.0]
    assert [row["p"] for row in seven[2:]] == [1.0, 0.5]


def test_the_selector_is_judged_by_tests_of_all_candidates(connection):
    ranking = rows_of(connection, "selector")
    row = next(r for r in ranking if r["method"] == "learnact")
    assert row["candidates"] == 3
    assert (row["chosen"]["mean"], row["best candidate"]["mean"]) == (0.75, 0.875)
    assert row["chosen"]["low"] < 0.5 < row["chosen"]["high"]
    assert row["chosen"]["episodes"] == TASKS
    assert row["regret"]["mean"] == pytest.approx(0.125)
    assert (row["unfinished of all candidates"], row["unreadable"]) == (0, 0.0)
    overall = ranking[-1]
    assert overall["domain"] == "all"
    assert overall["rank correlation"]["mean"] == row["rank correlation"]["mean"] == pytest.approx(0.0)
    assert overall["rank correlation"]["clusters"] == 1
    others = {row["selector"]: row for row in rows_of(connection, "selector", 1)}
    assert others["success only"]["test success"]["mean"] == 0.75  # the update
    assert others["step terms only"]["test success"]["mean"] == 0.875  # four actions
    assert others["random"]["test success"]["mean"] == pytest.approx((4 + 7 + 6) / 3 / TASKS)
    assert others["best candidate"]["regret"]["mean"] == 0.0
    assert next(iter(others)) == "as run"
    assert others["as run"]["minus as run"] is None
    for other in others.values():
        assert other["trials"] == others["as run"]["trials"]
        gained = other["test success"]["mean"] - others["as run"]["test success"]["mean"]
        assert (other["minus as run"] or {"mean": 0.0})["mean"] == pytest.approx(gained)
    told = " ".join(TABLES["selector"](ReportData(connection))[1].notes)
    assert "Score as run: success + call ratio; of equal scores the earlier." in told
    assert f"3 candidates with {TASKS} test episodes each; unfinished: 0" in told


def test_cost_tells_learning_from_acting(connection):
    learning = {row["method"]: row for row in rows_of(connection, "cost")}
    assert "act" not in learning
    assert learning["learnact"]["calls"] == 1
    assert learning["learnact"]["cost"] == pytest.approx(0.004)
    assert learning["learnact, K 1"]["tokens against target"] == 1.0
    assert learning["learnact, K 1"]["calls against target"] == 1.0
    acting = {row["method"]: row for row in rows_of(connection, "cost", 1)}
    assert (acting["learnact"]["calls"], acting["learnact"]["model turns"]) == (6.0, 6.0)
    assert (acting["act"]["success"]["mean"], acting["act"]["episodes"]) == (2 / TASKS, TASKS)
    assert acting["act"]["success per $ acting"] == pytest.approx(2 / (8 * 0.03))
    assert acting["learnact"]["success per $ all"] == pytest.approx(6 / (8 * 0.03 + 0.004))


def test_figure_3_follows_one_lineage_with_act_for_reference_and_is_drawn_the_same_twice(
    connection, tmp_path
):
    figure = figure3(ReportData(connection))
    points = [
        (p.iteration, p.score.success.mean)
        for p in figure.points
        if p.line.method == "learnact" and p.domain == "gripper"
    ]
    assert points == [(0, 0.5), (1, 0.75), (2, 0.75)]
    assert all(p.correctness.known and 0 < p.frequency.mean < 1 for p in figure.points)
    rows = [
        (row["method"], row["domain"], row["iteration"])
        for row in result_table.as_plain(figure3_table(figure))["rows"]
    ]
    assert rows == [*(("learnact", "gripper", i) for i in range(3)), ("act", "gripper", None)]
    assert caption(figure).startswith("learnact: 1 trial, 8 episodes a point; act: 1 trial, 8 episodes.")
    drawn = [draw_figure3(figure, tmp_path / name) for name in ("one", "two")]
    for first, second in zip(*drawn, strict=True):
        assert first.read_bytes() == second.read_bytes()
    picture = drawn[0][0].read_text()
    for told in ("Simulated models", "act: 1 trial", "iterations of learning", "calls that succeeded"):
        assert told in picture
    assert drawn[0][1].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ResultsError, match="test_each_iteration"):
        draw_figure3(Figure3(()), tmp_path / "none")


def test_an_ablation_without_variants_says_what_is_missing(tmp_path):
    async def only_act():
        store = RunStore.open(tmp_path, "o" * 24, "only", {}, {}, {})
        row = {"method": "act", "domain": "gripper", "agent_model": "sim-strong", "status": "done"}
        store.trial("trial act", {**row, "test_repeats": 1, "options": options("none", {}, {})})
        await asyncio.gather(*episodes(store, "trial act", "act", Library(), 2))
        await store.close()
        return store.folder

    with connect_folders([asyncio.run(only_act())]) as connection:
        for table in ("4", "5", "6", "7", "selector", "transfer"):
            shown = TABLES[table](ReportData(connection))[0]
            assert not shown.rows
            assert "these runs" in shown.notes[-1] or "No " in shown.notes[-1]
            assert not shown.simulated
            assert text_of(result_table.to_rich(shown))
        assert "jobs/paper/table6.yaml" in " ".join(TABLES["6"](ReportData(connection))[0].notes)


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
            row = trial_row(method, learner, canonical(told))
            store.trial(method, {**row, "test_episodes": 6})
            for number in range(6):
                spec = material.DomainSpec("gripper", small if number < 3 else large)
                of = material.LIBRARY if learner == "learnact" else Library()
                unit = material.episode(number, method, method, number, of, domain=spec.name)
                unit = dataclasses.replace(unit, domain=spec, learner_model=row["learner_model"])
                lost = method == "act" and number == 5
                work.append(store.commit(material.failed(unit) if lost else material.outcome(unit, 6)))
        await asyncio.gather(*work)
        await store.close()
        return store.folder

    with connect_folders([asyncio.run(transfer())]) as connection:
        rows = rows_of(connection, "2", 1)
        carried = {row["tested on"]: row for row in rows_of(connection, "transfer")}
    told = {(row["domain"], row["method"]): (row["episodes"], row["unfinished"]) for row in rows}
    assert told == {
        ("gripper balls 4-6", "act"): (3, 0),
        ("gripper balls 8-12", "act"): (2, 1),
        ("gripper balls 4-6", "learnact"): (3, 0),
        ("gripper balls 8-12", "learnact"): (3, 0),
        ("all", "act"): (5, 1),
        ("all", "learnact"): (6, 0),
    }
    small_tasks, large_tasks = carried["gripper balls 4-6"], carried["gripper balls 8-12"]
    assert small_tasks["difference"]["mean"] == 0.0
    assert (small_tasks["learned"]["episodes"], small_tasks["without"]["episodes"]) == (3, 3)
    assert (large_tasks["without"]["episodes"], large_tasks["difference"]["clusters"]) == (2, 2)
    assert 0 < small_tasks["succeeded"]["mean"] <= 1


def test_only_rows_that_stand_on_simulated_models_are_marked(tmp_path):
    async def mixed():
        store = RunStore.open(tmp_path, "m" * 24, "mixed", {}, {}, {})
        work = []
        for model, simulated in (("sim-strong", True), ("large", False)):
            row = {"method": "act", "domain": "gripper", "agent_model": model, "status": "done"}
            store.trial(model, {**row, "test_repeats": 1, "options": options("none", {}, {})})
            for task in range(TASKS):
                unit = material.episode(
                    task, model, "act", task=task, library=Library(), phase="test", domain="gripper"
                )
                spec = dataclasses.replace(unit.model, name=model, simulated=simulated)
                unit = dataclasses.replace(unit, model=spec, learner_model="")
                work.append(store.commit(material.outcome(unit, 6, True)))
        await asyncio.gather(*work)
        await store.close()
        return store.folder

    with connect_folders([asyncio.run(mixed())]) as connection:
        for table in ("2", "robustness"):
            shown = TABLES[table](ReportData(connection))[0]
            marks = {row["agent model"]: row["simulated"] for row in result_table.as_plain(shown)["rows"]}
            assert marks == {"large": False, "sim-strong": True}
            drawn = [line.split() for line in text_of(result_table.to_rich(shown)).splitlines()]
            assert [words[-1] for words in drawn if {"large", "sim-strong"} & {*words}][:2] == ["no", "yes"]
            assert [line.rsplit(",", 1)[1] for line in result_table.to_csv(shown).splitlines()] == [
                "simulated",
                "False",
                "True",
            ]
            assert "Rows marked as simulated" in shown.all_notes[0]


def test_unfinished_tests_of_candidates_and_winners_are_counted(tmp_path):
    with connect_folders([asyncio.run(write(tmp_path, planned=TASKS + 2))]) as connection:
        ranking = next(r for r in rows_of(connection, "selector") if r["method"] == "learnact")
        notes = " ".join(TABLES["selector"](ReportData(connection))[1].notes)
        figure = figure3(ReportData(connection))
        acting = {row["method"]: row for row in rows_of(connection, "cost", 1)}
    assert (ranking["unfinished"], ranking["unfinished of all candidates"]) == (2, 6)
    assert (ranking["worst"], ranking["best"]) == (0.6, 0.8)
    assert "unfinished: 6" in notes
    assert [row["unfinished"] for row in result_table.as_plain(figure3_table(figure))["rows"]] == [2, 2, 2, 2]
    assert "unfinished are left out" in caption(figure)
    assert (acting["act"]["unfinished"], acting["act"]["worst"]) == (2, 0.2)
