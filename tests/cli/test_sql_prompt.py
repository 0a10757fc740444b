"""The prompt of `learnact sql`, and what exports and marks of simulation a query gives."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import learnact as package
from learnact.cli.sql_prompt import SqlCompleter, history_path, is_whole, kept_history, statements
from learnact.errors import MissingExtra
from learnact.results.query import QuerySession, shipped_queries, table_overview
from learnact.results.reader import VIEWS
from learnact.results.store import RunStore
from tests.cli.conftest import learnact
from tests.results import material
from tests.results.test_tables import OLD


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    shutil.copytree(OLD, folder / "results" / OLD.name)
    return folder / "results"


def test_statements_are_read_over_several_lines_and_kept(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with create_pipe_input() as keys:
        keys.send_text("SELECT 1\rAS n;\r.to x.csv\r\rquit\rSELECT 2;\r")
        found = list(statements(table_overview(results), keys=keys, screen=DummyOutput()))
    assert found == ["SELECT 1\nAS n;", ".to x.csv"]
    assert history_path() == tmp_path / "state" / "learnact" / "sql_history"
    assert list(kept_history().load_history_strings())[-1] == "SELECT 1\nAS n;"


def test_a_history_that_cannot_be_kept_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert list(kept_history().load_history_strings()) == []


@pytest.mark.parametrize(
    ("typed", "some", "none"),
    [
        ("SELECT * FROM epi", {"episodes"}, {"episode"}),
        ("select suc", {"success", "success_by_method"}, {"turns"}),
        ("SELECT avg(e.tur", {"turns"}, {"success"}),
        ("sel", {"SELECT"}, set()),
        ("FROM turns JOIN ", {"episodes", "comparisons"}, {"SELECT", "success"}),
    ],
)
def test_tables_columns_and_keywords_are_completed(
    results: Path, typed: str, some: set[str], none: set[str]
) -> None:
    completer = SqlCompleter(table_overview(results))
    found = {c.text for c in completer.get_completions(Document(typed), CompleteEvent())}
    assert some <= found
    assert not none & found


def test_a_statement_ends_with_a_semicolon() -> None:
    assert is_whole("SELECT 1;") and is_whole("") and is_whole("quit") and is_whole(".to a.csv")
    assert not is_whole("SELECT 1")


def test_the_ending_of_a_name_says_the_form(results: Path, tmp_path: Path) -> None:
    for ending in ("csv", "json", "parquet", "arrow"):
        place = tmp_path / f"a.{ending}"
        done = learnact("sql", "FROM success_by_method", "--results", results, "--to", place)
        assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 1
    with pa.ipc.open_file(tmp_path / "a.arrow") as file:
        assert file.read_all().equals(pq.read_table(tmp_path / "a.parquet"))
    assert len(json.loads((tmp_path / "a.json").read_text())) == 1
    assert len(list(csv.DictReader((tmp_path / "a.csv").open()))) == 1
    for place, more in ((tmp_path / "a.xls", ()), (tmp_path / "b.csv", ("--format", "json"))):
        refused = learnact("sql", "SELECT 1", "--results", results, "--to", place, *more)
        assert refused.code == 2
        assert not place.exists()


def test_figures_of_a_simulated_model_are_marked_whatever_is_asked(results: Path) -> None:
    said = "say nothing about language models"
    shown = learnact("sql", "SELECT avg(success::INT) FROM episodes", "--results", results)
    assert said in shown.out
    written = learnact("sql", "SELECT 1 AS n FROM episodes", "--results", results, "--format", "csv")
    assert (written.out, said in written.err) == ("n\n1\n", True)
    for query in ("SELECT 1", "SELECT simulated FROM episodes"):
        assert said not in learnact("sql", query, "--results", results).out


def test_a_notebook_has_a_connection_and_frames(results: Path) -> None:
    opened = package.open_results(results)
    with opened.connection() as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (1,)
    assert opened.arrow("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    try:
        import pandas  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match=r"learnact\[frames\]"):
            opened.frame("SELECT 1 AS n")
    else:
        assert list(opened.frame("SELECT 1 AS n")["n"]) == [1]


@pytest.mark.parametrize("query", [*shipped_queries(), *(f"FROM {view}" for view in VIEWS)])
def test_every_shipped_query_and_view_is_marked_in_the_answer_or_beside_it(results: Path, query: str) -> None:
    shipped = shipped_queries().get(query)
    session = QuerySession(results)
    text = shipped.text if shipped else query
    beside = session.simulated(text)
    answer = session.ask(text)
    assert "simulated" in answer.columns or (beside and not shipped)


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "arrow"])
def test_a_file_says_itself_that_its_figures_are_simulated(
    results: Path, tmp_path: Path, ending: str
) -> None:
    place = tmp_path / f"a.{ending}"
    asked = "SELECT avg(success::INT) AS success FROM episodes"
    assert learnact("sql", asked, "--results", results, "--to", place).code == 0
    assert rows_of(place) == [{"success": 1.0, "simulated": True}]
    assert learnact("sql", "SELECT 1 AS n", "--results", results, "--to", place).code == 0
    assert rows_of(place) == [{"n": 1}]  # nothing of a run is in it


def test_a_file_over_simulated_and_other_models_says_that_it_may_be(tmp_path: Path) -> None:
    async def write() -> None:
        for name, model in (("one", material.MODEL), ("two", replace(material.MODEL, simulated=False))):
            store = RunStore.open(tmp_path, name * 8, name, {}, {}, {})
            unit = replace(material.episode(0, name), model=model)
            await store.commit(material.outcome(unit, 3, True))
            await store.close()

    asyncio.run(write())
    place = tmp_path / "a.json"
    asked = "SELECT count(*) AS n FROM episodes"
    assert learnact("sql", asked, "--results", tmp_path, "--to", place).code == 0
    assert rows_of(place) == [{"n": 2, "simulated": None}]
    assert learnact("sql", asked, "--results", tmp_path, "--run", "two", "--to", place).code == 0
    assert rows_of(place) == [{"n": 1}]


def rows_of(place: Path) -> list[dict[str, Any]]:
    """The rows of a file of any form, as values."""
    if place.suffix == ".csv":
        rows = list(csv.DictReader(place.open()))
        return [{name: json.loads(value.lower()) for name, value in row.items()} for row in rows]
    if place.suffix == ".json":
        return list(json.loads(place.read_text()))
    if place.suffix == ".parquet":
        return list(pq.read_table(place).to_pylist())
    with pa.ipc.open_file(place) as file:
        return list(file.read_all().to_pylist())
