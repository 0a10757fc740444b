"""Runs every bench_*.py of this folder, prints one table, and writes JSON.

    python -m tests.benchmarks [NAME ...] [--json FILE]

A benchmark module has `run() -> list[dict]` with rows {"name", "value", "unit", "target"}. `target` is
the most that is allowed, a pair ("min", least) where more is better, or None where nothing is promised. The
exit code is 1 when a target is missed or a module fails.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUTPUT = Path(".benchmarks/latest.json")


def meets(value: float, target: Any) -> bool | None:
    """Whether a value keeps its target; None where there is none."""
    if target is None:
        return None
    if isinstance(target, list | tuple):
        return bool(value >= target[1])
    return bool(value <= target)


def measure(names: list[str]) -> list[dict[str, Any]]:
    """Rows of the modules named (all without names), a module that fails as a row that says so."""
    rows: list[dict[str, Any]] = []
    for path in sorted(HERE.glob("bench_*.py")):
        part = path.stem.removeprefix("bench_")
        if names and part not in names:
            continue
        began = time.perf_counter()
        try:
            found = importlib.import_module(f"tests.benchmarks.{path.stem}").run()
        except Exception as error:  # noqa: BLE001 - shown as a row that fails; the others go on
            traceback.print_exc()
            found = [{"name": f"failed: {error}", "value": float("nan"), "unit": "", "target": 0}]
        for row in found:
            rows.append({"part": part, **row, "ok": meets(row["value"], row.get("target"))})
        print(f"{part}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return rows


def target_text(target: Any) -> str:
    """A target for people."""
    if target is None:
        return ""
    return f">= {target[1]:g}" if isinstance(target, list | tuple) else f"<= {target:g}"


def show(rows: list[dict[str, Any]]) -> None:
    """The rows as a table."""
    table = Table("part", "what", box=None, pad_edge=False)
    for name in ("value", "target"):
        table.add_column(name, justify="right")
    table.add_column("unit")
    table.add_column("")
    for row in rows:
        mark = {True: "ok", False: "MISSED", None: ""}[row["ok"]]
        table.add_row(
            row["part"], row["name"], f"{row['value']:.4g}", target_text(row.get("target")), row["unit"], mark
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def main() -> int:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="parts to measure, e.g. results; default: all")
    parser.add_argument("--json", type=Path, default=OUTPUT, help=f"where to write (default {OUTPUT})")
    given = parser.parse_args()
    rows = measure(given.names)
    show(rows)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "platform": platform.platform()}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"time": time.time(), "machine": machine, "rows": rows}, indent=1))
    print(f"written to {given.json}")
    return int(any(row["ok"] is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
