"""`learnact run`: runs a job."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from learnact import driver
from learnact.cli import StoppedExit
from learnact.cli.options import AcceptModelChange, Address, JobFile, Overrides, Results
from learnact.cli.output import console, print_error
from learnact.job import load
from learnact.report.display import Display
from learnact.report.metrics import MetricsServer
from learnact.report.progress import ProgressDisplay
from learnact.report.summary import page_json, render_page, run_page
from learnact.runners.interrupts import RunInterrupted


def run(
    job: JobFile,
    *,
    overrides: Overrides = None,
    address: Address = None,
    results: Results = Path("results"),
    accept_model_change: AcceptModelChange = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Start without asking each endpoint for its models first.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            min=0,
            max=65535,
            help="Serve metrics for Prometheus at this port (0: a free one, which is told).",
            show_default=False,
        ),
    ] = None,
    trace: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE",
            help="Send OpenTelemetry traces: to an OTLP endpoint (http://...) or into a file; default: what "
            "OTEL_EXPORTER_OTLP_ENDPOINT says.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object at the end, instead of tables.")
    ] = False,
) -> None:
    """Run a job; the same command again continues.

    Nothing that is committed is done again, and no call that was answered is asked again. Ctrl-C, SIGTERM and
    SIGHUP stop the run when the calls in flight are answered; a second one stops it at once. Exit code 0: all
    is done; 1: some work is unfinished, and the page says why; 2: the job cannot be run as it is; 130, 143,
    129: stopped by Ctrl-C, SIGTERM, SIGHUP.

    learnact run quickstart

    learnact run my.yaml --set repeats.learn=1 --set 'methods=[act, learnact]'

    learnact run my.yaml --address ray://head:10001 --results /shared/results

    learnact run my.yaml --metrics-port 9090

    learnact run quickstart --trace spans.jsonl
    """
    loaded = load(job, overrides or ())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored: heeded here
    stopped: RunInterrupted | None = None
    with ExitStack() as stack:
        display: Display = stack.enter_context(ProgressDisplay(console(stderr=True)))
        if metrics_port is not None:
            server = stack.enter_context(MetricsServer(display, metrics_port))
            console(stderr=True).print(f"metrics: http://127.0.0.1:{server.port}/metrics")
            display = server
        try:
            came = driver.run(
                loaded,
                results=results,
                address=address,
                display=display,
                accept_model_change=accept_model_change,
                check=not no_check,
                trace=trace,
            )
        except RunInterrupted as interrupted:
            stopped, came = interrupted, interrupted.summary
    if stopped is not None:
        print_error(f"{stopped}; the same command again continues where it stopped")
        if came is None:
            raise StoppedExit(stopped.exit_code)
    page = run_page(came.folder, [job, *(part for one in overrides or () for part in ("--set", one))])
    if json:
        typer.echo(page_json(page))
    else:
        console().print(render_page(page), crop=False)
    if not came.done:
        raise StoppedExit(stopped.exit_code) if stopped is not None else typer.Exit(1)
