"""The tables of a run, each declared once: columns with type, meaning, and where a record has the value.

Writing (`TableSchema.row`, `TableSchema.arrow`), reading (`record_reader`) and the data dictionary
(dictionary.py) follow from the declarations, which lie in unit_tables.py, run_tables.py and
synthesis_tables.py. The views in `views/` are what people query; `stored.NAME` is the stored table.
"""

from __future__ import annotations

from learnact.results.run_tables import (
    ATTEMPTS,
    BLOCKS,
    CANDIDATES,
    CHECKS,
    EVENTS,
    LIBRARIES,
    TRIALS,
    TURN_GROUPS,
)
from learnact.results.schema import (
    READABLE_VERSIONS,
    SCHEMA_VERSION,
    Row,
    TableColumn,
    TableSchema,
    record_reader,
)
from learnact.results.synthesis_tables import REPLY_CHECKS, TRAJECTORIES
from learnact.results.unit_tables import CALLS, EPISODES, REQUESTS, TURNS

__all__ = [
    "ATTEMPTS",
    "BLOCKS",
    "CALLS",
    "CANDIDATES",
    "CHECKS",
    "EPISODES",
    "EVENTS",
    "LIBRARIES",
    "READABLE_VERSIONS",
    "REPLY_CHECKS",
    "REQUESTS",
    "SCHEMA_VERSION",
    "TABLES",
    "TRAJECTORIES",
    "TRIALS",
    "TURNS",
    "TURN_GROUPS",
    "Row",
    "TableColumn",
    "TableSchema",
    "record_reader",
]

TABLES: dict[str, TableSchema] = {
    table.name: table
    for table in (
        EPISODES,
        TURNS,
        REQUESTS,
        CALLS,
        LIBRARIES,
        CANDIDATES,
        ATTEMPTS,
        TRIALS,
        EVENTS,
        CHECKS,
        BLOCKS,
        TURN_GROUPS,
        TRAJECTORIES,
        REPLY_CHECKS,
    )
}
