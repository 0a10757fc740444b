"""`learnact play`: a task played by a person, at a prompt or from a file with one call per line."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter

from learnact.cli.manual_play import CommandResult, ManualPlay, ManualSetup, open_manual_play
from learnact.cli.options import DomainName, DomainOption, Seed, SourceFolder, Split, pick_task, spec_of
from learnact.cli.output import say, say_json
from learnact.domains import registry
from learnact.domains.base import NarrowsToTask
from learnact.domains.text_file import read_text
from learnact.errors import BadInput
from learnact.library.files import read_library
from learnact.records import Library
from learnact.records.text import printable

PROMPT = "> "
HELP_WORDS = ("help", "?")
LEAVE_WORDS = ("quit", "exit")
MAX_BYTES = 16 << 20
"""Bytes of a file of commands, and characters of a line of a pipe, that are read."""
MAX_LINE = 1 << 16
"""Characters of a line of a pipe that are kept; a command has at most some thousand."""
MAX_ECHO = 400
"""Characters of a command that are repeated in the output for a person."""


def play(
    domain: DomainName,
    *,
    task: Annotated[
        str | None, typer.Option("--task", help="Number (from 0) or name of a task; default: the first.")
    ] = None,
    problem: Annotated[
        Path | None, typer.Option("--problem", "--game", help="A problem or game file, instead of a task.")
    ] = None,
    seed: Seed = None,
    split: Annotated[Split, typer.Option(help="Where the task is taken from.")] = "test",
    source: SourceFolder = None,
    option: DomainOption = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            help="Learned actions to play with: a Python file of functions (docstring = description), or the "
            "JSON of `learnact show --json`.",
        ),
    ] = None,
    commands: Annotated[
        Path | None, typer.Option("--commands", help="A file with one call per line; - reads standard input.")
    ] = None,
    text: Annotated[
        bool, typer.Option("--text", help="Commands are the engine's own text, not calls.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON per command.")] = False,
) -> None:
    """Play a task yourself.

    At the prompt: a call such as pick('ball1', 'rooma', 'left'), help, or quit.

    learnact play gripper --task 3

    learnact play blockworld --problem problem9.pddl --commands plan.txt --json

    learnact play gripper --library carry.py

    Each line of JSON: turn, command, valid, observation, progress, success, error, primitives (of a learned
    call). Empty lines and lines that begin with # are passed over.
    """
    if problem is not None and (task is not None or source is not None):
        raise BadInput("--problem names the task itself: leave --task and --source out")
    lines = _read(commands)
    spec = spec_of(domain, option, source, seed)
    built = registry.build(spec)
    names = [primitive.name for primitive in built.primitives]
    learned = read_library(library, names) if library is not None else Library()
    chosen = built.read(str(problem)) if problem is not None else pick_task(built, split, task)
    offered = built.for_task(chosen) if isinstance(built, NarrowsToTask) else built
    asyncio.run(_play(ManualSetup(offered, spec, chosen, learned, text), lines, json))


def _read(commands: Path | None) -> Iterator[str] | None:
    """The commands of a file or of a pipe; None where a person types them at a prompt."""
    if commands is not None and str(commands) != "-":
        return iter(read_text(commands, f"--commands {commands}", MAX_BYTES).split("\n"))
    if sys.stdin is None:
        raise BadInput("standard input is closed; name a file of commands with --commands FILE")
    return None if commands is None and sys.stdin.isatty() else _piped(sys.stdin)


def _piped(stream: TextIO) -> Iterator[str]:
    """The lines of a pipe, each as soon as it is there. A long line is cut, an endless one refused."""
    while line := stream.readline(MAX_LINE):
        dropped, more = 0, line
        while len(more) == MAX_LINE and not more.endswith("\n"):
            more = stream.readline(MAX_LINE)
            dropped += len(more)
            if dropped > MAX_BYTES:
                raise BadInput(f"standard input has a line of more than {MAX_BYTES:,} characters")
        yield line.rstrip("\n")


async def _play(setup: ManualSetup, lines: Iterator[str] | None, json: bool) -> None:
    async with open_manual_play(setup) as game:
        if not json:
            _welcome(setup, game, at_prompt=lines is None)
        async for line in _typed(setup) if lines is None else _each(lines):
            command = line.strip()
            if not command or command.startswith("#"):
                continue
            if lines is None and command in HELP_WORDS:
                _help(setup, game)
                continue
            result = await game.play(command)
            if json:
                say_json(dataclasses.asdict(result))
            else:
                _print_result(result, echo=lines is not None)


async def _each(lines: Iterator[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


async def _typed(setup: ManualSetup) -> AsyncIterator[str]:
    """Lines that a person types, until quit, Ctrl-C or the end of input. Tab completes names.

    Ctrl-C is a key for prompt_toolkit and not a signal, so none is lost while the prompt appears.
    """
    names = [a.name for a in setup.domain.primitives] + [a.name for a in setup.library.actions]
    session: PromptSession[str] = PromptSession(
        PROMPT, completer=WordCompleter([*names, HELP_WORDS[0], *LEAVE_WORDS]), complete_while_typing=False
    )
    while True:
        try:
            line = await session.prompt_async()
        except (EOFError, KeyboardInterrupt):
            return
        if line.strip() in LEAVE_WORDS:
            return
        yield line


def _welcome(setup: ManualSetup, game: ManualPlay, at_prompt: bool) -> None:
    say(f"{setup.domain.title}, {setup.task.name}\n\nGoal: {game.goal}\n\n{game.first_observation}\n")
    if at_prompt:
        say("Type a call, help, or quit.")


def _help(setup: ManualSetup, game: ManualPlay) -> None:
    say(f"Goal: {game.goal}\n")
    for action in setup.library.actions:
        say(f"{action.signature}: {action.description or 'a learned action'}")
    for primitive in setup.domain.primitives:
        say(f"{primitive.signature}: {primitive.description}")


def _print_result(result: CommandResult, echo: bool) -> None:
    if echo:
        say(f"{PROMPT}{printable(result.command[:MAX_ECHO])}")
    for step in result.primitives:
        failed = "" if step.ok else "   (invalid)"
        say(printable(f"  {step.command}{failed}: {' '.join(step.observation.split())}"))
    for words in (result.error if not result.observation else None, result.observation):
        if words:
            say(printable(words, keep="\n\t"))
    end = ", solved" if result.success else ", over: not solved" if result.over else ""
    say(f"[turn {result.turn}, progress {result.progress:.0%}{end}]")
