"""Tables as LaTeX: every character is text, every row has its cells, and simulated numbers are marked."""

import re

from hypothesis import given
from hypothesis import strategies as st

from learnact.report.latex import latex_text, to_latex
from learnact.report.result_table import SIMULATED, Column, ResultTable
from learnact.statistics.intervals import Interval
from tests.cli.conftest import Desk, desk, learnact, speaker  # noqa: F401 - fixtures

COMMANDS = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", r"\textquotedbl{}": '"',
    **{f"\\{c}": c for c in "&%$#_{}"},
}  # fmt: skip


def read(text: str) -> str:
    """What LaTeX prints of a text."""
    return re.sub("|".join(map(re.escape, COMMANDS)), lambda found: COMMANDS[found[0]], text)


@given(st.text())
def test_text_is_printed_as_it_is(text: str) -> None:
    written = latex_text(text)
    assert read(written) == text
    assert not re.search(r"(?<!\\)[&%$#_~^]", written.replace("\\\\", ""))


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_every_row_has_its_cells(names: list[str]) -> None:
    columns = (Column("method"), Column("success", "share"), Column("less", "difference"))
    cell = Interval(0.5, 0.25, 0.75, 8, 4)
    rows = tuple((name, cell, -0.125) for name in names)
    written = to_latex(ResultTable("Table_2: 50 % & more", columns, rows, ("A note_1.",), simulated=True))
    body = written.split("\\midrule\n")[1].split("\\bottomrule")[0]
    lines = [line for line in body.split("\\\\\n") if line.strip()]
    assert len(lines) == len(names)
    for line in lines:
        assert len(re.findall(r"(?<!\\)&", line)) == 2
        assert "50.0 (25--75)" in line
        assert "$-$12.5" in line
    assert r"\begin{tabular}{lrr}" in written
    assert r"Table\_2: 50 \% \& more (simulated)" in written
    assert latex_text(SIMULATED) in written
    assert written.count(r"\begin{") == written.count(r"\end{")


def test_the_command_writes_latex(desk: Desk, tmp_path) -> None:  # noqa: F811 - the fixture
    done = learnact("table", "2", "desk", *desk.results, "--format", "latex", "--output", tmp_path / "t.tex")
    assert done.code == 0
    text = (tmp_path / "t.tex").read_text()
    tables = learnact("table", "2", "desk", *desk.results, "--format", "json").json
    assert text.count(r"\begin{table}") == len(tables) > 1
    assert "gripper" in text
