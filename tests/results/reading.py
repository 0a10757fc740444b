"""Calls rebuilt from the tables, with prompts exactly as sent, for comparison with what was recorded."""

from __future__ import annotations

from learnact.records import Call, history_entries
from learnact.results import rows, tables
from learnact.results.blocks import prompt_from
from learnact.results.reader import Connection, dictionaries
from learnact.results.tables import record_reader

call_from = record_reader(tables.CALLS, Call, "call", given=("prompt", "reply"))


def load_calls(connection: Connection, unit: str) -> tuple[Call, ...]:
    """The calls of a unit."""
    turns = dictionaries(connection, "SELECT * FROM stored.turns WHERE episode = ? ORDER BY turn", [unit])
    entries = history_entries(rows.turn_from(turn) for turn in turns)
    found = dictionaries(connection, "SELECT * FROM stored.calls WHERE unit = ? ORDER BY ordinal", [unit])
    texts = {
        row["hash"]: row["text"] for row in dictionaries(connection, "SELECT hash, text FROM stored.blocks")
    }
    return tuple(
        call_from(row, prompt=prompt_from(row, texts.__getitem__, entries), reply=rows.reply_from(row))
        for row in found
    )
