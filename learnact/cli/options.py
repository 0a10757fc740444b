"""Options that several commands share: which domain with which options, which task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer
import yaml

from learnact.domains.base import Domain
from learnact.errors import BadInput, TaskError, suggestion
from learnact.job.bounded_yaml import parse_value
from learnact.records import DomainSpec, Task, canonical
from learnact.results.location import Location, location_of

Split = Literal["train", "test"]

DomainName = Annotated[
    str,
    typer.Argument(
        metavar="DOMAIN", help="A domain's name; `learnact domains` lists them.", show_default=False
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of generated tasks.", show_default=False)]
SourceFolder = Annotated[
    str | None,
    typer.Option("--source", metavar="PATH", help="Folder of published problems, instead of generated ones."),
]
LevelName = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar="LEVEL",
        help="Difficulty of generated tasks: easy, published, hard, harder.",
        show_default=False,
    ),
]
DomainOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="An option of the domain; `learnact domains NAME` lists them.",
        show_default=False,
    ),
]
JobFile = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="A job file (YAML), or the name of a shipped job; `learnact jobs` lists these.",
        show_default=False,
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Where: auto or ray://HOST:10001 for a running Ray cluster, local for this process alone; "
        "default: this machine's cores.",
    ),
]
AcceptModelChange = Annotated[
    bool,
    typer.Option(
        "--accept-model-change", help="Continue although a model answers under another name than before."
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a setting, e.g. --set learner.candidates=2.",
        show_default=False,
    ),
]
Results = Annotated[
    Location,
    typer.Option(
        "--results",
        metavar="PLACE",
        parser=location_of,
        help="Where runs are kept: a folder, or s3://BUCKET/PREFIX (docs/results.md).",
    ),
]


def spec_of(
    domain: str,
    options: Sequence[str] | None = None,
    source: str | None = None,
    seed: int | None = None,
    **more: Any,
) -> DomainSpec:
    """The domain with options given as `key=value`. Raises `BadInput`."""
    values: dict[str, Any] = {}
    for option in options or ():
        key, equals, text = option.partition("=")
        if not equals:
            raise BadInput(f"--option {option}: write --option key=value")
        try:
            values[key.strip()] = parse_value(text)
        except yaml.YAMLError:
            values[key.strip()] = text
    given = {"source": source, "seed": seed, **more}
    values |= {key: value for key, value in given.items() if value is not None}
    return DomainSpec(domain, canonical(values))


def pick_task(domain: Domain, split: Split, wanted: str | None) -> Task:
    """A task by number (from 0) or name; the first when nothing is said. Raises `TaskError` naming what there
    is."""
    tasks = domain.tasks(split)
    if not tasks:
        raise TaskError(f"{domain.name}: there are no {split} tasks")
    if wanted is None:
        return tasks[0]
    if len(wanted) < 20 and wanted.lstrip("-").isdecimal():
        number = int(wanted)
        if not 0 <= number < len(tasks):
            raise TaskError(f"--task {wanted}: {domain.name} has {len(tasks)} {split} tasks, numbered from 0")
        return tasks[number]
    for task in tasks:
        if task.name == wanted or task.hash == wanted:
            return task
    hint = suggestion(wanted, [task.name for task in tasks])
    raise TaskError(f"--task {wanted}: no such {split} task of {domain.name}; {hint}")
