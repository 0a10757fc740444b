"""`learnact play`: a task by hand, at a prompt or from a file with one call per line."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from learnact.cli.options import DomainName, DomainOption, Seed, SourceFolder, Split, pick_task, spec_of
from learnact.cli.output import say, say_json
from learnact.errors import BadInput
from learnact.records import Library

if TYPE_CHECKING:
    from learnact.cli.manual_play import Hand, Setting, Told

PROMPT = "> "
HELP_WORDS = ("help", "?")
LEAVE_WORDS = ("quit", "exit")


def play(
    domain: DomainName,
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
            help="Learned actions to play with: a Python file of functions (docstring = description), or the JSON of "
            "`learnact show --json`.",
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
    """Play a task by hand.

    At the prompt: a call such as pick('ball1', 'rooma', 'left'), help, or quit.

    learnact play gripper --task 3

    learnact play blockworld --problem problem9.pddl --commands plan.txt --json

    learnact play gripper --library carry.py

    Each line of JSON: turn, command, valid, observation, progress, success, error. Empty lines and lines that begin with # are
    passed over.
    """
    if problem is not None and (task is not None or source is not None):
        raise BadInput("--problem names the task itself: leave --task and --source out")
    lines = _read(commands)
    from learnact.cli.manual_play import Setting
    from learnact.domains import registry
    from learnact.library.files import read_library

    spec = spec_of(domain, option, source, seed)
    built = registry.build(spec)
    names = [primitive.name for primitive in built.primitives]
    learned = read_library(library, names) if library is not None else Library()
    chosen = built.read(str(problem)) if problem is not None else pick_task(built, split, task)
    asyncio.run(_play(Setting(built, spec, chosen, learned, text), lines, json))


def _read(commands: Path | None) -> Iterator[str] | None:
    """The commands of a file or of a pipe; None where a person sits at a prompt."""
    if commands is None and sys.stdin.isatty():
        return None
    if commands is None or str(commands) == "-":
        return (line.rstrip("\n") for line in sys.stdin)
    try:
        return iter(commands.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--commands {commands}: cannot be read: {error}") from None


async def _play(setting: Setting, lines: Iterator[str] | None, json: bool) -> None:
    from learnact.cli.manual_play import sit_down

    async with sit_down(setting) as hand:
        if not json:
            _welcome(setting, hand, at_prompt=lines is None)
        for line in _prompted() if lines is None else lines:
            command = line.strip()
            if not command or command.startswith("#"):
                continue
            if lines is None and command in HELP_WORDS:
                _help(setting)
                continue
            told = await hand.do(command)
            if json:
                say_json(dataclasses.asdict(told))
            else:
                _tell(told, echo=lines is not None)


def _prompted() -> Iterator[str]:
    """Lines that a person types, until quit or the end of input."""
    import contextlib

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives input() its editing and history
    while True:
        try:
            line = input(PROMPT)
        except EOFError:
            say()
            return
        if line.strip() in LEAVE_WORDS:
            return
        yield line


def _welcome(setting: Setting, hand: Hand, at_prompt: bool) -> None:
    say(f"{setting.domain.title}, {setting.task.name}\n\nGoal: {hand.goal}\n\n{hand.first_observation}\n")
    if at_prompt:
        say("Type a call, help, or quit.")


def _help(setting: Setting) -> None:
    for action in setting.library.actions:
        say(f"{action.signature}: {action.description or 'a learned action'}")
    for primitive in setting.domain.primitives:
        say(f"{primitive.signature}: {primitive.description}")


def _tell(told: Told, echo: bool) -> None:
    if echo:
        say(f"{PROMPT}{told.command}")
    for words in (told.error if not told.observation else None, told.observation):
        if words:
            say(words)
    say(f"[turn {told.turn}, progress {told.progress:.0%}{', solved' if told.success else ''}]")
