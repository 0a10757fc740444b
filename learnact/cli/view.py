"""`learnact view`: a local web application over a results folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import say


def view(
    results: Results = Path("results"),
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="A port of this machine; 0: any that is free.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the address in a browser.")
    ] = True,
) -> None:
    """Look at runs, episodes and libraries in a browser, also while they run.

    It answers to this machine alone, at an address with a token that it prints, until Ctrl-C. It reads; it
    changes nothing.

    learnact view

    learnact view --results elsewhere --port 8765 --no-browser
    """
    from learnact.results.reader import runs
    from learnact.viewer.serving import serve

    runs(results)  # a folder that is not there is told before anything starts
    asyncio.run(serve(results, port, lambda url: _told(url, browser)))


def _told(url: str, browser: bool) -> None:
    say(f"open {url}\nCtrl-C ends it.")
    if browser:
        import webbrowser

        webbrowser.open(url)
