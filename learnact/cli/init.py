"""`learnact init`: a job file to start from, and its JSON Schema."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.output import say, say_next, write_file
from learnact.job import json_schema


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("job.yaml"),
    schema: Annotated[
        bool, typer.Option("--schema", help="Write the JSON Schema of job files instead.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented job file to start from.

    learnact init my.yaml

    learnact init --schema job.schema.json
    """
    if schema and path == Path("job.yaml"):
        path = Path("job.schema.json")
    write_file(path, schema_text() if schema else template(), force)
    if schema:
        say(f"wrote {path}")
    else:
        say_next(path)


def template() -> str:
    """The commented job file."""
    return (resources.files("learnact.cli") / "job.yaml").read_text(encoding="utf-8")


def schema_text() -> str:
    """The JSON Schema of a job file, as it is published."""
    return json.dumps(json_schema(), indent=1, sort_keys=True) + "\n"
