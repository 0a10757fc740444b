"""HTML from templates. All text is escaped, and shown without characters that control how it is displayed.

What models and learned code wrote reaches a page as text only. `Markup` comes from two places: highlighted
code (code.py) and our own charts (svg.py); both escape what they are given.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from learnact.records.text import printable
from learnact.report.result_table import ResultTable, shown_texts, shown_title


@dataclass(frozen=True)
class HtmlTable:
    """A table as a page shows it: texts, with the columns that hold numbers."""

    title: str
    headings: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def html_table(table: ResultTable) -> HtmlTable:
    """A table of results for people."""
    shown = table.for_people
    headings, rows = shown_texts(shown)
    numeric = [column.kind != "text" for column in shown.columns]
    return HtmlTable(shown_title(table), headings, numeric, rows, table.all_notes)


@cache
def style() -> Markup:
    """The style sheet, which stands in each page so that a page is one file."""
    return Markup((files("learnact.pages") / "style.css").read_text(encoding="utf-8"))


@cache
def style_source() -> str:
    """What a Content-Security-Policy calls the style sheet: no other style is applied."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()}'"


def policy(more: str = "") -> str:
    """The Content-Security-Policy of a page: no script, nothing from elsewhere, one style sheet."""
    return f"default-src 'none'; img-src 'self' data:; style-src {style_source()}; base-uri 'none'{more}"


@cache
def templates() -> Environment:
    """Templates of `templates/`. A name that a template uses and nobody gave is an error."""
    made = Environment(
        loader=PackageLoader("learnact.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_as_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        percent=percent,
        count=lambda value: decimals(value, 0),
        seconds=lambda value: "-" if value is None else f"{value:.2f} s",
        short=lambda value: value[:12],
        dollars=dollars,
        decimals=decimals,
        moment=moment,
        marked=marked,
    )
    made.globals.update(style=style, policy=policy)
    return made


def render(template: str, **values: Any) -> str:
    """A page from a template."""
    return templates().get_template(template).render(**values)


def percent(value: float | None) -> str:
    """A fraction in percent; `-` where there is none."""
    return "-" if value is None or value != value else f"{100 * value:.0f} %"


def dollars(value: float | None) -> str:
    """An amount of US dollars."""
    if value is None:
        return "no price known"
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def marked(text: str, wanted: str) -> Markup:
    """Text with each place of `wanted`, in any case, as a mark."""
    shown, found = printable(text, keep="\n\t"), printable(wanted, keep="\n\t")
    if not found:
        return Markup.escape(shown)
    parts = re.split(f"({re.escape(found)})", shown, flags=re.IGNORECASE)
    mark = Markup("<mark>{}</mark>")
    return Markup("").join(mark.format(part) if place % 2 else part for place, part in enumerate(parts))


def decimals(value: float | None, digits: int = 2) -> str:
    """A number; `-` where there is none."""
    return "-" if value is None or value != value else f"{value:,.{digits}f}"


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _as_text(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, keep="\n\t")
    return "" if value is None else value
