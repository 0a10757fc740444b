"""`learnact run`: runs a job."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from learnact import driver
from learnact.cli.options import JobFile, Overrides, Results
from learnact.cli.output import console
from learnact.job import load
from learnact.report.progress import ProgressDisplay
from learnact.report.summary import page_json, render_page, run_page


def run(
    job: JobFile,
    *,
    overrides: Overrides = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Where: auto or ray://HOST:10001 for a running Ray cluster, local for this process alone; "
            "default: this machine's cores."
        ),
    ] = None,
    results: Results = Path("results"),
    accept_model_change: Annotated[
        bool,
        typer.Option(
            "--accept-model-change", help="Continue although a model answers under another name than before."
        ),
    ] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Start without asking each endpoint for its models first.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object at the end, instead of tables.")
    ] = False,
) -> None:
    """Run a job; the same command again continues.

    Nothing that is committed is done again. Exit code 0: all is done; 1: some work is unfinished, and the
    page says why; 2: the job cannot be run as it is.

    learnact run quickstart

    learnact run my.yaml --set repeats.learn=1 --set 'methods=[act, learnact]'

    learnact run my.yaml --address ray://head:10001 --results /shared/results
    """
    loaded = load(job, overrides or ())
    with _terminable(), ProgressDisplay(console(stderr=True)) as display:
        came = driver.run(
            loaded,
            results=results,
            address=address,
            display=display,
            accept_model_change=accept_model_change,
            check=not no_check,
        )
    page = run_page(came.folder, [job, *(part for one in overrides or () for part in ("--set", one))])
    if json:
        typer.echo(page_json(page))
    else:
        console().print(render_page(page), crop=False)
    if not came.done:
        raise typer.Exit(1)


@contextmanager
def _terminable() -> Iterator[None]:
    """A scheduler's request to stop, or a terminal that closes, is taken as a person's interrupt: what is
    committed stays, the run is closed.

    A script's shell starts what it puts in the background with interrupts ignored; they are heeded here, or a
    request to stop would be lost too.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores a terminal that closes
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
