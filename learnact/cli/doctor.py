"""`learnact doctor`: does learned code run confined on this machine, and which walls are proved to stand?"""

from __future__ import annotations

import asyncio
import dataclasses
import platform
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from learnact.cli.output import console, say, say_json, table
from learnact.sandbox.self_test import SelfTestResult, prove, refused

MARKS = {"stands": "yes", "missing": "NO", "not offered": "-"}
ADVICE = (
    "Learned code is refused on this machine: a wall that it needs is missing (NO). "
    "Mend it, or write `sandbox: trusted` in a job whose learned code you trust; results will say so."
)
FINE = "Learned code runs confined on this machine."


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON instead of a table.")] = False,
) -> None:
    """Prove the sandbox's walls on this machine by trying to cross each.

    Exit code 1: learned code would be refused here, and the table says which wall is missing.

    learnact doctor --json
    """
    proofs = asyncio.run(prove())
    bad = refused(proofs)
    if as_json:
        say_json(
            {"confined": not bad, "machine": _machine(), "walls": [dataclasses.asdict(p) for p in proofs]}
        )
    else:
        _show(proofs, bad)
    raise typer.Exit(1 if bad else 0)


def _machine() -> dict[str, str]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": sys.version.split()[0],
    }


def _show(proofs: Sequence[SelfTestResult], bad: bool) -> None:
    say("  ".join(f"{name} {value}" for name, value in _machine().items()))
    shown = table("", "wall or bound", "stands", "how it was proved")
    for proof in proofs:
        shown.add_row(proof.wall, MARKS[proof.state], proof.tried)
    console().print(shown)
    say(ADVICE if bad else FINE)
