"""`learnact check-model`: what an endpoint supports, and the job settings that follow."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from learnact.errors import ProviderFailure
from learnact.models.check import KEY_VARIABLE, CheckFindings, check_endpoint
from learnact.models.embedded import Embedded
from learnact.records.text import printable

SIMULATED = "sim-strong"


def check_model(
    base_url: Annotated[
        str, typer.Option(help="The endpoint, up to and with /v1. Without it: the embedded simulated model.")
    ] = "",
    model: Annotated[str, typer.Option(help="The model's name at that endpoint.")] = "",
    api_key_env: Annotated[
        str, typer.Option(help="The name of the environment variable that holds the key.")
    ] = KEY_VARIABLE,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one reply.")] = 60.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Find out what an endpoint supports: stop, seed, usage, context, roles, thinking, tools, grammars.

    Makes about twenty calls and prints the job settings that follow. Exit code 1: it does not answer; 2: a
    model's name is missing.

    learnact check-model --base-url http://localhost:8000/v1 --model my-model
    """
    if base_url and not model:
        typer.echo(
            "--model is missing: give the model's name at that endpoint (its /v1/models lists them)", err=True
        )
        raise typer.Exit(2)
    if base_url and not os.environ.get(api_key_env):
        typer.echo(f"The environment variable {api_key_env} is not set: asking without a key.", err=True)
    try:
        found = asyncio.run(_check(base_url, model, api_key_env, timeout))
    except ProviderFailure as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found)))
    else:
        _print(found, simulated=not base_url)


async def _check(base_url: str, model: str, api_key_env: str, timeout: float) -> CheckFindings:
    if base_url:
        return await check_endpoint(base_url, model, api_key_env, timeout)
    embedded = Embedded(processes=1)
    try:
        return await check_endpoint(await embedded.url(), model or SIMULATED, timeout=timeout)
    finally:
        embedded.close()


def _print(found: CheckFindings, simulated: bool) -> None:
    console = Console()
    table = Table(title=escape(f"{found.model} at {found.base_url}"), title_justify="left")
    for column in ("what", "supported", "seen"):
        table.add_column(column)
    for finding in found.findings:
        table.add_row(finding.name, finding.verdict, escape(finding.seen))
    console.print(table)
    named = escape(printable(found.answers_as) or "a model without a name")
    console.print(f"It answers as {named}; {found.calls} calls were made.")
    console.print("\nIn a job file:\n")
    settings = {**({"simulated": True} if simulated else {}), **found.settings}
    if simulated:
        settings.pop("base_url", None)
    typer.echo(yaml.safe_dump({"models": {"agent": settings}}, sort_keys=False), nl=False)
