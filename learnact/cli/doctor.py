"""`learnact doctor`: does learned code run confined on this machine, and which layers of confinement hold?"""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from learnact.cli.output import console, say, say_json, table
from learnact.sandbox.self_test import SelfTestResult, refuses_learned_code, run_self_test

MARKS = {"stands": "yes", "missing": "NO", "not offered": "-"}
REFUSED = (
    "Learned code is refused on this machine: a layer of confinement that it needs is missing (NO). "
    "Install it, or write `sandbox: trusted` in a job whose learned code you trust; results will say so."
)
CONFINED = "Learned code runs confined on this machine."


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON instead of a table.")] = False,
) -> None:
    """Test the confinement of learned code on this machine by attacking each layer of it.

    Exit code 1: learned code would be refused here, and the table says which layer is missing.

    learnact doctor --json
    """
    results = asyncio.run(run_self_test())
    refused = refuses_learned_code(results)
    if as_json:
        say_json(
            {"confined": not refused, "machine": _machine(), "walls": [_row(result) for result in results]}
        )
    else:
        _show(results, refused)
    raise typer.Exit(1 if refused else 0)


def _row(result: SelfTestResult) -> dict[str, object]:
    """A result under the names that programs read."""
    return {"wall": result.layer, "state": result.state, "tried": result.tried, "needed": result.needed}


def _machine() -> dict[str, str]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": sys.version.split()[0],
    }


def _show(results: Sequence[SelfTestResult], refused: bool) -> None:
    say("  ".join(f"{name} {value}" for name, value in _machine().items()))
    shown = table("", "layer or bound", "holds", "how it was tested")
    for result in results:
        shown.add_row(result.layer, MARKS[result.state], result.tried)
    console().print(shown)
    say(REFUSED if refused else CONFINED)
