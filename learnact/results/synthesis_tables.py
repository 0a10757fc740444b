"""The tables of a synthesis (docs/synthesis.md): examples, and what was found in each reply."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from learnact.records.synthesis import ScriptAction, SynthesisScript, SynthesisTurn
from learnact.results.columns import struct_of
from learnact.results.schema import (
    FLAG,
    INT32,
    INT64,
    TEXT,
    TEXTS,
    TableColumn,
    TableSchema,
    record_reader,
)

PARAMETER = pa.struct([("name", TEXT), ("values", TEXTS)])
ACTION = pa.struct([("name", TEXT), ("pattern", TEXT), ("parameters", pa.list_(PARAMETER))])
TURN, _dump_turn, _load_turn = struct_of(
    SynthesisTurn,
    turn=INT32,
    role=TEXT,
    thought=TEXT,
    text=TEXT,
    parameter_error=FLAG,
    place_error=FLAG,
    logic_error=FLAG,
    completed=TEXTS,
)


def _dump_action(action: ScriptAction) -> tuple[Any, ...]:
    return action.name, action.pattern, [(name, list(values)) for name, values in action.parameters]


def _load_action(cell: Any) -> ScriptAction:
    parameters = tuple((one["name"], tuple(one["values"])) for one in cell["parameters"])
    return ScriptAction(cell["name"], cell["pattern"], parameters)


_RUN = TableColumn("run", TEXT, "run", "id of the run")

TRAJECTORIES = TableSchema(
    "trajectories",
    (
        _RUN,
        TableColumn("trial", TEXT, "example.trial", "id of the block of examples, in `trials`"),
        TableColumn("key", TEXT, "example.key", "content address of persona, number, model and settings"),
        TableColumn("example", INT32, "example.example", "number of the example in its run, from 0"),
        TableColumn("persona", TEXT, "example.persona", "the person whom the script is written for"),
        TableColumn(
            "status",
            TEXT,
            "example.status",
            "`verified`, or `refused`: all calls of a stage were used up (`reason`)",
        ),
        TableColumn(
            "reason", TEXT, "example.reason", "the stage and the rule that its last reply broke, else empty"
        ),
        TableColumn("model", TEXT, "example.model", "the model that wrote it, as asked for"),
        TableColumn(
            "simulated",
            FLAG,
            "example.simulated",
            "the model is the simulated one: says nothing about language models",
        ),
        TableColumn("seed", INT64, "example.seed", "the example's seed"),
        TableColumn("environment", TEXT, "script.environment", "JSON of nested places and things"),
        TableColumn("goal", TEXT, "script.goal", "the goal of the script"),
        TableColumn(
            "conditions", TEXTS, "script.conditions", "when the goal is reached: all of these", load=tuple
        ),
        TableColumn(
            "actions",
            pa.list_(ACTION),
            "script.actions",
            "list of (name, pattern, parameters: list of (name, values))",
            dump=lambda actions: [_dump_action(action) for action in actions],
            load=lambda cells: tuple(_load_action(cell) for cell in cells),
        ),
        TableColumn(
            "turns",
            pa.list_(TURN),
            "example.turns",
            "list of (turn, role, thought, text, parameter_error, place_error, logic_error, completed)",
            dump=lambda turns: [_dump_turn(turn) for turn in turns],
            load=lambda cells: tuple(_load_turn(cell) for cell in cells),
        ),
        TableColumn("refinements", INT32, "example.refinements", "mistakes that the next action repaired"),
        TableColumn("calls", INT32, "example.calls", "calls of the model that it took"),
    ),
    order=("trial", "key"),
)

REPLY_CHECKS = TableSchema(
    "reply_checks",
    (
        _RUN,
        TableColumn("seq", INT64, "seq", "order of writing within the run", temporal=True),
        TableColumn("trial", TEXT, "check.trial", "id of the block of examples, in `trials`"),
        TableColumn("example", INT32, "check.example", "`trajectories.example`"),
        TableColumn("stage", TEXT, "check.stage", "`script` or `trajectory`"),
        TableColumn("attempt", INT32, "check.attempt", "call of the stage, from 0"),
        TableColumn("request", TEXT, "check.request", "`requests.key`: its reply was checked"),
        TableColumn("accepted", FLAG, "check.accepted", "whether every rule holds"),
        TableColumn(
            "rule", TEXT, "check.rule", "the rule that is broken first (docs/synthesis.md), else empty"
        ),
        TableColumn("turn", INT32, "check.turn", "the turn that breaks it, from 1; 0 for the whole"),
        TableColumn("problem", TEXT, "check.problem", "what is wrong, in words, else empty"),
        TableColumn("verified", INT32, "check.verified", "turns that are kept: what generation goes on from"),
    ),
    order=("trial", "request", "seq"),
    key=("run", "trial", "example", "stage", "attempt"),
)
script_from_row = record_reader(TRAJECTORIES, SynthesisScript, "script")
"""A script from a row of `trajectories`."""


def turns_from_row(row: Any) -> tuple[SynthesisTurn, ...]:
    """The turns of a row of `trajectories`."""
    return tuple(_load_turn(cell) for cell in row["turns"])
