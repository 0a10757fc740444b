"""The command line: Typer commands, one module each, thin. Exit codes: 0 done, 1 some work unfinished, 2 bad input."""

from __future__ import annotations


def main() -> None:
    """Entry point of `learnact`."""
    from learnact.cli.app import app

    app(prog_name="learnact")
