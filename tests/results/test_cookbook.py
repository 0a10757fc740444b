"""The data dictionary names every column of every view, and every query of the cookbook runs."""

import asyncio
import re
from pathlib import Path

import pytest

from learnact.results.query import shipped_queries
from learnact.results.reader import VIEWS, connect_folders
from tests.report.conftest import write

RESULTS = Path(__file__).parents[2] / "results"
QUERIES = shipped_queries()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return asyncio.run(write(tmp_path_factory.mktemp("results"), missing=1))


def documented() -> dict[str, set[str]]:
    sections = re.split(r"^## ", (RESULTS / "README.md").read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        rows = re.findall(r"^\| ([a-z_, ]+) \|", section, flags=re.MULTILINE)
        found[section.split("\n")[0]] = {name for row in rows for name in row.split(", ")} - {"column"}
    return found


def test_the_dictionary_names_every_column_and_no_other(folder):
    with connect_folders([folder]) as connection:
        views = {
            view: {row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()} for view in VIEWS
        }
    assert documented() == views


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
