"""A synthesis for a person: its state, and an example turn by turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from learnact.errors import BadInput
from learnact.records.text import printable
from learnact.results.reader import Connection, dictionaries

_STATE = """
SELECT count(*) FILTER (status = 'verified') AS verified, count(*) FILTER (status = 'refused') AS refused,
       coalesce(bool_or(simulated), false) AS simulated,
       coalesce(avg(len(turns)) FILTER (status = 'verified'), 0) AS turns,
       coalesce(avg(refinements) FILTER (status = 'verified'), 0) AS refinements,
       coalesce(avg(calls) FILTER (status = 'verified'), 0) AS calls
FROM trajectories
"""
_MISTAKES = """
SELECT count(*) FILTER (t.parameter_error) AS parameter, count(*) FILTER (t.place_error) AS place,
       count(*) FILTER (t.logic_error) AS logic
FROM (SELECT unnest(turns) AS t FROM trajectories WHERE status = 'verified')
"""
_REASONS = """
SELECT reason, count(*) AS examples FROM trajectories WHERE status = 'refused'
GROUP BY reason ORDER BY examples DESC, reason
"""


def is_synthesis(connection: Connection) -> bool:
    """Whether a run made examples, or began to."""
    return bool(dictionaries(connection, "SELECT 1 FROM reply_checks LIMIT 1"))


def run_state(connection: Connection) -> dict[str, Any]:
    """What a synthesis has come to, as plain data."""
    (state,) = dictionaries(connection, _STATE)
    (mistakes,) = dictionaries(connection, _MISTAKES)
    reasons = {row["reason"]: row["examples"] for row in dictionaries(connection, _REASONS)}
    return {**state, "mistakes": mistakes, "refused_for": reasons}


def run_text(connection: Connection) -> str:
    """What a synthesis has come to, in words."""
    state = run_state(connection)
    lines = [
        f"{state['verified']:,} trajectories are verified, {state['refused']:,} examples refused.",
        f"A verified one has {state['turns']:.1f} turns, {state['refinements']:.1f} repaired mistakes, and "
        f"took {state['calls']:.1f} calls.",
        "Mistakes: " + ", ".join(f"{kind} {count:,}" for kind, count in state["mistakes"].items()) + ".",
    ]
    lines += [f"Refused for {reason}: {count:,}" for reason, count in state["refused_for"].items()]
    if state["simulated"]:
        lines.append("Written by the simulated model: it says nothing about language models.")
    return "\n".join(lines)


def example_row(connection: Connection, number: int) -> dict[str, Any]:
    """An example with what was found in its replies. Raises `BadInput` naming what there is."""
    found = dictionaries(connection, "SELECT * FROM trajectories WHERE example = ?", [number])
    if not found:
        (last,) = dictionaries(connection, "SELECT max(example) AS last FROM trajectories")
        known = "there is none" if last["last"] is None else f"examples are numbered from 0 to {last['last']}"
        raise BadInput(f"--example {number}: there is no such example that has ended; {known}")
    checks = dictionaries(
        connection,
        "SELECT * EXCLUDE (run, trial, example) FROM reply_checks WHERE example = ? ORDER BY stage, attempt",
        [number],
    )
    return {**found[0], "checks": checks}


def example_text(connection: Connection, number: int) -> str:
    """An example in words: person, script, turns, and what was found in its replies."""
    row = example_row(connection, number)
    lines = [
        f"Example {row['example']}, {row['status']} {row['reason']}".rstrip() + f", {row['calls']} calls",
        f"Person: {row['persona']}",
        f"Goal: {row['goal']}",
        f"Reached when: {'; '.join(row['conditions'])}",
        f"World: {json.dumps(json.loads(row['environment'] or '{}'), ensure_ascii=False)}",
        "Actions: " + ", ".join(action["name"] for action in row["actions"]),
        "",
        *map(_turn, row["turns"]),
        "",
    ]
    for check in row["checks"]:
        found = "accepted"
        if not check["accepted"]:
            where = f" in turn {check['turn']}" if check["turn"] else ""
            found = f"{check['rule']}{where}: {check['problem']}; {check['verified']} turns kept"
        lines.append(f"{check['stage']} call {check['attempt']}: {found}")
    return "\n".join(printable(line) for line in lines)


def _turn(turn: Mapping[str, Any]) -> str:
    kinds = [kind for kind in ("parameter", "place", "logic") if turn[f"{kind}_error"]]
    marks = f" [{', '.join(kinds)} error]" if kinds else ""
    met = f" [completed: {'; '.join(turn['completed'])}]" if turn["completed"] else ""
    return f"{turn['turn']:3} {turn['role']:6} {turn['text']}{marks}{met}"
