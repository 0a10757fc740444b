"""`learnact prompt`: the exact messages of a job, before anything is spent."""

from __future__ import annotations

import asyncio
from json import dumps
from json import loads as parsed_json
from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import JobFile, Overrides, Results, pick_task
from learnact.cli.output import say, say_json
from learnact.domains import registry
from learnact.errors import JobError, suggestion
from learnact.job import Job, load
from learnact.job.preflight import preflight
from learnact.library.files import read_library
from learnact.methods.registry import find_learner
from learnact.records import Library, Task
from learnact.records.trials import TrialSpec
from learnact.report.preview import agent_prompt, learner_prompt


def prompt(
    job: JobFile,
    *,
    domain: Annotated[str | None, typer.Option("--domain", help="Default: the job's first.")] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="A method's label; default: the first that asks for it.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Number (from 0) or name of a test task, for act.")
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="What the model is asked for: act, or a purpose of the method's learner.")
    ] = "act",
    library: Annotated[
        Path | None, typer.Option("--library", help="Show the agent's prompt with these learned actions.")
    ] = None,
    overrides: Overrides = None,
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="JSON: a message a line, then tools.")] = False,
) -> None:
    """Show the exact messages of a job before spending anything.

    What a learner is shown after something has happened (describe, usage, improve, reflect, verify) is made
    with a stand-in: a function that fails, on the job's own training tasks. No model is asked.

    learnact prompt quickstart --domain barman --task 3

    learnact prompt quickstart --purpose create
    """
    loaded = load(job, overrides or ())
    made = preflight(loaded, results)
    if purpose == "act":
        trial = _trial(loaded, made.trials, domain, method, learning=False)
        given = made.libraries.get(trial.id, Library())
        shown = _library(trial, library) if library is not None else given
        found = asyncio.run(agent_prompt(trial, _task(trial, task), shown))
    else:
        trial = _trial(loaded, made.trials, domain, method, learning=True, purpose=purpose)
        asked = asyncio.run(learner_prompt(trial, purpose))
        if asked is None:
            raise JobError(
                f"{trial.label} did not come to ask for {purpose!r} on the training tasks of "
                f"{trial.domain.name}"
            )
        found = asked
    messages = found.messages()
    offered = {name: text for name, text in (("tools", found.tools), ("grammar", found.grammar)) if text}
    if json:
        for message in messages:
            say_json(message.as_sent())
        for name, text in offered.items():
            say_json({name: parsed_json(text)})
        return
    for message in messages:
        say(f"--- {message.role} ---\n{message.content}")
    for name, text in offered.items():
        say(f"--- {name} ---\n{dumps(parsed_json(text), indent=1, ensure_ascii=False)}")
    characters = sum(len(message.content) for message in messages) + sum(map(len, offered.values()))
    say(
        f"--- {characters:,} characters, about {characters // 4:,} tokens "
        f"({trial.label}, {trial.domain.name}, {purpose}) ---"
    )


def _trial(
    job: Job,
    trials: tuple[TrialSpec, ...],
    domain: str | None,
    method: str | None,
    learning: bool,
    purpose: str = "act",
) -> TrialSpec:
    """The first trial that fits. Raises `JobError` naming what there is."""
    for given, key, known in (
        (domain, "domain", [t.domain.name for t in trials]),
        (method, "method", [t.label for t in trials]),
    ):
        if given is not None and given not in known:
            raise JobError(f"--{key} {given}: not in {job.name}; {suggestion(given, set(known))}")
    fits = [t for t in trials if domain in (None, t.domain.name) and method in (None, t.label)]
    if learning:
        fits = [t for t in fits if purpose in find_learner(t.learner.name).asks_for]
    if not fits:
        asked = {"act"}.union(*(find_learner(t.learner.name).asks_for for t in trials))
        raise JobError(
            f"--purpose {purpose}: no method of {job.name} asks for it; {suggestion(purpose, asked)}"
        )
    return fits[0]


def _task(trial: TrialSpec, wanted: str | None) -> Task:
    return pick_task(registry.build(trial.test_domains[0]), "test", wanted)


def _library(trial: TrialSpec, path: Path) -> Library:
    return read_library(path, [p.name for p in registry.build(trial.domain).primitives])
