"""`learnact submit`, `status`, `stop`, `fetch`: runs on a Ray cluster whose job server can be reached."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from learnact.cli.options import JobFile, Overrides, Results
from learnact.cli.output import console, say, say_json, table
from learnact.errors import BadInput
from learnact.job import load
from learnact.job.shipped import job_path
from learnact.records.text import printable
from learnact.results.location import location_of
from learnact.runners.ray.job_server import JobParcel, JobServer, JobState
from learnact.runners.ray.send_results import receive

ADDRESS_VARIABLE = "RAY_API_SERVER_ADDRESS"
"""Ray's own variable for the job server's URL."""

MAX_BYTES = 256 << 20
"""Bytes of files that are sent with a job; Ray's job server takes no more than 500 MiB in all."""

FILE_KEYS = frozenset({"source", "text", "labels", "library", "from"})
"""Keys of a job file whose value may name a file or folder."""

Address = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help=f"The job server, such as http://HEAD:8265; default: the variable {ADDRESS_VARIABLE}.",
        show_default=False,
    ),
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A submitted job's id.", show_default=False)]
JsonOutput = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def submit(
    job: JobFile,
    *,
    results: Annotated[
        str,
        typer.Option(
            help="Where results are kept: an absolute folder on the cluster that outlives the job, or "
            "s3://BUCKET/PREFIX.",
            show_default=False,
        ),
    ],
    address: Address = None,
    overrides: Overrides = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return when the job is handed in.")] = False,
    wanted: Annotated[
        str | None,
        typer.Option("--id", help="The job's id; default: made from its name.", show_default=False),
    ] = None,
    cluster_code: Annotated[
        bool, typer.Option("--cluster-code", help="Run the learnact that the cluster has, not this one.")
    ] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Have the cluster install what learnact requires, with pip.")
    ] = False,
    json: JsonOutput = False,
) -> None:
    """Hand a job to a Ray cluster's job server and follow it; the same command again continues the run.

    The job file, the files that it names by relative paths and learnact's own code travel along. Keys of
    endpoints do not: they must be in the environment of the cluster's nodes (cluster/README.md).

    learnact submit my.yaml --address http://head:8265 --results /results

    learnact submit my.yaml --address http://head:8265 --results /results --no-wait
    """
    if not location_of(results).is_absolute():
        raise BadInput(
            f"--results {results}: give an absolute folder on the cluster, such as a mounted volume "
            "(/results), or s3://BUCKET/PREFIX"
        )
    loaded = load(job, overrides or ())
    server = JobServer(_address(address))
    more = [part for one in overrides or () for part in ("--set", one)]
    where = ["--address", "auto", "--results", results]
    facts = {"job": loaded.name, "results": results}
    with _folder(job_path(job), loaded.given()) as (folder, name):
        parcel = JobParcel(folder, name, [*where, *more], facts, send_code=not cluster_code, install=install)
        handed_in = server.submit(parcel, wanted)
    if json:
        say_json({"id": handed_in, "address": server.address, **facts})
    else:
        say(f"submitted {handed_in}")
    if no_wait:
        if not json:
            say(_next(handed_in, server))
        return
    _follow(server, handed_in, json)


def status(
    job: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="A submitted job's id; default: all.", show_default=False),
    ] = None,
    address: Address = None,
    lines: Annotated[int, typer.Option(min=0, help="Lines of its output that are shown.")] = 10,
    json: JsonOutput = False,
) -> None:
    """Tell how submitted jobs fare: all of them, or one with the end of its output.

    learnact status --address http://head:8265
    """
    server = JobServer(_address(address))
    if job is None:
        _list(server.states(), json)
        return
    state = server.state(job)
    log = server.log(job).splitlines()
    shown = log[len(log) - lines :] if lines else []
    if json:
        say_json({**_row(state), "output": shown})
        return
    say(f"{state.id}: {state.status.lower()}, {_times(state)}")
    for name in ("job", "results"):
        if name in state.facts:
            say(f"  {name}: {printable(state.facts[name])}")
    if state.status == "FAILED" and state.message:
        say(f"  {printable(state.message.splitlines()[0])}")
    for line in shown:
        say(printable(line))


def stop(job: JobId, address: Address = None, json: JsonOutput = False) -> None:
    """Ask a submitted job to end; what is in flight is committed, and submitting again continues.

    learnact stop learnact-quickstart-1a2b3c4d --address http://head:8265
    """
    server = JobServer(_address(address))
    stopped = server.stop(job)
    if json:
        say_json({"id": job, "stopped": stopped})
    else:
        say(f"{job}: asked to stop" if stopped else f"{job}: had ended already")


def fetch(job: JobId, results: Results = Path("results"), address: Address = None) -> None:
    """Copy the run of a submitted job into a folder here, as far as it is; also while it goes on.

    Then all commands read it: learnact show, table, sql. A copy that is there already is replaced.

    learnact fetch learnact-quickstart-1a2b3c4d --address http://head:8265 --results results
    """
    if isinstance(results, Path) and results.exists() and not results.is_dir():
        raise BadInput(f"--results {results}: is no folder; name one, or a new one")
    server = JobServer(_address(address))
    facts = server.state(job).facts
    if "results" not in facts:
        raise BadInput(f"{job} was not submitted by learnact; its results are where its own command put them")
    module = "learnact.runners.ray.send_results"
    helper = server.run_here(job, [module, facts["results"], job])
    with console(stderr=True).status(f"fetching {facts['job']} from {server.address}"):
        while not server.state(helper).over:
            time.sleep(0.5)
    place = receive(server.log(helper), results)
    say(f"fetched {place}\nnext: learnact show {place.name} --results {results}")


def _address(given: str | None) -> str:
    address = given or os.environ.get(ADDRESS_VARIABLE)
    if not address:
        raise BadInput(f"name the job server: --address http://HEAD:8265, or set {ADDRESS_VARIABLE}")
    return address


def _follow(server: JobServer, job: str, json: bool) -> None:
    """Show what the job prints until it ends; its exit code becomes ours."""

    async def show() -> None:
        async for text in server.follow(job):
            (sys.stderr if json else sys.stdout).write(printable(text, keep="\n"))
            sys.stdout.flush()

    try:
        asyncio.run(show())
    except KeyboardInterrupt:
        say(f"\nThe job goes on.\n{_next(job, server)}")
        raise typer.Exit(1) from None
    state = server.state(job)
    if json:
        say_json(_row(state))
    elif state.status != "SUCCEEDED":
        reason = next(iter(state.message.splitlines()), "")
        say(f"{job}: {state.status.lower()}: {printable(reason)}")
    if state.status == "SUCCEEDED":
        if not json:
            say(f"next: learnact fetch {job} --address {server.address}")
        return
    raise typer.Exit(state.exit_code if state.exit_code in (1, 2) else 1)


def _next(job: str, server: JobServer) -> str:
    return "\n".join(
        f"learnact {word} {job} --address {server.address}" for word in ("status", "stop", "fetch")
    )


@contextmanager
def _folder(job: Path, given: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """A folder with the job file and the files that it names by relative paths, each at its own path."""
    with tempfile.TemporaryDirectory(prefix="learnact-submit-") as folder:
        for path in sorted(set(_named_files(given))):
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target)
        shutil.copy2(job, Path(folder) / job.name)
        sizes = {path: path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()}
        if sum(sizes.values()) > MAX_BYTES:
            largest = max(sizes, key=lambda path: sizes[path]).relative_to(folder)
            raise BadInput(
                f"{job}: the files that it names have {sum(sizes.values()):,} bytes (largest: {largest}), "
                f"more than are sent with a job ({MAX_BYTES:,}): put them on the cluster and name them by an "
                "absolute path"
            )
        yield Path(folder), job.name


def _named_files(value: Any, key: str = "") -> Iterator[Path]:
    """Relative paths in a job that are there. Raises `BadInput` for one that leads out of this folder."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _named_files(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named_files(inner, key)
    elif isinstance(value, str) and key in FILE_KEYS and not os.path.isabs(value) and os.path.exists(value):
        if ".." in Path(value).parts:
            raise BadInput(
                f"{key}: {value} leads out of this folder, so it cannot be sent along: call learnact from a "
                "folder above it, or name it by an absolute path that exists on the cluster"
            )
        yield Path(value)


def _list(states: list[JobState], json: bool) -> None:
    if json:
        say_json([_row(state) for state in states])
        return
    shown = table("", "id", "job", "status", "times", "results")
    for state in states:
        facts = state.facts
        shown.add_row(
            state.id,
            printable(facts.get("job", "")),
            state.status.lower(),
            _times(state),
            printable(facts.get("results", "")),
        )
    console().print(shown) if states else say("no job was submitted by learnact")


def _times(state: JobState) -> str:
    if state.started is None:
        return "not started"
    began = f"since {datetime.fromtimestamp(state.started):%Y-%m-%d %H:%M:%S}"
    return began if state.ended is None else f"{began}, {state.ended - state.started:.0f} s"


def _row(state: JobState) -> dict[str, Any]:
    """A job under the names that programs read."""
    return {
        "id": state.id,
        "status": state.status,
        "message": state.message,
        "exit_code": state.exit_code,
        "started": state.started,
        "ended": state.ended,
        **{name: state.facts[name] for name in ("job", "results") if name in state.facts},
    }
