"""`learnact serve-model`: a small language model as a server on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.models.local.server import LocalServerOptions, serve
from learnact.models.local.weights import MODELS


def serve_model(
    model: Annotated[str, typer.Argument(help="smollm2, gemma3, or a GGUF file.")] = "smollm2",
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8101,
    port_file: Annotated[Path | None, typer.Option(help="Where the chosen port is written.")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="0: all cores but one.")] = 0,
    context: Annotated[int, typer.Option(min=0, help="Tokens of a request; 0: the model's own.")] = 0,
) -> None:
    """Serve a small language model on loopback, from weights that an installed package holds.

    Nothing is downloaded. Needs the extra `local` (docs/local-models.md). A job that names smollm2 or gemma3
    without a base_url starts one by itself.

    learnact serve-model smollm2 --port 8101
    """
    about = MODELS[model].about if model in MODELS else model
    serve(
        LocalServerOptions(
            model,
            port,
            port_file,
            threads,
            context,
            announce=lambda url: typer.echo(f"{url}  {about} (Ctrl-C ends it)"),
        )
    )
