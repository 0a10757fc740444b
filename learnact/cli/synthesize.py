"""`learnact synthesize`: training data that a model writes and verification checks."""

from __future__ import annotations

import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from learnact.cli import StoppedExit
from learnact.cli.options import AcceptModelChange, Address, JobFile, Overrides, Results
from learnact.cli.output import console, print_error, say, say_json
from learnact.records.text import printable
from learnact.report.commands import export_command, query_command, show_command
from learnact.report.progress import LINE_SECONDS, SIMULATED, duration
from learnact.runners.calls import Spending
from learnact.runners.interrupts import RunInterrupted
from learnact.synthesis.bound import bound
from learnact.synthesis.driver import SynthesisProgress, SynthesisSummary
from learnact.synthesis.driver import synthesize as run_synthesis
from learnact.synthesis.job import SynthesisJob, load_synthesis

UNFINISHED = 1


def synthesize(
    job: JobFile,
    *,
    overrides: Overrides = None,
    address: Address = None,
    results: Results = Path("results"),
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Tell what it would do and cost at most; calls nobody."),
    ] = False,
    accept_model_change: AcceptModelChange = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Start without asking the endpoint for its models first.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make refinement-tuning data: a model writes worlds and plays in them, and each reply is verified.

    Nothing that is committed is done again, and no call that was answered is asked again; more trajectories
    of the same job continue its run. Exit code 0: as many are verified as are wanted; 1: fewer, and why.

    learnact synthesize synthesize --dry-run

    learnact synthesize synthesize --set trajectories=20

    learnact export synthesize --to sft --format agentrefine --output synthesized.jsonl
    """
    loaded = load_synthesis(job, overrides or ())
    if dry_run:
        _plan(loaded, json)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored: heeded here
    stopped: RunInterrupted | None = None
    shown = _Lines(loaded, console(stderr=True))
    try:
        came: SynthesisSummary | None = run_synthesis(
            loaded,
            results=results,
            address=address,
            notice=shown,
            accept_model_change=accept_model_change,
            check=not no_check,
        )
    except RunInterrupted as interrupted:
        stopped, came = interrupted, interrupted.summary
    if stopped is not None:
        print_error(f"{stopped}; the same command again continues where it stopped")
    if came is not None:
        _show(came, json)
    if stopped is not None:
        raise StoppedExit(stopped.exit_code)
    if came is not None and not came.done:
        raise typer.Exit(UNFINISHED)


class _Lines:
    """A line about the run now and then: at its beginning, and at most every few seconds."""

    def __init__(self, job: SynthesisJob, out: Console) -> None:
        self._name, self._out = job.config.name, out
        self._simulated = f" ({SIMULATED})" if job.model.simulated else ""
        self._shown = 0.0

    def __call__(self, now: SynthesisProgress) -> None:
        """Show how far the run is."""
        if time.monotonic() - self._shown < LINE_SECONDS:
            return
        self._shown = time.monotonic()
        line = (
            f"{self._name}: {now.verified:,}/{now.wanted:,} trajectories verified, {now.refused:,} examples "
            f"refused, {now.under_way} under way; {_used(now.spent)}{self._simulated}"
        )
        self._out.print(line, markup=False, soft_wrap=True)


def _used(spent: Spending) -> str:
    money = f", ${spent.dollars:,.4g}" if spent.calls > spent.unpriced else ""
    return f"{spent.calls:,} calls, {spent.tokens:,} tokens{money}"


def _show(came: SynthesisSummary, json: bool) -> None:
    if json:
        say_json({**asdict(came), "folder": str(came.folder), "done": came.done})
        return
    if came.simulated:
        say(f"Written by the {SIMULATED}.")
    say(
        f"{came.verified:,} of {came.wanted:,} trajectories are verified, {came.refused:,} examples were "
        f"refused ({came.generated:,} generated now, {came.calls:,} calls now, {duration(came.seconds)}); "
        f"in all {_used(came.spent)}."
    )
    if not came.done:
        for reason in came.reasons[:3] or ("it was stopped",):
            say(f"Not done: {printable(reason)}")
    say(f"Run: {came.folder}")
    say("Next:")
    run, place = came.folder.name, came.folder.parent
    say(f"  {export_command(run, place, '--to', 'sft', '--format', 'agentrefine')}")
    say(f"  {show_command(run, place, '--example', '0')}")
    say(f"  {query_command(run, place, 'synthesis')}")


def _plan(job: SynthesisJob, json: bool) -> None:
    most = bound(job)
    if json:
        say_json({"run": job.run, "name": job.config.name, **asdict(most)})
        return
    cost = "cost unknown" if most.dollars is None else f"${most.dollars:,.2f}"
    say(
        f"run {job.run}: {job.config.trajectories:,} trajectories from {len(job.personas):,} persons, at "
        f"least {most.least_calls:,} calls; at most {most.examples:,} examples, {most.calls:,} calls, "
        f"{most.prompt_tokens:,} prompt tokens, {most.completion_tokens:,} completion tokens, {cost}."
    )
    if job.model.simulated:
        say("The model is simulated: it costs nothing, and says nothing about language models.")
    elif most.dollars is None:
        say("No prices are given: add `prices: {prompt: ..., completion: ...}` to the model.")
