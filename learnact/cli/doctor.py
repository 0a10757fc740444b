"""`learnact doctor`: does learned code run confined on this machine, and which layers of confinement hold?
With an address: is every node of a cluster fit for a run?"""

from __future__ import annotations

import asyncio
import dataclasses
import platform
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from learnact.cli.output import console, say, say_json, table
from learnact.errors import BadInput
from learnact.job import load
from learnact.job.endpoints import asked_models
from learnact.records.text import printable
from learnact.results.location import Location, location_of
from learnact.runners.ray.cluster_check import NodeFacts, check_cluster
from learnact.sandbox.self_test import SelfTestResult, refuses_learned_code, run_self_test

MARKS = {"stands": "yes", "missing": "NO", "not offered": "-"}
REFUSED = (
    "Learned code is refused on this machine: a layer of confinement that it needs is missing (NO). "
    "Install it, or write `sandbox: trusted` in a job whose learned code you trust; results will say so."
)
CONFINED = "Learned code runs confined on this machine."


def doctor(
    *,
    address: Annotated[
        str | None,
        typer.Option(
            help="Check each node of the Ray cluster there instead: auto or ray://HOST:10001.",
            show_default=False,
        ),
    ] = None,
    job: Annotated[
        str | None,
        typer.Option(
            metavar="JOB",
            help="With --address: try the endpoints of this job's models from each node.",
            show_default=False,
        ),
    ] = None,
    results: Annotated[
        Location | None,
        typer.Option(
            metavar="PLACE",
            parser=location_of,
            help="With --address: try to write to this folder, or reach this s3://BUCKET/PREFIX, from each "
            "node.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON instead of a table.")] = False,
) -> None:
    """Test the confinement of learned code on this machine by attacking each layer of it.

    Exit code 1: learned code would be refused here, and the table says which layer is missing. With an
    address: versions, clock, confinement, endpoints and folder of each node, and exit code 1 where a node is
    not fit.

    learnact doctor --json

    learnact doctor --address auto --job my.yaml --results /shared/results
    """
    if address is not None:
        _check_nodes(address, job, results, as_json)
        return
    if job is not None or results is not None:
        raise BadInput("--job and --results are tried on the nodes of a cluster: name it with --address")
    tested = asyncio.run(run_self_test())
    refused = refuses_learned_code(tested)
    if as_json:
        say_json(
            {"confined": not refused, "machine": _machine(), "walls": [_row(result) for result in tested]}
        )
    else:
        _show(tested, refused)
    raise typer.Exit(1 if refused else 0)


def _check_nodes(address: str, job: str | None, results: Location | None, as_json: bool) -> None:
    trials = load(job).trials() if job is not None else ()
    models = [model for model, _ in asked_models(trials)]
    with console(stderr=True).status(f"asking the nodes of {address}"):
        nodes = asyncio.run(check_cluster(address, results=results, models=models))
    if as_json:
        say_json([dataclasses.asdict(node) for node in nodes])
    else:
        _show_nodes(nodes)
    raise typer.Exit(1 if any(node.problems for node in nodes) else 0)


def _show_nodes(nodes: Sequence[NodeFacts]) -> None:
    shown = table("", "node", "versions", "#clock", "fit", "what to do")
    for node in nodes:
        problems = printable("; ".join(node.problems))
        versions = ", ".join(
            f"{name} {node.versions.get(name, '?')}" for name in ("learnact", "python", "ray")
        )
        fit = "no" if problems else "yes"
        shown.add_row(node.host, versions, f"{node.skew:+.2f} s", fit, problems)
    console().print(shown)
    unfit = sum(bool(node.problems) for node in nodes)
    say(f"{len(nodes) - unfit} of {len(nodes)} nodes are fit for a run.")


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
