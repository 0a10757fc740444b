"""The data dictionary names every column of every view, and every query of the cookbook runs."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from learnact.records import Library
from learnact.results.dictionary import dictionary
from learnact.results.query import shipped_queries
from learnact.results.reader import DERIVED, VIEWS, connect_folders, dictionaries
from learnact.results.store import RunStore
from tests.report.conftest import WEAK, write
from tests.results import material

RESULTS = Path(__file__).parents[2] / "results"
QUERIES = shipped_queries()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return asyncio.run(write(tmp_path_factory.mktemp("results"), missing=1))


def test_the_data_dictionary_is_up_to_date():
    """If not: `python -m learnact.results.dictionary > results/README.md`."""
    assert (RESULTS / "README.md").read_text(encoding="utf-8") == dictionary()


def test_no_column_needs_quotes():
    with connect_folders([]) as connection:
        for view in VIEWS:
            for name, *_ in connection.execute(f"DESCRIBE {view}").fetchall():
                connection.execute(f"SELECT {name}, v.{name} AS {name} FROM {view} v ORDER BY {name}")


@pytest.mark.parametrize("query", QUERIES.values(), ids=list(QUERIES))
def test_a_query_of_the_cookbook_runs_and_says_what_it_answers(folder, query):
    assert query.summary
    with connect_folders([folder]) as connection:
        rows = connection.execute(query.text).fetchall()
    assert rows or query.name in ("errors", "attacks", "synthesis")


async def write_trials(folder, name, trials):
    """Runs of trials: (id, method, final library, test episodes as (task, seed, library, model, solved))."""
    store = RunStore.open(folder, name.ljust(24, "0"), name, {}, {}, {})
    for trial, method, library, tests in trials:
        store.trial(trial, {"method": method, "domain": "gripper", "status": "done", "library": library.id})
        for task, seed, part, model, solved in tests:
            store.library(trial, part)
            unit = material.episode(seed, trial, method, task=task, library=part)
            unit = dataclasses.replace(unit, model=dataclasses.replace(material.MODEL, name=model))
            await store.commit(material.outcome(unit, 4, solved))
    await store.close()
    return store.folder


def answer(folder, name):
    with connect_folders([folder]) as connection:
        return dictionaries(connection, QUERIES[name].text)


async def test_methods_are_compared_at_equal_seed_and_model_only(tmp_path):
    """One task, two seeds, two models: four pairs, none across seeds or models."""
    tests = [(0, seed, Library(), model, True) for seed in (1, 2) for model in ("m", "n")]
    trials = [("a", "act", Library(), tests), ("l", "learnact", Library(), tests)]
    rows = answer(await write_trials(tmp_path, "pairs", trials), "learnact_minus_act")
    assert [(row["domain"], row["pairs"], row["difference"]) for row in rows] == [
        ("gripper", 4, 0.0),
        ("all", 4, 0.0),
    ]


async def test_success_is_told_apart_by_both_models(tmp_path):
    rows = answer(await write_trials(tmp_path, "both", [
        ("l", "learnact", Library(), [(0, 1, Library(), "m", True), (1, 2, Library(), "n", False)])
    ]), "success")  # fmt: skip
    assert [(row["model"], row["learner_model"], row["success"]) for row in rows] == [
        ("m", "sim-strong", 100.0),
        ("n", "sim-strong", 0.0),
    ]


async def test_parts_of_a_library_are_the_trials_library(tmp_path):
    """Voyager's agent is given other skills in each test: the success of a part is no library's success."""
    whole = Library(actions=(*material.LIBRARY.actions, *WEAK.actions))
    part = dataclasses.replace(material.LIBRARY, lessons=("x",))
    tests = [(0, 1, material.LIBRARY, "m", True), (1, 2, part, "m", False)]
    rows = answer(
        await write_trials(tmp_path, "parts", [("v", "voyager", whole, tests)]), "calls_by_library"
    )  # fmt: skip
    assert [(row["library"], row["tests_solved"], row["episodes"]) for row in rows] == [
        (whole.id[:6], 50.0, 2)
    ]


async def test_dollars_are_unknown_where_a_call_has_no_price(tmp_path):
    store = RunStore.open(tmp_path, "c" * 24, "costs", {}, {}, {})
    store.trial("t", {"method": "learnact", "domain": "gripper", "status": "done"})
    played = material.outcome(material.episode(1, "t"), 2)
    first, second = played.calls
    unpriced = dataclasses.replace(second, reply=dataclasses.replace(second.reply, cost=None))
    await store.commit(dataclasses.replace(played, calls=(first, unpriced)))
    await store.commit(material.answered(material.request(1, "t")))
    await store.close()
    rows = answer(store.folder, "costs")
    assert [(row["phase"], row["purpose"], row["calls"], row["dollars"]) for row in rows] == [
        ("learn", "create", 1, 0.004),
        ("test", "act", 2, None),
    ]


@pytest.mark.parametrize("name", [*QUERIES, *DERIVED])
def test_figures_of_a_simulated_model_are_marked(folder, name):
    """Each shipped query and each view that sums up has a column that says so."""
    with connect_folders([folder]) as connection:
        asked = connection.sql(QUERIES[name].text if name in QUERIES else f"FROM {name}")
        assert "simulated" in asked.columns
        marks = [row[asked.columns.index("simulated")] for row in asked.fetchall()]
    assert all(marks), "all of this run is simulated"


def test_views_of_an_empty_folder_are_empty():
    with connect_folders([]) as connection:
        for view in VIEWS:
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []
