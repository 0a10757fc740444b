"""Tables of results as LaTeX, for papers: needs the package booktabs and nothing else."""

from __future__ import annotations

import re

from learnact.report.result_table import ResultTable, shown_texts, shown_title

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_FOUND = re.compile("|".join(map(re.escape, _SPECIAL)))
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
_RANGE = re.compile(r"(?<=\d)-(?=\d)")


def latex_text(text: str) -> str:
    """Text in which LaTeX sees no command; characters that it gives a meaning are written out."""
    return _FOUND.sub(lambda found: _SPECIAL[found[0]], text)


def to_latex(table: ResultTable) -> str:
    """A `table` with `tabular`, its title as caption, its notes below; marked where models are simulated.

    Numbers have true minus signs and en dashes between bounds.
    """
    shown = table.for_people
    headings, rows = shown_texts(shown)
    numeric = [column.kind != "text" for column in shown.columns]
    body = [
        " & ".join(
            _number(cell) if number else latex_text(cell) for cell, number in zip(row, numeric, strict=True)
        )
        for row in rows
    ]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(shown_title(table))}}}",
        rf"\begin{{tabular}}{{{''.join('r' if number else 'l' for number in numeric)}}}",
        r"\toprule",
        " & ".join(map(latex_text, headings)) + r" \\",
        r"\midrule",
        *(rf"{row} \\" for row in body),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\smallskip\footnotesize {latex_text(note)}" for note in table.all_notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _number(cell: str) -> str:
    """A number or an interval."""
    return latex_text(_MINUS.sub("\0", _RANGE.sub("--", cell))).replace("\0", "$-$")
