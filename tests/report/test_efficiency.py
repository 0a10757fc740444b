"""Efficiency as a result: per test episode and per solved task, against the same agent without learning, and
when learning is paid back, from runs whose numbers are known.
"""

import asyncio
import dataclasses
import math

import pytest

from learnact.errors import ResultsError
from learnact.records import AgentSpec, Library, Tokens, canonical
from learnact.report.cost import cost_tables
from learnact.report.data import ReportData
from learnact.report.efficiency import TOKENS, EfficiencyRows, efficiency_tables, short_table
from learnact.report.efficiency_figure import (
    EfficiencyFigure,
    caption,
    draw_efficiency,
    efficiency_figure,
    figure_table,
)
from learnact.report.result_table import SIMULATED, as_plain, to_csv, to_markdown
from learnact.report.summary import page_json, run_page
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.cli.conftest import learnact
from tests.results import material

TASKS = 4
ACT, LEARNED = (1000, 1200, 1400, 1600), (300, 400, 500, 600)
"""Tokens of a test episode on each task."""
LEARNING = 1790 + 3 * 500
"""One request of the learner and three training episodes."""
SAVED = (700 + 800 + 900 + 1000) / 4


def outcome(unit, tokens, turns, solved=True, dollars=0.01):
    """An episode that used so many tokens, a tenth of them for the replies."""
    made = material.outcome(unit, turns, solved)
    out = tokens // 10
    result = dataclasses.replace(made.result, tokens=Tokens(tokens - out, 0, out, 0), cost=dollars)
    return dataclasses.replace(made, result=result)


async def write(folder, name, learned=LEARNED, dollars=0.01, agent="act", blocked=False):
    """Act, and a method that learned once; the last task is not solved by either. `blocked`: and a trial of
    this method that could not go on after its first request.
    """
    store = RunStore.open(folder, name.ljust(24, "0"), name, {}, {}, {})
    work = []
    for method, tokens in (("act", ACT), ("learned", learned)):
        learns = method == "learned"
        library = material.LIBRARY if learns else Library()
        about = {
            "learner": "learnact" if learns else "none",
            "agent": AgentSpec(agent if learns else "act"),
            "domain": {"name": "gripper", "options": "{}"},
            "test_domains": [{"name": "gripper", "options": "{}"}],
        }
        row = {"method": method, "domain": "gripper", "agent_model": "sim-strong", "status": "done"}
        row |= {"learner_model": "sim-strong" if learns else "", "options": canonical(about)}
        store.trial(method, {**row, "library": library.id, "test_repeats": 1})
        units = {"task": 0, "library": library, "domain": "gripper"}
        for task in range(TASKS):
            unit = material.episode(task, method, method, **{**units, "task": task})
            unit = dataclasses.replace(unit, learner_model=row["learner_model"])
            solved, cost = task < TASKS - 1, dollars if learns or dollars is None else 3 * dollars
            work.append(store.commit(outcome(unit, tokens[task], 2 if learns else 10, solved, cost)))
        if learns:
            store.library(method, library)
            work.append(store.commit(material.answered(material.request(1, method))))
            for number in range(10, 13):
                unit = material.episode(number, method, method, **units, phase="learn")
                work.append(store.commit(outcome(unit, 500, 5, True, dollars)))
            check = material.episode(20, method, method, **units, phase="check")
            check = dataclasses.replace(check, agent=AgentSpec("program", program="carry()"), model=None)
            work.append(store.commit(outcome(check, 0, 1, True, 0.0)))
        if learns and blocked:
            store.trial("stuck", {**row, "status": "blocked", "library": "", "test_repeats": 1})
            work.append(store.commit(material.answered(material.request(2, "stuck"))))
    await asyncio.gather(*work)
    await store.close()
    return store.folder


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


def rows_of(folder):
    with connect_folders([folder]) as connection:
        return {row.key.method: row for row in EfficiencyRows(ReportData(connection)).rows}


def table(tables, begin):
    (found,) = [one for one in tables if one.title.startswith(begin)]
    return {row["method"]: row for row in as_plain(found)["rows"]}


@pytest.fixture(scope="module")
def folder(results):
    return asyncio.run(write(results, "saves"))


@pytest.fixture(scope="module")
def tables(folder):
    with connect_folders([folder]) as connection:
        return efficiency_tables(ReportData(connection))


def test_each_measure_of_a_test_episode_has_an_interval_over_tasks(tables):
    act = table(tables, "Efficiency per test episode")["act"]
    assert act["tokens in"] == pytest.approx(
        {"mean": 1170, "low": 800.23, "high": 1539.77, "episodes": 4, "clusters": 4}, abs=0.01
    )
    assert act["tokens out"]["mean"] == 130
    assert act["turns"] == {"mean": 10, "low": None, "high": None, "episodes": 4, "clusters": 4}
    assert act["primitive steps"]["mean"] == 12
    assert (act["cost"]["mean"], act["model seconds"]["mean"]) == (pytest.approx(0.03), 4.0)


def test_a_solved_task_costs_what_all_episodes_cost(tables):
    found = table(tables, "Efficiency per solved task")
    assert found["act"]["tokens in"]["mean"] == pytest.approx(0.9 * sum(ACT) / 3)
    assert found["learned"]["turns"]["mean"] == pytest.approx(8 / 3)
    assert found["learned"]["turns"]["low"] < 8 / 3 < found["learned"]["turns"]["high"]


def test_the_agent_that_learns_nothing_is_the_measure_paired_by_task(tables):
    found = table(tables, "Efficiency against the agent that learns nothing")
    assert list(found) == ["learned"]
    tokens = found["learned"]["tokens in"]
    assert tokens["mean"] == pytest.approx(-0.9 * SAVED)
    assert -1000 < tokens["low"] < tokens["mean"] < tokens["high"] < -500


def test_learning_is_paid_back_after_so_many_test_episodes(tables, folder):
    paid = table(tables, "What learning costs")["learned"]
    assert (paid["trials"], paid["tests a trial"], paid["against"]) == (1, 4, "act")
    assert (paid["learning, tokens"], paid["learning"]) == (LEARNING, pytest.approx(0.034))
    assert paid["tokens per episode"]["mean"] == 450
    assert paid["with learning"]["mean"] == 450 + LEARNING / 4
    assert paid["solved, with learning"]["mean"] == pytest.approx((1800 + LEARNING) / 3)
    assert paid["paid back after (tokens)"]["mean"] == pytest.approx(LEARNING / SAVED)
    low, high = (paid["paid back after (tokens)"][end] for end in ("low", "high"))
    assert low < LEARNING / SAVED < high
    assert paid["paid back after ($)"]["mean"] == pytest.approx(0.034 / 0.02)


def test_learning_that_costs_more_per_episode_is_never_paid_back(results):
    folder = asyncio.run(write(results, "never", learned=tuple(2 * tokens for tokens in ACT)))
    with connect_folders([folder]) as connection:
        (found,) = [t for t in efficiency_tables(ReportData(connection)) if t.title.startswith("What")]
    (row,) = as_plain(found)["rows"]
    assert row["paid back after (tokens)"]["mean"] == "never"
    assert "| never" in to_markdown(found)
    assert "never" in to_csv(found)


def test_without_a_price_dollars_are_unknown_and_left_out(results):
    folder = asyncio.run(write(results, "unpriced", dollars=None))
    learned = rows_of(folder)["learned"].learning
    assert (learned.dollars, learned.paid_in_dollars.known) == (None, False)
    assert learned.paid_in_tokens.known
    with connect_folders([folder]) as connection:
        page = to_markdown(short_table(ReportData(connection)))
    assert "cost $" not in page
    assert "after ($)" not in page
    assert "paid back after (tokens)" in page


def test_a_server_that_counts_no_tokens_has_not_used_none(results):
    """Missing usage is stored as zero tokens; a prompt is never empty, so it is not known."""
    row = rows_of(asyncio.run(write(results, "uncounted", learned=(0, 400, 500, 600))))["learned"]
    assert not row.per_episode(TOKENS).known
    assert not row.per_solved(TOKENS).known
    assert not row.tokens(with_learning=True).known
    assert not row.learning.paid_in_tokens.known
    assert row.learning.paid_in_dollars.known
    folder = results / f"uncounted-{'uncounted'.ljust(12, '0')[:12]}"
    with connect_folders([folder]) as connection:
        _, acting = cost_tables(ReportData(connection))
    assert [r["tokens"] for r in as_plain(acting)["rows"]] == [1300, None]


def test_another_agent_is_no_measure(results):
    row = rows_of(asyncio.run(write(results, "other", agent="react")))["learned"]
    assert row.differences == {}
    assert (row.learning.base, row.learning.paid_in_tokens.known) == ("", False)


def test_a_method_that_learns_nothing_has_nothing_to_pay_back(folder):
    act = rows_of(folder)["act"]
    assert (act.learning, act.differences) == (None, {})
    assert act.tokens(with_learning=True) == act.tokens(with_learning=False)


def test_the_page_at_the_end_has_efficiency_in_short(folder):
    page = run_page(folder)
    cells = {row["method"]: row for row in as_plain(page.efficiency)["rows"]}
    assert cells["learned"]["tokens per solved task"]["mean"] == pytest.approx(600)
    assert cells["act"]["paid back after (tokens)"] is None
    assert page.efficiency.simulated
    assert '"efficiency"' in page_json(page)


def test_what_is_checked_in_learning_is_no_turn_of_the_method(folder):
    """Model turns of learning are those of the three training episodes, not of the usage line's run."""
    with connect_folders([folder]) as connection:
        learning, _ = cost_tables(ReportData(connection))
    (row,) = as_plain(learning)["rows"]
    assert (row["model turns"], row["tokens"], row["calls"]) == (15, LEARNING, 16)


def test_a_trial_that_has_not_ended_learning_does_not_lower_the_mean_cost(results):
    folder = asyncio.run(write(results, "blocked", blocked=True))
    with connect_folders([folder]) as connection:
        learning, _ = cost_tables(ReportData(connection))
    (row,) = as_plain(learning)["rows"]
    assert (row["trials"], row["tokens"]) == (1, LEARNING)


def test_bounds_are_unknown_for_one_task(folder):
    row = rows_of(folder)["act"]
    sample = row.sample
    one = dataclasses.replace(
        sample,
        **{f.name: getattr(sample, f.name)[:1] for f in dataclasses.fields(sample)
           if isinstance(getattr(sample, f.name), tuple)},
    )  # fmt: skip
    found = dataclasses.replace(row, sample=one).tokens(with_learning=False)
    assert found.episodes == 1
    assert found.mean in ACT
    assert math.isnan(found.low)


def test_the_figure_shows_success_against_tokens_with_and_without_learning(folder, tmp_path):
    with connect_folders([folder]) as connection:
        figure = efficiency_figure(ReportData(connection))
        again = efficiency_figure(ReportData(connection))
    rows = {row["method"]: row for row in as_plain(figure_table(figure))["rows"]}
    assert rows["learned"]["tokens per episode"]["mean"] == 450
    assert rows["learned"]["with learning"]["mean"] == 450 + LEARNING / 4
    assert rows["act"]["with learning"] == rows["act"]["tokens per episode"]
    svg, png = draw_efficiency(figure, tmp_path / "efficiency")
    text = svg.read_text()
    for words in ("learning left out", "learning included", "learned: paid back after 4", SIMULATED):
        assert words in text
    assert png.read_bytes().startswith(b"\x89PNG")
    assert draw_efficiency(again, tmp_path / "again.svg")[1].read_bytes() == png.read_bytes()


def test_a_library_that_was_learned_elsewhere_has_no_point_with_learning(folder):
    with connect_folders([folder]) as connection:
        figure = efficiency_figure(ReportData(connection))
    act, learned = figure.points
    elsewhere = dataclasses.replace(learned, learning=None)
    assert not elsewhere.tokens(with_learning=True).known
    told = caption(dataclasses.replace(figure, points=(act, elsewhere)))
    assert "Not known what learning cost: learned." in told


def test_without_a_test_episode_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ResultsError, match="No test episode"):
        draw_efficiency(EfficiencyFigure((), ()), tmp_path / "none")


def test_a_table_draws_its_figure_and_the_figure_has_a_command_of_its_own(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = ("--results", folder.parent)
    drawn = learnact("table", "2", "saves", "--figure", tmp_path / "two", *where)
    assert "Efficiency per test episode" in drawn.out
    assert learnact("figure", "efficiency", "saves", *where).code == 0
    names = {"two.svg", "two.png", "efficiency.svg", "efficiency.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert "table 4 has no figure" in learnact("table", "4", "saves", "--figure", "x", *where).err
    assert "no figure 'efficency'" in learnact("figure", "efficency", "saves", *where).err
