"""`learnact compare`: two methods, models, variants or runs, and how sure the difference is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say, say_json
from learnact.errors import BadInput
from learnact.report import comparison
from learnact.report.compared_sides import names_of, read_names, read_sides
from learnact.report.data import ReportData
from learnact.report.result_table import as_plain, to_rich
from learnact.results.location import Location
from learnact.results.reader import connect, find_run, runs
from learnact.results.recorded import compares_methods


def compare(
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="A B...",
            help="Methods or variants as the job labels them, models, or runs; RUN:NAME for one of a run.",
            show_default=False,
        ),
    ],
    by: Annotated[str | None, typer.Option("--by", metavar="domain", help="A row for each domain.")] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", help="Runs to read methods and models from; the latest by default."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow", help="Compare although these differ: budgets, prompts, versions, parameters."
        ),
    ] = None,
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="An array of tables as JSON.")] = False,
) -> None:
    """Compare methods, models, variants or runs: the difference, and how sure it is.

    The first minus each other one: success with intervals and p-values, wins and losses, what the design can
    show and what the difference would need; progress, turns, tokens and dollars. What is not comparable
    (tasks, budgets, prompts, model versions, parameters) is refused with the reason.

    learnact compare learnact act

    learnact compare learnact act --by domain --run quickstart

    learnact compare quickstart:learnact quickstart:act
    """
    if by not in (None, "domain"):
        raise BadInput(f"--by {by}: write --by domain")
    if len(sides) < 2:
        raise BadInput("name two or more to compare: learnact compare A B")
    comparison.check_reasons(allow or ())
    at_hand = _runs_at_hand(results, run or ())
    with connect(results, at_hand) as connection:
        names = read_names(results, sides, at_hand, names_of(ReportData(connection, results)))
    needed = list(dict.fromkeys(one for name in names for one in name.runs))
    with connect(results, needed) as connection:
        data = ReportData(connection, results)
        found = comparison.compare(data, read_sides(data, names), by == "domain", allow or ())
        tables = comparison.comparison_tables(found)
    if json:
        say_json([as_plain(table) for table in tables])
        return
    if not run and at_hand[0] in needed:
        say(f"run {find_run(results, at_hand[0]).folder.name}, the latest; --run names another\n")
    for table in tables:
        console().print(to_rich(table))
        say()


def _runs_at_hand(results: Location, wanted: Sequence[str]) -> list[str]:
    if wanted:
        return [find_run(results, one).run for one in wanted]
    known = [info for info in runs(results) if compares_methods(info.folder)]
    if not known:
        raise BadInput(f"{results}: there is no run yet; `learnact run quickstart` makes one")
    return [known[-1].run]
