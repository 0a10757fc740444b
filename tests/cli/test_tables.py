"""The paper's tables and figure from a run, on the terminal and in files."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, learnact


@pytest.mark.parametrize(
    "which",
    [
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "cost",
        "transfer",
        "selector",
        "robustness",
        "causes",
        "replies",
        "tournament",
    ],
)
def test_tables_are_printed_in_every_form(which: str, desk: Desk) -> None:
    shown = learnact("table", which, "desk", *desk.results)
    assert shown.code == 0, shown.err
    assert (f"Table {which}" if which.isdigit() else which.capitalize()) in shown.out
    told = learnact("table", which, "desk", *desk.results, "--format", "json").json
    parts = learnact("table", which, "desk", *desk.results, "--format", "csv").out.split("\n\n")
    assert len(parts) == len(told)
    for part, sheet in zip(parts, told, strict=True):
        rows = list(csv.DictReader(io.StringIO(part)))
        assert len(rows) == len(sheet["rows"])
        assert {row["table"] for row in rows} <= {sheet["title"]}
        assert {row["simulated"] for row in rows} <= {"False"}
    assert "| --- |" in learnact("table", which, "desk", *desk.results, "--format", "markdown").out


def test_table_2_has_the_rates_of_the_run(desk: Desk, tmp_path: Path) -> None:
    written = learnact("table", "2", "desk", *desk.results, "-o", tmp_path / "table2.md")
    assert written.code == 0
    assert (
        learnact("table", "2", "desk", *desk.results, "-o", tmp_path / "t.csv", "--format", "csv").code == 0
    )
    (row,) = (r for r in csv.DictReader((tmp_path / "t.csv").open()) if r["method"] == "learnact")
    assert (row["gripper"], row["gripper_episodes"]) == ("1.0", "6")
    assert (tmp_path / "t-2.csv").exists()
    text = (tmp_path / "table2.md").read_text()
    assert "100.0" in text
    assert "Table 2" in text


def test_the_figure_is_drawn(desk: Desk, tmp_path: Path) -> None:
    drawn = learnact("figure", "3", "desk", *desk.results, "--output", tmp_path / "three")
    assert drawn.code == 0, drawn.err
    assert (tmp_path / "three.svg").read_text().lstrip().startswith("<?xml")
    assert (tmp_path / "three.png").read_bytes().startswith(b"\x89PNG")
    assert learnact("figure", "3", "desk", *desk.results, "--output", tmp_path / "v1.2").code == 0
    assert (tmp_path / "v1.2.svg").exists()
    refused = learnact("figure", "3", "desk", *desk.results, "--output", tmp_path / "three.svg" / "x")
    assert refused.code == 2
    assert "cannot be written" in refused.err


def test_what_is_not_there_is_told(desk: Desk) -> None:
    assert "valid are: 1, 2, 3, 4" in learnact("table", "9", "desk", *desk.results).err
    assert learnact("table", "2", "dsk", *desk.results).code == 2
    assert learnact("figure", "4", "desk", *desk.results).code == 2


def test_a_narrow_terminal_cuts_no_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in ("60", "120"):
        monkeypatch.setenv("COLUMNS", width)
        shown = learnact("table", "2", "desk", *desk.results).out
        assert (
            len(re.findall(r"\d+\.\d \(\d+-\d+\)", shown)) == 7
        )  # two methods: success twice, progress; Act as a method
