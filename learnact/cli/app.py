"""The application: the commands in the order in which a person meets them, and the boundary at which errors
become messages.

A command's module is imported when the command is called, and imports what it needs at its top: `learnact
--help` loads none of them.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import typer
from rich.markup import escape
from typer.core import TyperGroup

from learnact import __version__
from learnact.cli.output import print_error
from learnact.errors import BadInput, LearnactError, MissingExtra, suggestion

UNFINISHED, BAD_INPUT = 1, 2
CONTEXT = {"help_option_names": ["-h", "--help"]}

HELP = """Does an agent that learns new actions beat one that does not?

learnact runs LearnAct and its rivals as batch evaluations and keeps everything in Parquet.

[bold]First steps[/bold]

  learnact methods                      what can be compared

  learnact domains                      what can be played

  learnact play gripper                 play a task yourself

  learnact run quickstart               Act against LearnAct

  learnact show quickstart              what came of it

[bold]Your own[/bold]

  learnact jobs quickstart --copy my.yaml     a job file to edit

  learnact check-model --help                 what an endpoint supports

  learnact plan my.yaml                       what it would do and cost

  learnact run my.yaml                        the same command again continues

Exit codes: 0 done, 1 some work unfinished, 2 bad input.
"""


class CommandInfo(NamedTuple):
    """A command: where it is defined, and its line in the help (the first paragraph of its docstring; a test
    compares)."""

    place: str
    panel: str
    summary: str


RUN, PLAY, READ, MACHINE = "Run", "Look and play", "Read results", "Models and machine"
CLUSTER = "Run on a cluster"

COMMANDS: dict[str, CommandInfo] = {
    "run": CommandInfo("run:run", RUN, "Run a job; the same command again continues."),
    "submit": CommandInfo(
        "submit:submit",
        CLUSTER,
        "Hand a job to a Ray cluster's job server and follow it; the same command again continues the run.",
    ),
    "status": CommandInfo(
        "submit:status",
        CLUSTER,
        "Tell how submitted jobs fare: all of them, or one with the end of its output.",
    ),
    "stop": CommandInfo(
        "submit:stop",
        CLUSTER,
        "Ask a submitted job to end; what is in flight is committed, and submitting again continues.",
    ),
    "fetch": CommandInfo(
        "submit:fetch",
        CLUSTER,
        "Copy the run of a submitted job into a folder here, as far as it is; also while it goes on.",
    ),
    "synthesize": CommandInfo(
        "synthesize:synthesize",
        RUN,
        "Make refinement-tuning data: a model writes worlds and plays in them, and each reply is verified.",
    ),
    "plan": CommandInfo("plan:plan", RUN, "Tell what a job would do and cost at most; calls nobody."),
    "prompt": CommandInfo("prompt:prompt", RUN, "Show the exact messages of a job before spending anything."),
    "replay": CommandInfo("replay:replay", RUN, "Do a run again from its recorded calls; no model is asked."),
    "fork": CommandInfo(
        "fork:fork", RUN, "Go on from a recorded turn with another library or model; paid only from there."
    ),
    "jobs": CommandInfo(
        "jobs:jobs", RUN, "List the jobs that are ready to run; print one, or copy it to edit."
    ),
    "init": CommandInfo("init:init", RUN, "Write a commented job file to start from."),
    "methods": CommandInfo(
        "methods:methods", PLAY, "List the methods that a job can compare; with a name, its options."
    ),
    "domains": CommandInfo(
        "domains:domains", PLAY, "List what can be played; with a name, its actions and options."
    ),
    "tasks": CommandInfo(
        "domains:tasks", PLAY, "List a domain's tasks with sizes and lengths of reference plans."
    ),
    "play": CommandInfo("play:play", PLAY, "Play a task yourself."),
    "show": CommandInfo(
        "show:show",
        READ,
        "Show a run, a trajectory, two trajectories of a task side by side, or a learned library.",
    ),
    "report": CommandInfo(
        "report:report", READ, "Write a report on runs: pages that open without a network, in any browser."
    ),
    "view": CommandInfo(
        "view:view", READ, "Look at runs, episodes and libraries in a browser, also while they run."
    ),
    "compare": CommandInfo(
        "compare:compare",
        READ,
        "Compare methods, models, variants or runs: the difference, and how sure it is.",
    ),
    "table": CommandInfo("table:table", READ, "Print a table of the paper from runs."),
    "figure": CommandInfo(
        "table:figure", READ, "Draw a figure from runs, as SVG and PNG, and print its numbers."
    ),
    "sql": CommandInfo("sql:sql", READ, "Ask the results in SQL (DuckDB)."),
    "export": CommandInfo(
        "export:export",
        READ,
        "Export a run: logs of Inspect AI, tables as CSV, a dataset for Hugging Face, or training data.",
    ),
    "bundle": CommandInfo(
        "bundle:bundle",
        READ,
        "Pack a run into one file that others can check: `learnact verify` makes its numbers again, offline.",
    ),
    "verify": CommandInfo(
        "verify:verify",
        READ,
        "Compare every file of runs with its checksum; of a bundle, also make every published cell again.",
    ),
    "tidy": CommandInfo(
        "tidy:tidy",
        READ,
        "Remove files of runs that do not count any more, and say how much space that frees.",
    ),
    "check-model": CommandInfo(
        "check_model:check_model",
        MACHINE,
        "Find out what an endpoint supports: stop, seed, usage, context, roles, thinking, tools, grammars.",
    ),
    "doctor": CommandInfo(
        "doctor:doctor",
        MACHINE,
        "Test the confinement of learned code on this machine by attacking each layer of it.",
    ),
    "simulate": CommandInfo(
        "simulate:simulate", MACHINE, "Run the simulated model as a server, also with faults on purpose."
    ),
    "serve-env": CommandInfo(
        "serve_env:serve_env",
        MACHINE,
        "Serve a domain as an OpenEnv environment, which TRL, verifiers and NeMo Gym can play.",
    ),
    "serve-model": CommandInfo(
        "serve_model:serve_model",
        MACHINE,
        "Serve a small language model on loopback, from weights that an installed package holds.",
    ),
}
"""In the order of the help. Other modules of this package are listed here and nowhere else."""


class Commands(TyperGroup):
    """The group of commands: imports one when it is called; errors become a message and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class's signature
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base class's signature
        """A command as the help lists it; `resolve_command` loads its code."""
        return listed(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, loaded."""
        name, *rest = args
        if name not in COMMANDS:
            ctx.fail(f"no command {name!r}; {suggestion(name, COMMANDS)}")
        return name, loaded(name), rest

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Input that cannot be used ends with code 2; a failure outside the agent, or an
        interrupt, with 1."""
        try:
            return super().invoke(ctx)
        except (BadInput, MissingExtra) as error:
            print_error(error)
            raise typer.Exit(BAD_INPUT) from None
        except LearnactError as error:
            print_error(error)
            raise typer.Exit(UNFINISHED) from None
        except KeyboardInterrupt:
            again = (
                "; the same command again continues where it stopped"
                if ctx.invoked_subcommand == "run"
                else ""
            )
            print_error(f"interrupted{again}")
            raise typer.Exit(UNFINISHED) from None
        except OSError as error:
            if error.filename is None:
                raise
            print_error(f"{error.filename}: {error.strerror}")
            raise typer.Exit(BAD_INPUT) from None


def listed(name: str) -> Any:
    """A command that only knows its line in the help."""

    def no_code() -> None: ...

    no_code.__doc__ = COMMANDS[name].summary
    return _command(name, no_code)


def loaded(name: str) -> Any:
    """A command with its options and code."""
    module, function = COMMANDS[name].place.split(":")
    return _command(name, getattr(importlib.import_module(f"learnact.cli.{module}"), function))


def _command(name: str, function: Any) -> Any:
    single = typer.Typer(add_completion=False, rich_markup_mode="rich", context_settings=CONTEXT)
    single.command(name, rich_help_panel=COMMANDS[name].panel)(function)
    command: Any = typer.main.get_command(single)
    for described in (command, *command.params):
        if text := getattr(described, "help", None):
            described.help = escape(_flowing(text))  # Rich would take the `[act]` of an example for markup
    return command


def _flowing(text: str) -> str:
    """Each paragraph as one line, which the terminal wraps at its own width."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


app = typer.Typer(
    cls=Commands,
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"learnact {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    pass
