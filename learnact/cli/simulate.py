"""`learnact simulate`: the simulated model as a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.simulated.faults import Faults
from learnact.simulated.server_processes import ServerOptions, serve


def simulate(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8100,
    port_file: Annotated[Path | None, typer.Option(help="Where the chosen port is written.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=256, help="Serving processes on one port.")] = 1,
    latency: Annotated[
        float, typer.Option(min=0.0, max=3600.0, help="Seconds before a reply (median).")
    ] = 0.0,
    spread: Annotated[float, typer.Option(min=0.0, max=10.0, help="Sigma of a log-normal latency.")] = 0.0,
    rpm: Annotated[int, typer.Option(min=0, help="Requests a minute for each process; 0: no limit.")] = 0,
    tpm: Annotated[int, typer.Option(min=0, help="Tokens a minute for each process; 0: no limit.")] = 0,
    errors: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share answered 500.")] = 0.0,
    hangs: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share that is never answered.")] = 0.0,
    drops: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of dropped connections.")] = 0.0,
    malformed: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of broken JSON.")] = 0.0,
    empty: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share without choices.")] = 0.0,
    html: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of HTML with status 200.")] = 0.0,
    refuse: Annotated[
        list[str] | None, typer.Option(help="A request parameter to refuse; may be repeated.")
    ] = None,
    canned: Annotated[str, typer.Option(help="One reply for every request.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of faults and latencies, never of replies.")] = 0,
) -> None:
    """Run the simulated model as a server, also with faults on purpose.

    It answers `POST /v1/chat/completions` for the models sim-strong, sim-weak and sim-perfect; give any
    client the printed URL. What it scores says nothing about language models.

    learnact simulate --port 8100 --latency 0.2 --errors 0.05
    """
    faults = Faults(
        latency=latency,
        spread=spread,
        rpm=rpm,
        tpm=tpm,
        errors=errors,
        hangs=hangs,
        drops=drops,
        malformed=malformed,
        empty=empty,
        html=html,
        refuse=tuple(refuse or ()),
        canned=canned,
        seed=seed,
    )
    shown_host = f"[{host}]" if ":" in host else host
    serve(
        ServerOptions(
            host,
            port,
            port_file,
            processes,
            faults=faults,
            announce=lambda bound: typer.echo(f"http://{shown_host}:{bound}/v1  (Ctrl-C ends it)"),
        )
    )
