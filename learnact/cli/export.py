"""`learnact export`: a run in the form of another tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say, say_json, table
from learnact.errors import BadInput

if TYPE_CHECKING:
    from learnact.results.reader import Connection
    from learnact.training.counts import ExportCount
    from learnact.training.write import TrainingKind


def export(
    run: Annotated[
        list[str],
        typer.Argument(
            help="A run: its job's name, the beginning of its id, its folder, or latest; of training data "
            "several."
        ),
    ],
    to: Annotated[
        Literal["inspect", "csv", "hf", "sft", "preference", "stepwise"],
        typer.Option(
            "--to",
            help="inspect: logs of Inspect AI. csv: each table. hf: a dataset folder. sft, preference, "
            "stepwise: training data.",
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A new folder, or a file for training data; default: export-TO.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Training data: sft: neutral, agentrefine, openai, llamafactory, llamafactory-v1, axolotl, "
            "trl, verl, tinker. preference: trl, llamafactory. stepwise: trl, trl-unpaired.",
        ),
    ] = "trl",
    where: Annotated[
        str,
        typer.Option(
            help="Training data: which episodes, as a condition in SQL on the view episodes and on source "
            "(engine, synthesized).",
            show_default=False,
        ),
    ] = "",
    pairs: Annotated[
        str,
        typer.Option(help="Preference: where pairs come from (same_prompt, repaired, episodes), by commas."),
    ] = "same_prompt,repaired,episodes",
    refinements: Annotated[
        int,
        typer.Option(min=0, help="Training data: episodes with at least so many repaired mistakes."),
    ] = 0,
    include_test: Annotated[
        bool, typer.Option("--include-test", help="Training data: test tasks too, which then leak.")
    ] = False,
    results: Results = Path("results"),
    json: Annotated[
        bool, typer.Option("--json", help="Training data: say what was written as one JSON object.")
    ] = False,
) -> None:
    """Export a run: logs of Inspect AI, tables as CSV, a dataset for Hugging Face, or training data.

    inspect needs the extra `inspect`; look at the logs with `inspect view --log-dir FOLDER`. Training data is
    of training tasks only; docs/training.md says which trainer reads which format.

    learnact export quickstart --to csv

    learnact export quickstart --to hf --output dataset

    learnact export quickstart --to sft --format agentrefine --refinements 2 --output refine.jsonl

    learnact export quickstart --to preference --where "domain = 'gripper'"

    learnact export quickstart synthesize --to sft --refinements 2 --output both.jsonl
    """
    from learnact.exports.folders import new_folder, write_csv, write_dataset
    from learnact.exports.inspect_log import write_inspect_logs
    from learnact.results.damage import reading
    from learnact.results.query import QuerySession
    from learnact.results.reader import connect_folders, find_run

    found = [find_run(results, name) for name in dict.fromkeys(run)]
    folders = list(dict.fromkeys(info.folder for info in found))
    if to in ("sft", "preference", "stepwise"):
        with reading(folders), connect_folders(folders) as connection:
            _training_data(
                connection,
                to,
                form=form,
                where=where,
                pairs=pairs,
                refinements=refinements,
                include_test=include_test,
                output=output,
                json=json,
            )
        return
    if len(folders) > 1:
        raise BadInput(f"--to {to} exports one run; only training data is taken from several")
    info = found[0]
    folder = new_folder(output or Path(f"export-{to}"))
    with reading([info.folder]):
        if to == "inspect":
            with connect_folders([info.folder]) as connection:
                written = write_inspect_logs(connection, folder)
        else:
            session = QuerySession(results, info.folder.name)
            written = (
                write_csv(session, folder) if to == "csv" else write_dataset(session, folder, [info.name])
            )
    say(f"wrote {len(written)} files to {folder}")


def _training_data(
    connection: Connection,
    kind: TrainingKind,
    *,
    form: str,
    where: str,
    pairs: str,
    refinements: int,
    include_test: bool,
    output: Path | None,
    json: bool,
) -> None:
    from rich.progress import track

    from learnact.training.counts import ExportCounts
    from learnact.training.write import (
        AS_PARQUET,
        check_format,
        pair_sources,
        read_records,
        refuse_tool_calls,
        rows_of,
        selected,
        write_rows,
    )

    check_format(kind, form)
    sources = pair_sources(pairs)
    path = output or Path(f"export-{kind}-{form}{'.parquet' if form in AS_PARQUET else '.jsonl'}")
    if path.exists():
        raise BadInput(f"--output {path}: there is such a file already; name a new one")
    selection = selected(connection, where, include_test=include_test)
    refuse_tool_calls(connection, selection)
    keys = track(selection.keys, "reading episodes", console=console(stderr=True), transient=True)
    counts = ExportCounts()
    records = counts.watch(read_records(connection, keys, refinements, selection.synthesized))
    number = write_rows(connection, rows_of(records, kind, form, sources), path, form)
    if json:
        say_json(
            {"file": str(path), "rows": number, "left_out": selection.left_out, "counts": counts.plain()}
        )
        return
    left = f"; {selection.left_out} episodes of test tasks were left out" if selection.left_out else ""
    what = "records" if selection.synthesized else "episodes"
    say(f"wrote {number} rows of {len(selection.keys)} {what} to {path}{left}")
    _show_counts(counts.counts)


def _show_counts(counts: Sequence[ExportCount]) -> None:
    from learnact.training.counts import KINDS

    heads = ("#records", "#replies", "#trained on", *(f"#{kind}" for kind in KINDS), "#repaired")
    shown = table("", "source", "domain", *heads, "model")
    for one in counts:
        numbers = (one.records, one.replies, one.good, *(one.mistakes[kind] for kind in KINDS), one.repaired)
        model = "simulated" if one.simulated else ""
        shown.add_row(one.source, one.domain, *(f"{number:,}" for number in numbers), model)
    console().print(shown)
