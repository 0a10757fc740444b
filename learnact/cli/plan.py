"""`learnact plan`: what a job would do and cost at most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from learnact.cli.options import JobFile, Overrides, Results
from learnact.cli.output import console, say, say_json, table

if TYPE_CHECKING:
    from learnact.job import Job
    from learnact.report.estimate import Amount, Estimate


def plan(
    job: JobFile,
    overrides: Overrides = None,
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell what a job would do and cost at most; calls nobody.

    Every number is an upper bound: all turns are used, all tries are needed, every reply is as long as max_tokens allows.

    learnact plan jobs/quickstart.yaml

    learnact plan jobs/robotic_planning.yaml --set repeats.learn=1
    """
    from learnact.job import load
    from learnact.job.preflight import preflight
    from learnact.report.estimate import estimate

    loaded = load(job, overrides or ())
    made = preflight(loaded, results)
    found = estimate(made.trials)
    if json:
        say_json(_as_json(loaded, made.run, found))
    else:
        _show(loaded, made.run, found)


def _groups(found: list[Estimate]) -> dict[tuple[str, str, str], list[Estimate]]:
    groups: dict[tuple[str, str, str], list[Estimate]] = {}
    for one in found:
        trial = one.trial
        groups.setdefault((trial.label, trial.domain.name, trial.agent_model.name), []).append(one)
    return groups


def _show(job: Job, run: str, found: list[Estimate]) -> None:
    from learnact.report.estimate import added

    heads = (
        "#trials",
        "#learning episodes",
        "#test episodes",
        "#calls",
        "#prompt tokens",
        "#completion tokens",
        "#dollars",
    )
    shown = table(f"{job.name}: at most", "method", "domain", "agent", *heads)
    for (label, domain, model), ones in _groups(found).items():
        shown.add_row(label, domain, model, *_cells(ones))
    shown.add_section()
    shown.add_row("all", "", "", *_cells(found))
    console().print(shown)
    total = added([one.total for one in found])
    say(
        f"\nrun {run}: {len(found)} trials, at most {total.episodes:,} episodes, {total.calls:,} calls, "
        f"{total.prompt_tokens + total.completion_tokens:,} tokens, {_dollars(found)}."
    )
    models = {m.name: m for one in found for m in (one.trial.agent_model, one.trial.learner_model)}
    if all(model.simulated for model in models.values()):
        say("All models are simulated: it costs nothing, and says nothing about language models.")
    elif _sum(found) is None:
        say(
            "No prices are given: add `prices: {prompt: ..., completion: ...}` (dollars per million tokens) to the models."
        )


def _cells(ones: list[Estimate]) -> list[str]:
    from learnact.report.estimate import added

    total: Amount = added([one.total for one in ones])
    learned = sum(one.learning.episodes for one in ones)
    tested = sum(one.testing.episodes for one in ones)
    money = _sum(ones)
    return [
        str(len(ones)),
        f"{learned:,}",
        f"{tested:,}",
        f"{total.calls:,}",
        f"{total.prompt_tokens:,}",
        f"{total.completion_tokens:,}",
        "" if money is None else f"{money:,.2f}",
    ]


def _sum(ones: list[Estimate]) -> float | None:
    costs = [one.dollars for one in ones]
    return None if any(c is None for c in costs) else sum(c for c in costs if c is not None)


def _dollars(found: list[Estimate]) -> str:
    money = _sum(found)
    return "cost unknown" if money is None else f"${money:,.2f}"


def _as_json(job: Job, run: str, found: list[Estimate]) -> dict[str, Any]:
    from learnact.report.estimate import added

    total = added([one.total for one in found])
    rows = []
    for one in found:
        trial, sums = one.trial, one.total
        rows.append(
            {
                "trial": trial.id,
                "method": trial.label,
                "domain": trial.domain.name,
                "agent_model": trial.agent_model.name,
                "learner_model": trial.learner_model.name if trial.learns else None,
                "learn_repeat": trial.learn_repeat,
                "learning_episodes": one.learning.episodes,
                "test_episodes": one.testing.episodes,
                "calls": sums.calls,
                "prompt_tokens": sums.prompt_tokens,
                "completion_tokens": sums.completion_tokens,
                "dollars": one.dollars,
            }
        )
    return {
        "run": run,
        "name": job.name,
        "trials": rows,
        "episodes": total.episodes,
        "calls": total.calls,
        "prompt_tokens": total.prompt_tokens,
        "completion_tokens": total.completion_tokens,
        "dollars": _sum(found),
    }
