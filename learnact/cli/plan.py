"""`learnact plan`: what a job would do and cost at most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from learnact import driver
from learnact.cli.options import JobFile, Overrides, Results
from learnact.cli.output import console, say, say_json, table
from learnact.errors import BadInput
from learnact.report.design import design_table
from learnact.report.estimate import Estimate, JobEstimate
from learnact.report.progress import duration
from learnact.report.result_table import as_plain, to_rich

UNKNOWN = "unknown"
HEADS = (
    "#trials",
    "#learning episodes",
    "#test episodes",
    "#calls",
    "#prompt tokens",
    "#completion tokens",
    "#dollars",
)


def plan(
    job: JobFile,
    overrides: Overrides = None,
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    detect: Annotated[
        float | None,
        typer.Option(
            "--detect",
            metavar="POINTS",
            help="Also tell whether it could show a difference of so many percentage points of success.",
        ),
    ] = None,
) -> None:
    """Tell what a job would do and cost at most; calls nobody.

    Every number is an upper bound: all turns are used, all tries are needed, every reply is as long as
    max_tokens allows.

    learnact plan quickstart

    learnact plan robotic_planning --set repeats.learn=1

    learnact plan quickstart --detect 10
    """
    if detect is not None and not 0 < detect < 100:
        raise BadInput(f"--detect {detect:g}: give percentage points between 0 and 100")
    found = driver.plan(job, overrides=overrides or (), results=results)
    design = None if detect is None else design_table([one.trial for one in found.trials], detect)
    if json:
        say_json(_as_json(found) | ({"design": as_plain(design)} if design else {}))
        return
    _show(found)
    if design:
        say()
        console().print(to_rich(design))


def _show(found: JobEstimate) -> None:
    groups: dict[tuple[str, str, str], list[Estimate]] = {}
    for one in found.trials:
        trial = one.trial
        groups.setdefault((trial.label, trial.domain.name, trial.agent_model.shown), []).append(one)
    shown = table(f"{found.name}: at most", "method", "domain", "agent", *HEADS)
    for names, ones in groups.items():
        shown.add_row(*names, *_cells(JobEstimate(found.run, found.name, tuple(ones))))
    shown.add_section()
    shown.add_row("all", "", "", *_cells(found))
    console().print(shown)
    _show_ceilings(found)
    total, dollars = found.total, found.dollars
    cost = "cost unknown" if dollars is None else f"${dollars:,.2f}"
    unbounded = sorted({one.trial.learner.name for one in found.trials if not one.bounded})
    if unbounded:
        say(
            f"\nrun {found.run}: {len(found.trials)} trials. No bound is known of what learning costs with "
            f"{', '.join(unbounded)}: the learner gives none (`Learner.bound`). Set limits.dollars or "
            "limits.tokens to bound the run."
        )
        return
    say(
        f"\nrun {found.run}: {len(found.trials)} trials, at most {total.episodes:,} episodes, "
        f"{total.calls:,} calls, {total.prompt_tokens:,} prompt tokens, "
        f"{total.completion_tokens:,} completion tokens, {cost}."
    )
    if (seconds := found.least_seconds) is not None:
        say(f"At the limits a minute of its endpoints so much takes at least {duration(seconds)}.")
    models = {m.name: m for one in found.trials for m in (one.trial.agent_model, one.trial.learner_model)}
    if all(model.simulated for model in models.values()):
        say("All models are simulated: it costs nothing, and says nothing about language models.")
    elif dollars is None:
        say(
            "No prices are given: add `prices: {prompt: ..., completion: ...}` (dollars per million tokens) "
            "to the models."
        )


def _show_ceilings(found: JobEstimate) -> None:
    """Where plans are longer than an episode, how many: no agent without learned actions can follow them."""
    above = [one for one in found.ceilings if one.above]
    if not above:
        say("\nNo reference plan of a test task is longer than an episode.")
        return
    say("\nReference plans longer than a test episode, which no agent without learned actions can follow:")
    for one in above:
        options = "" if one.domain.options == "{}" else f" {one.domain.options}"
        say(
            f"  {one.domain.name}{options}, {one.turns} turns: {one.above} of {one.tasks} tasks "
            f"(ceiling {one.followable / one.tasks:.0%})"
        )


def _cells(found: JobEstimate) -> list[str]:
    total, dollars = found.total, found.dollars
    learned = sum(one.learning.episodes for one in found.trials)
    tested = sum(one.testing.episodes for one in found.trials)
    sums = (learned, total.calls, total.prompt_tokens, total.completion_tokens)
    learning, *calls = [f"{count:,}" if found.bounded else UNKNOWN for count in sums]
    money = "" if dollars is None else f"{dollars:,.2f}"
    return [str(len(found.trials)), learning, f"{tested:,}", *calls, money if found.bounded else UNKNOWN]


def _as_json(found: JobEstimate) -> dict[str, Any]:
    rows = []
    for one in found.trials:
        trial, sums = one.trial, one.total
        rows.append(
            {
                "trial": trial.id,
                "method": trial.label,
                "domain": trial.domain.name,
                "agent_model": trial.agent_model.shown,
                "learner_model": trial.learner_model.shown if trial.learns else None,
                "learn_repeat": trial.learn_repeat,
                "learning_episodes": one.learning.episodes if one.bounded else None,
                "test_episodes": one.testing.episodes,
                "calls": sums.calls if one.bounded else None,
                "prompt_tokens": sums.prompt_tokens if one.bounded else None,
                "completion_tokens": sums.completion_tokens if one.bounded else None,
                "dollars": one.dollars,
            }
        )
    total = found.total
    return {
        "run": found.run,
        "name": found.name,
        "trials": rows,
        "ceilings": [
            {
                "domain": one.domain.name,
                "options": one.domain.options,
                "turns": one.turns,
                "tasks": one.tasks,
                "plans_above_turns": one.above,
                "tasks_without_plan": one.unplanned,
            }
            for one in found.ceilings
        ],
        "episodes": total.episodes if found.bounded else None,
        "calls": total.calls if found.bounded else None,
        "prompt_tokens": total.prompt_tokens if found.bounded else None,
        "completion_tokens": total.completion_tokens if found.bounded else None,
        "dollars": found.dollars,
        "least_seconds": found.least_seconds if found.bounded else None,
    }
