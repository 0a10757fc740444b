"""Columns that several tables have, and records that are kept inside a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import pyarrow as pa

from learnact.records import ActionError, LearnedAction, PrimitiveStep
from learnact.results.bounded import finite
from learnact.results.schema import FLAG, INT32, INT64, REAL, TEXT, TEXTS, Row, TableColumn


def struct_of(
    record: type[Any], **types: pa.DataType
) -> tuple[pa.StructType, Callable[[Any], Row], Callable[[Any], Any]]:
    """A record kept inside a cell: its Arrow type, record to cell, cell to record."""

    def load(cell: Mapping[str, Any]) -> Any:
        return record(**{key: tuple(v) if isinstance(v, list) else v for key, v in cell.items()})

    return pa.struct(list(types.items())), attrgetter(*types), load


STEP, dump_step, load_step = struct_of(PrimitiveStep, command=TEXT, ok=FLAG, observation=TEXT)
ERROR, dump_error, load_error = struct_of(
    ActionError, type=TEXT, message=TEXT, function=TEXT, line=INT32, source=TEXT
)
ACTION, dump_action, load_action = struct_of(
    LearnedAction, name=TEXT, signature=TEXT, source=TEXT, description=TEXT, notes=TEXTS
)


def token_columns(tokens: str, cost: str, of: str) -> tuple[TableColumn, ...]:
    """Tokens and dollars of something: the places of both in a record, and what they are of."""
    return (
        TableColumn(
            "prompt_tokens", INT64, f"{tokens}.prompt", f"tokens of {of}: prompt, cached ones included"
        ),
        TableColumn(
            "cached_tokens", INT64, f"{tokens}.cached", f"tokens of {of}: prompt tokens from a cache"
        ),
        TableColumn(
            "completion_tokens", INT64, f"{tokens}.completion", f"tokens of {of}: completion, with reasoning"
        ),
        TableColumn("reasoning_tokens", INT64, f"{tokens}.reasoning", f"tokens of {of}: reasoning"),
        TableColumn(
            "cost",
            REAL,
            cost,
            f"US dollars of {of}; null where a price is not known",
            dump=finite,
            load=finite,
        ),
    )


PROMPT_COLUMNS = (
    TableColumn("system", TEXT, "prompt.system", "address in `blocks` of the system message"),
    TableColumn("fixed", TEXTS, "prompt.fixed", "addresses in `blocks` of the parts before the history"),
    TableColumn(
        "history_start", INT32, "prompt.history_start", "first entry of the episode's history that was shown"
    ),
    TableColumn("history_count", INT32, "prompt.history_count", "entries of the history shown (two a turn)"),
    TableColumn(
        "history",
        TEXTS,
        "prompt.history",
        "addresses of the entries where they do not follow from the episode's turns, else null",
    ),
    TableColumn("ask", TEXT, "prompt.ask", "address in `blocks` of the part after the history"),
    TableColumn("tools", TEXT, "prompt.tools", "address in `blocks` of the tools offered, as JSON, or null"),
    TableColumn(
        "grammar", TEXT, "prompt.grammar", "address in `blocks` of what the reply may be, as JSON, or null"
    ),
)


def run_column(source: str = "run") -> TableColumn:
    """The run's id."""
    return TableColumn("run", TEXT, source, "id of the run")


def trial_column(source: str = "trial") -> TableColumn:
    """The trial's id."""
    return TableColumn("trial", TEXT, source, "id of the trial")


def finished_columns(unit: str) -> tuple[TableColumn, ...]:
    """When and where a unit ended, and after how many failed tries."""
    return (
        TableColumn("finished", REAL, "outcome.finished", f"when the {unit} ended", temporal=True),
        TableColumn("node", TEXT, "outcome.node", f"machine on which the {unit} ended", temporal=True),
        TableColumn("attempts", INT32, "outcome.attempts", "failed tries before it", dump=len, temporal=True),
    )


SEQ_COLUMN = TableColumn("seq", INT64, "seq", "order of writing within the run", temporal=True)
