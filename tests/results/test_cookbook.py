"""The data dictionary names every column of every view, and every query of the cookbook runs."""

import asyncio
from pathlib import Path

import pytest

from learnact.results.dictionary import dictionary
from learnact.results.query import shipped_queries
from learnact.results.reader import VIEWS, connect_folders
from tests.report.conftest import write

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
    assert rows or query.name == "errors"


def test_views_of_an_empty_folder_are_empty():
    with connect_folders([]) as connection:
        for view in VIEWS:
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []
