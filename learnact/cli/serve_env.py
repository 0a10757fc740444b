"""`learnact serve-env`: a domain as an environment that trainers reach over the network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from learnact.cli.options import DomainName, DomainOption, LevelName, Seed, SourceFolder, spec_of
from learnact.cli.output import say
from learnact.domains.extra_packages import ExtraPackages

OPENENV = ExtraPackages("openenv", ("openenv",), ("openenv",))
"""What the server is made of."""


def serve_env(
    domain: DomainName,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8102,
    host: Annotated[
        str, typer.Option(help="The address to listen at. Whoever reaches it may play; there is no password.")
    ] = "127.0.0.1",
    sessions: Annotated[int, typer.Option(min=1, max=4096, help="Sessions that may be open at once.")] = 64,
    idle: Annotated[
        float, typer.Option(min=1, help="Seconds after which a session that does nothing is closed.")
    ] = 600,
    turns: Annotated[
        int, typer.Option(min=0, help="An episode ends after so many actions; 0: when it is solved or lost.")
    ] = 0,
    reward: Annotated[
        Literal["success", "progress", "steps"],
        typer.Option(help="success: 0 or 1. progress: 0 to 1. steps: solved, 1 less 0.01 for each step."),
    ] = "success",
    library: Annotated[
        Path | None,
        typer.Option(
            help="Learned actions that are tools too: a Python file of functions, or the JSON of "
            "`learnact show RUN --library ID --json`.",
            show_default=False,
        ),
    ] = None,
    include_test: Annotated[
        bool, typer.Option("--include-test", help="Serve test tasks too, which then leak.")
    ] = False,
    seed: Seed = None,
    source: SourceFolder = None,
    level: LevelName = None,
    option: DomainOption = None,
) -> None:
    """Serve a domain as an OpenEnv environment, which TRL, verifiers and NeMo Gym can play.

    Needs the extra `openenv`. Each client is a session with tasks of its own, over WebSocket; only training
    tasks are served (docs/training.md). Ctrl-C ends it.

    learnact serve-env gripper --reward progress

    learnact serve-env alfworld-put --sessions 16 --library actions.py
    """
    from learnact.domains.registry import build
    from learnact.library.files import read_library
    from learnact.training.playing import playable

    spec = spec_of(domain, option, source, seed, level=level)
    primitives = [primitive.name for primitive in build(spec).primitives]
    given = read_library(library, primitives) if library else None
    OPENENV.require("learnact serve-env")
    from learnact.training.served import application, offer_of
    from learnact.training.serving import serve

    offer = offer_of(playable(spec, given, reward), include_test=include_test, turns=turns)
    count = ", ".join(f"{len(tasks)} {split} tasks" for split, tasks in offer.splits.items())
    app = application(offer, sessions, idle)
    asyncio.run(serve(app, host, port, lambda url: say(f"{url}  {domain}: {count} (Ctrl-C ends it)")))
