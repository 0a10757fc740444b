"""Rows of a run selected, checked against leaks of test tasks, and written as JSON lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from learnact.errors import BadInput, suggestion
from learnact.results.reader import QUERY_ERRORS, Connection, dictionaries
from learnact.results.table_sql import quoted
from learnact.training.formats import PREFERENCE, SFT, STEPWISE, Row
from learnact.training.pairs import PairSource, pairs_of
from learnact.training.records import TrainingRecord, record_of
from learnact.training.synthesized import synthesized_records

TrainingKind = Literal["sft", "preference", "stepwise"]
FORMATS = {"sft": SFT, "preference": PREFERENCE, "stepwise": STEPWISE}
"""The formats of each kind of training data."""
OFFERED = """
(
    SELECT 'engine' AS source, * FROM episodes
    WHERE phase IN ('learn', 'test') AND model <> ''
    UNION ALL BY NAME
    SELECT 'synthesized' AS source, run, trial, key, 'synthesis' AS method, 'learn' AS phase,
           'synthesized' AS domain, printf('example-%06d', example) AS task, persona, goal, refinements,
           model, simulated, seed, true AS success, 1.0 AS progress, (len(turns) - 1) // 2 AS turns
    FROM trajectories WHERE status = 'verified'
)
"""
"""What can be exported: episodes that a model played with the learner's or the test's library, with the
columns of the view `episodes`; and verified trajectories of syntheses, with columns of the same names,
persona and refinements.
"""
READ_AT_ONCE = 200
"""Synthesized records that are read by one query."""
AS_PARQUET = frozenset({"verl"})
"""Formats that their trainer reads from Parquet."""
_LEAKED = f"""
SELECT count(*) FILTER (phase = 'test') AS tests,
       count(*) FILTER (phase <> 'test'
           AND task_hash IN (SELECT task_hash FROM episodes WHERE phase = 'test')) AS shared
FROM {OFFERED} WHERE {{where}}
"""


def check_format(kind: TrainingKind, name: str) -> None:
    """Raises `BadInput` for a format that this kind of data does not have."""
    if name not in FORMATS[kind]:
        raise BadInput(f"--format {name}: {kind} has no such format; {suggestion(name, FORMATS[kind])}")


@dataclass(frozen=True)
class Selection:
    """Keys of episodes and of synthesized trajectories (`synthesized`) in a fixed order, and how many
    episodes of test tasks were left out.
    """

    keys: tuple[str, ...]
    left_out: int
    synthesized: frozenset[str] = frozenset()


def pair_sources(names: str) -> tuple[PairSource, ...]:
    """Sources of pairs by name, with commas between them. Raises `BadInput` for an unknown one."""
    found = tuple(name.strip() for name in names.split(",") if name.strip())
    known = get_args(PairSource)
    for name in found:
        if name not in known:
            raise BadInput(f"--pairs {name}: there is no such source; {suggestion(name, known)}")
    return found or known  # type: ignore[return-value]


def selected(connection: Connection, where: str, *, include_test: bool) -> Selection:
    """The episodes that a condition selects; those of test tasks only where they are asked for.

    Raises:
        BadInput: the condition is no SQL or selects nothing, or selected training episodes play tasks that
            are test tasks too.
    """
    condition = f"({where})" if where.strip() else "true"
    try:
        (leaked,) = dictionaries(connection, _LEAKED.format(where=condition))
        rows = dictionaries(
            connection,
            f"""SELECT DISTINCT source, key, method, task, learn_repeat, test_repeat FROM {OFFERED}
            WHERE {condition} AND ({str(include_test).lower()} OR phase <> 'test')
            ORDER BY source, method, task, learn_repeat, test_repeat, key""",
        )
    except QUERY_ERRORS as error:
        raise BadInput(
            f"--where {where!r}: {str(error).splitlines()[0]}; it is a condition on the columns of the view "
            "episodes and on source, such as \"success AND domain = 'gripper'\""
        ) from None
    if not include_test and leaked["shared"]:
        raise BadInput(
            f"{leaked['shared']} of the selected training episodes play tasks that are test tasks too "
            "(`test: all`); leave them out with --where, or say --include-test"
        )
    if not rows:
        raise BadInput(
            f"no episode of a training task is selected ({leaked['tests']} of test tasks are left out, so "
            "that none leaks into training data; --include-test takes them)"
        )
    made = frozenset(row["key"] for row in rows if row["source"] == "synthesized")
    return Selection(tuple(row["key"] for row in rows), 0 if include_test else leaked["tests"], made)


def refuse_tool_calls(connection: Connection, selection: Selection) -> None:
    """Raises `BadInput` where selected episodes were played with tool calls: no format says yet how they are
    written, and their prompts are lists of messages.
    """
    ((number,),) = connection.execute(
        """SELECT count(DISTINCT unit) FROM calls
        WHERE tools IS NOT NULL AND unit IN (SELECT unnest(?::TEXT[]))""",
        [list(selection.keys)],
    ).fetchall()
    if number:
        raise BadInput(
            f"{number} of the selected episodes were played with tool calls (`action_format: tools`), which "
            'no format holds; leave them out with --where "key NOT IN (SELECT unit FROM calls WHERE tools IS '
            'NOT NULL)"'
        )


def rows_of(
    records: Iterable[TrainingRecord], kind: TrainingKind, name: str, sources: Sequence[PairSource]
) -> Iterator[Row]:
    """The rows of records in a format."""
    if kind == "preference":
        for pair in pairs_of(list(records), sources):
            yield from PREFERENCE[name](pair)
    else:
        project = SFT[name] if kind == "sft" else STEPWISE[name]
        for record in records:
            yield from project(record)


def read_records(
    connection: Connection, keys: Iterable[str], least_refinements: int, synthesized: Collection[str] = ()
) -> Iterator[TrainingRecord]:
    """The records of episodes, and of synthesized trajectories; those with fewer repaired mistakes are left
    out.
    """
    waiting = iter(keys)
    while chunk := list(islice(waiting, READ_AT_ONCE)):
        wanted = [key for key in chunk if key in synthesized]
        made = synthesized_records(connection, wanted) if wanted else {}
        for key in chunk:
            record = made[key] if key in made else record_of(connection, key)
            if record.turns and record.refinements >= least_refinements:
                yield record


def write_rows(connection: Connection, rows: Iterable[Row], path: Path, name: str) -> int:
    """Write rows to a file, as a whole or not at all. Returns their number."""
    partial = path.with_name(f".{path.name}.partial")
    number = 0
    with partial.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            number += 1
    if name in AS_PARQUET:
        lines, partial = partial, partial.with_suffix(".parquet")
        try:
            read = "read_json(?, format = 'newline_delimited', maximum_object_size = 268435456)"
            connection.execute(f"COPY (SELECT * FROM {read}) TO {quoted(str(partial))}", [str(lines)])
        finally:
            lines.unlink()
    partial.replace(path)
    return number
