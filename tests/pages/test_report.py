"""The static report: whole, true to its data and SQL, and harmless whatever models wrote."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from learnact.errors import BadInput
from learnact.pages.charts import charts, page_query
from learnact.pages.code import difference, highlighted
from learnact.pages.report import write_report
from learnact.records import Tokens
from learnact.report.data import ReportData
from learnact.results.query import QuerySession
from learnact.results.reader import connect_folders, dictionaries
from learnact.results.store import RunStore
from learnact.statistics.intervals import Interval
from tests.cli.conftest import learnact
from tests.pages.conftest import EVIL
from tests.report.conftest import trial_row
from tests.results import material


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.text = ""
        self.headers: Mapping[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id"]

    def handle_data(self, data):
        if self.tags[-1:] != [("style", {})]:
            self.text += data

    @property
    def flat(self) -> str:
        return " ".join(self.text.split())


def written(folder: Path, output: Path, episodes: int = 200) -> Page:
    with connect_folders([folder]) as connection:
        write_report(ReportData(connection, folder.parent), output, episodes)
    return Page((output / "index.html").read_text())


@pytest.fixture(scope="session")
def report(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("pages") / "report"
    written(folder, output)
    return output


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_the_first_page_answers_what_was_asked(report: Path) -> None:
    text = Page((report / "index.html").read_text()).flat
    assert "Does learnact solve more test tasks than act on blockworld, gripper?" in text
    assert "learnact minus act: +40.0 (" in text
    assert "too few libraries to speak of others" in text
    assert "Simulated models" in text
    assert "The best library in tests: learnact on blockworld" in text
    assert "def carry(ball, start, end, hand):" in text
    assert "All trials are done" in text


def test_all_links_and_ids_lead_somewhere(report: Path) -> None:
    for path in pages(report):
        page = Page(path.read_text())
        assert len(page.ids) == len(set(page.ids)), path
        for tag, attributes in page.tags:
            target = attributes.get("href") or ""
            if tag != "a":
                continue
            file, _, place = target.partition("#")
            there = path.parent / file if file else path
            assert there.exists(), target
            if place:
                assert place in Page(there.read_text()).ids, target


def test_a_trial_shows_its_candidates_with_what_changed(report: Path) -> None:
    (path, *_) = sorted((report / "learned").iterdir())
    page = Page(path.read_text())
    assert "Iteration 1, candidate 1: update selected" in page.flat
    assert "misses a step" in page.flat
    assert "NameError" in page.flat
    assert {"ins", "del"} <= {tag for tag, _ in page.tags}


def test_a_failed_episode_says_what_went_wrong(report: Path) -> None:
    (path, *_) = sorted((report / "episodes").iterdir())
    page = Page(path.read_text())
    assert "not solved" in page.flat
    assert "first-failure" in page.ids
    assert "Jump to the first failure" in page.flat


def test_each_chart_has_files_and_its_query_gives_its_numbers(folder: Path) -> None:
    with connect_folders([folder]) as connection:
        drawn = charts(ReportData(connection))
        again = charts(ReportData(connection))
    session = QuerySession(folder.parent, folder.name)
    assert [chart.name for chart in drawn] == ["success", "success-by-tokens", "success-by-calls", "learning"]
    assert [c.svg for c in drawn] == [c.svg for c in again], "equal data give equal bytes"
    for chart in drawn:
        answer = session.ask(chart.sql)
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer]
        names = [column.name for column in chart.table.columns]
        assert rows
        for row in chart.table.rows:
            values = dict(zip(names, row, strict=True))
            same = [
                r
                for r in rows
                if all(r[k] == values[k] for k in ("method", "domain", "iteration") if k in r and k in values)
            ]
            means = [
                cell.mean for name, cell in values.items() if isinstance(cell, Interval) and "success" in name
            ]
            if values.get("domain") != "all":
                assert sum(r["success"] for r in same) / len(same) == pytest.approx(means[0])
            for unit in ("tokens", "calls"):
                if unit in values:
                    assert same[0][unit] == values[unit]


def test_the_job_in_a_report_is_the_job_of_the_run(report: Path) -> None:
    assert yaml.safe_load((report / "job.yaml").read_text()) == {"name": "small"}


def test_what_models_wrote_is_text(hostile: Path, tmp_path: Path) -> None:
    written(hostile, tmp_path / "r")
    found = pages(tmp_path / "r")
    assert {path.parent.name for path in found} == {"r", "learned", "episodes"}
    for path in found:
        raw = path.read_text()
        page = Page(raw)
        assert not {"script", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
        assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
        assert not [1 for tag, attributes in page.tags if "style" in attributes]
        assert "\x1b" not in raw
        assert "\u202e" not in raw
        assert "alert(1)" in page.text
        assert "12439" not in page.text, "a template in a text is not filled in"
        policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
        assert policy is not None
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_tokens_that_no_server_counted_are_not_drawn(hostile: Path) -> None:
    with connect_folders([hostile]) as connection:
        names = [chart.name for chart in charts(ReportData(connection))]
    assert "success-by-calls" in names
    assert "success-by-tokens" not in names


def test_code_and_differences_keep_every_character() -> None:
    assert (
        Page(str(highlighted(EVIL))).text
        == EVIL.replace("\x1b", "\u241b").replace("\u202e", "<U+202E>") + "\n"
    )
    lines = difference("a\n-- b\nc", "a\n++ b\nc")
    assert [(line.kind, line.text) for line in lines] == [
        ("place", "@@ -1,3 +1,3 @@"),
        ("same", "a"),
        ("removed", "-- b"),
        ("added", "++ b"),
        ("same", "c"),
    ]


def test_the_command_writes_and_refuses_a_folder_that_is_no_report(folder: Path, tmp_path: Path) -> None:
    arguments = ("report", folder.name, "--results", folder.parent, "--output")
    done = learnact(*arguments, tmp_path / "out", "--episodes", "1")
    assert done.code == 0
    assert done.out.endswith(f"open {tmp_path / 'out' / 'index.html'}\n")
    assert len(list((tmp_path / "out" / "episodes").iterdir())) == 1
    assert learnact(*arguments, tmp_path / "out").code == 0, "a report is replaced"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = learnact(*arguments, tmp_path / "mine")
    assert refused.code == 2
    assert "no report" in refused.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("")
    assert learnact(*arguments, tmp_path / "file").code == 2


def test_a_run_without_results_gives_a_page(tmp_path: Path) -> None:
    import asyncio

    from learnact.results.store import RunStore

    async def begin() -> Path:
        store = RunStore.open(tmp_path, "e" * 24, "empty", {"name": "empty"}, {}, {})
        await store.close("interrupted")
        return store.folder

    folder = asyncio.run(begin())
    page = written(folder, tmp_path / "page")
    assert "No test episode has a result yet." in page.flat
    assert "There is nothing to draw yet." in page.flat
    with connect_folders([folder]) as connection, pytest.raises(BadInput, match="cannot be written"):
        write_report(ReportData(connection), Path("/dev/null/x"), 1)


def test_checks_ask_no_model_and_hide_no_tokens_of_learning(tmp_path):
    """Tokens with learning are known although a learner's checks have turns and no tokens."""

    async def write():
        store = RunStore.open(tmp_path, "c" * 24, "checks", {}, {}, {})
        store.trial("t", trial_row("learnact", "gripper"))
        await store.commit(material.outcome(material.episode(0, "t"), 10, True))
        await store.commit(material.outcome(material.episode(1, "t", phase="learn"), 10, True))
        checked = dataclasses.replace(material.episode(2, "t", phase="check"), model=None)
        made = material.outcome(checked, 4, True)
        none = dataclasses.replace(made.result, tokens=Tokens())
        await store.commit(dataclasses.replace(made, result=none, calls=()))
        await store.close()
        return store.folder

    with connect_folders([asyncio.run(write())]) as connection:
        (row,) = dictionaries(connection, page_query("efficiency"))
    assert row["episodes"] == 1
    assert row["tokens_with_learning"] == pytest.approx(2 * row["tokens"])
    assert (row["calls"], row["calls_with_learning"]) == (10, 20)
