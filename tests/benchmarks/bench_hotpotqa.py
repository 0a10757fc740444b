"""Questions over articles: opening one, a step, and memory. There is no package to stand beside: HotpotQA is
a file and a script."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.family_rows import family_rows


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    rows: list[dict[str, Any]] = []
    for level in ("published", "harder"):
        rows += family_rows("hotpotqa", {"level": level}, label=level, most=(2, 1, 100))
    return rows
