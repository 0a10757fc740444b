"""Episodes and libraries as text for a person to read: the same on a terminal and in a file."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from learnact.errors import ResultsError, suggestion
from learnact.records import EpisodeResult, Library, Turn
from learnact.records.text import printable
from learnact.report.causes import first_difference
from learnact.report.failed import FailedEpisode, why_failed
from learnact.results.reader import Connection, dictionaries, load_episode, load_library

WIDTH = 116
COLUMN_WIDTH = WIDTH // 2 - 2
"""Width of a column where two episodes are shown side by side."""


def episode_text(row: dict[str, Any], result: EpisodeResult, why: FailedEpisode | None = None) -> str:
    """A trajectory: task and outcome, why it failed, then each turn. `row` is the episode's row in
    `episodes`.
    """
    lines = [*episode_head(row, result), *_why_lines(result, why), "", *_task_lines(result)]
    for turn in result.turns:
        lines += ["", *turn_lines(turn)]
    return "\n".join(lines) + "\n"


def episode_head(row: dict[str, Any], result: EpisodeResult) -> list[str]:
    """Method, task, model and outcome of an episode."""
    simulated = " (simulated)" if row["simulated"] else ""
    outcome = "solved" if result.success else "not solved"
    return [
        f"episode {row['key']}",
        f"{row['method']} plays {row['domain']} {row['task']} with {row['model'] or 'no model'}{simulated}, "
        f"phase {row['phase']}, repeat {row['learn_repeat']}.{row['test_repeat']}, seed {row['seed']}",
        f"{outcome} in {len(result.turns)} turns and {result.primitive_steps} primitive steps; "
        f"progress {result.progress:.0%}, grounding {result.grounding:.0%}"
        + (f"; plan known with {row['reference']} steps" if row["reference"] else ""),
        f"library {row['library'] or 'none'}",
    ]


def _why_lines(result: EpisodeResult, why: FailedEpisode | None) -> list[str]:
    """The cause of a failure, and the first turn that went wrong."""
    if why is None:
        return []
    lines = _wrapped("why it failed: ", why.text)
    first = next((turn for turn in result.turns if not turn.ok and turn.kind != "thought"), None)
    if first is not None:
        lines += _wrapped(
            "first failure: ", f"turn {first.index + 1}, {first.call or first.said or first.raw}"
        )
    return lines


def _task_lines(result: EpisodeResult) -> list[str]:
    return [*_wrapped("Goal: ", result.goal), *_wrapped("Observation: ", result.first_observation)]


def turn_lines(turn: Turn) -> list[str]:
    """One turn. `!` marks what failed; primitive steps are listed under a learned action."""
    label = {"thought": "Think", "unreadable": "Unreadable"}.get(turn.kind, "Action")
    mark = "" if turn.ok or turn.kind == "thought" else " !"
    number = f"{turn.index + 1:>3}."
    lines = _wrapped(f"{number} Think: ", turn.thought) if turn.thought else []
    lines += _wrapped(f"{'    ' if turn.thought else number} {label}{mark}: ", turn.said or turn.raw)
    if turn.kind != "action" and turn.raw.strip() != turn.said.strip():
        lines += _wrapped("     reply: ", turn.raw)
    if turn.learned:
        for step in turn.steps:
            lines += _wrapped(f"       {'-' if step.ok else '!'} ", f"{step.command} -> {step.observation}")
    if turn.error:
        where = (
            f" in {turn.error.function}, line {turn.error.line}: {turn.error.source}"
            if turn.error.function
            else ""
        )
        lines += _wrapped("     error: ", f"{turn.error.type}: {turn.error.message}{where}")
    if turn.printed:
        lines += _wrapped("     printed: ", turn.printed)
    progress = f" [{turn.progress:.0%}]" if turn.kind == "action" else ""
    return [*lines, *_wrapped("     Observation: ", f"{turn.observation}{progress}")]


def _wrapped(label: str, text: str, width: int = WIDTH) -> list[str]:
    """Text after a label, in lines; without characters that control a terminal."""
    indent = " " * min(len(label), 12)
    lines: list[str] = []
    for number, part in enumerate(printable(text, keep="\n\t").split("\n")):
        lines += textwrap.wrap(
            part, width, initial_indent=indent if number else label, subsequent_indent=indent
        ) or ([label.rstrip()] if not number else [])
    return lines


def show_episode(connection: Connection, key: str) -> str:
    """The trajectory of an episode by key or the beginning of it. Raises ResultsError if there is none."""
    result, row = load_episode(connection, key), episode_row(connection, key)
    return episode_text(row, result, why_failed(connection, row, result))


def episode_row(connection: Connection, key: str) -> dict[str, Any]:
    """The row of an episode that is there, by key or the beginning of it."""
    query = "SELECT * FROM episodes WHERE starts_with(key, ?) ORDER BY key LIMIT 1"
    return dictionaries(connection, query, [key])[0]


# Several episodes -----------------------------------------------------------------------------------------


def find_episodes(
    connection: Connection, task: str | None = None, method: str | None = None, failed: bool = False
) -> list[dict[str, Any]]:
    """Rows of the test episodes of a task, of a method, or that did not solve their task.

    Raises ResultsError if no test episode is of that task or method.
    """
    for column, wanted in ("task", task), ("method", method):
        rows = dictionaries(connection, f"SELECT DISTINCT {column} FROM episodes WHERE phase = 'test'")
        known = [row[column] for row in rows]
        if wanted is not None and wanted not in known:
            raise ResultsError(f"no test episode of {column} {wanted!r}; {suggestion(wanted, known)}")
    return dictionaries(
        connection,
        """SELECT * EXCLUDE (finished) FROM episodes
        WHERE phase = 'test' AND task = coalesce(?, task) AND method = coalesce(?, method)
          AND NOT (? AND success)
        ORDER BY method, domain, task, learn_repeat, test_repeat, key""",
        [task, method, failed],
    )


def episode_line(row: dict[str, Any], why: FailedEpisode | None = None) -> str:
    """An episode in one line, for lists."""
    outcome = "solved" if row["success"] else f"not solved, progress {row['progress']:.0%}"
    return (
        f"{row['key'][:12]}  {printable(row['method'])}: {row['domain']} {printable(row['task'])}, "
        f"repeat {row['learn_repeat']}.{row['test_repeat']}: {outcome} in {row['turns']} turns; "
        f"library {row['library'][:12] or 'none'}" + (f"; {why.brief}" if why else "")
    )


# Two episodes ---------------------------------------------------------------------------------------------


def pair_text(rows: Sequence[dict[str, Any]], results: Sequence[EpisodeResult], differ: int | None) -> str:
    """Two episodes of the same task: what they have in common, then side by side.

    `differ`: the first turn (from 0) in which they differ, None if they are the same. Of observations only
    those of failures are shown.
    """
    first, second = (result.turns for result in results)
    lines = [
        line for row, result in zip(rows, results, strict=True) for line in (*episode_head(row, result), "")
    ]
    lines += [*_task_lines(results[0]), ""]
    lines += [line for turn in first[:differ] for line in brief_lines(turn)]
    if differ is None:
        return "\n".join([*lines, "", "The two episodes are the same."]) + "\n"
    names = ([f"{row['method']} {row['key'][:8]}", "-" * COLUMN_WIDTH] for row in rows)
    lines += [f"They differ from turn {differ + 1}:", "", *_side_by_side(*names)]
    for turns in zip_longest(first[differ:], second[differ:]):
        lines += _side_by_side(*(brief_lines(turn, COLUMN_WIDTH) if turn else [] for turn in turns))
    return "\n".join(lines) + "\n"


def brief_lines(turn: Turn, width: int = WIDTH) -> list[str]:
    """One turn without the observations of what worked. `!` marks what failed."""
    label = {"thought": "Think", "unreadable": "Unreadable"}.get(turn.kind, "Action")
    failed = not turn.ok and turn.kind != "thought"
    progress = f" [{turn.progress:.0%}]" if turn.kind == "action" else ""
    said = f"{turn.said or turn.raw}{progress}"
    lines = _wrapped(f"{turn.index + 1:>3}. {label}{' !' if failed else ''}: ", said, width)
    for step in turn.steps if turn.learned else ():
        shown = step.command if step.ok else f"{step.command} -> {step.observation}"
        lines += _wrapped(f"       {'-' if step.ok else '!'} ", shown, width)
    if turn.error:
        lines += _wrapped("     error: ", f"{turn.error.type}: {turn.error.message}", width)
    elif failed and not turn.learned:
        lines += _wrapped("     ", turn.observation, width)
    return lines


def _side_by_side(left: Sequence[str], right: Sequence[str]) -> list[str]:
    return [f"{one:<{COLUMN_WIDTH}} | {two}".rstrip() for one, two in zip_longest(left, right, fillvalue="")]


def show_pair(connection: Connection, keys: tuple[str, str]) -> str:
    """Two episodes by key or the beginning of it.

    Raises ResultsError if one is missing or their tasks differ.
    """
    results = [load_episode(connection, key) for key in keys]
    rows = [episode_row(connection, key) for key in keys]
    if rows[0]["task_hash"] != rows[1]["task_hash"]:
        tasks = " and ".join(f"{row['domain']} {row['task']}" for row in rows)
        raise ResultsError(
            f"these episodes are of different tasks ({tasks}); only the same task can be compared"
        )
    return pair_text(rows, results, first_difference(connection, rows[0]["key"], rows[1]["key"]))


# Libraries ------------------------------------------------------------------------------------------------


def library_text(library: Library) -> str:
    """Code with descriptions and notes as comments, usage example, lessons."""
    parts: list[str] = [f"library {library.id or '(empty)'}", ""]
    if library.preamble:
        parts += [printable(library.preamble, keep="\n\t"), ""]
    for action in library.actions:
        parts += _comment(action.description)
        for note in action.notes:
            parts += _comment(f"Note: {note}")
        parts += [printable(action.source, keep="\n\t"), ""]
    if library.usage_example:
        parts += ["# Usage example", *_comment(library.usage_example), ""]
    if library.lessons:
        parts += ["# Lessons", *(line for lesson in library.lessons for line in _comment(f"- {lesson}"))]
    return "\n".join(parts).rstrip() + "\n"


def _comment(text: str) -> list[str]:
    text = printable(text, keep="\n\t")
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, WIDTH - 2) or [""]]
    return [f"# {line}".rstrip() for line in lines] if text else []


def show_library(connection: Connection, library: str) -> str:
    """A library with code, notes, where it was a candidate with which scores, and what it descends from."""
    found = load_library(connection, library)
    rows = dictionaries(
        connection,
        "SELECT * FROM candidates WHERE library = ? ORDER BY run, trial, iteration, candidate",
        [found.id],
    )
    lines = [library_text(found)]
    for row in rows:
        lines.append(candidate_line(row))
    line = descent(connection, found.id)
    if len(line) > 1:
        lines.append("descends from: " + " <- ".join(f"{name[:12]} ({origin})" for name, origin in line))
    tests = connection.execute(
        "SELECT count(*), avg(success::INT), avg(progress) FROM episodes "
        "WHERE library = ? AND phase IN ('test', 'survey')",
        [found.id],
    ).fetchone()
    if tests and tests[0]:
        lines.append(f"tested in {tests[0]} episodes: success {tests[1]:.0%}, progress {tests[2]:.0%}")
    return "\n".join(lines) + "\n"


def candidate_line(row: dict[str, Any]) -> str:
    """A candidate's row in words."""
    if row["score"] is None:
        scored = "not played in training"
        if row["uncreated"]:
            scored = f"not created: {printable(row['uncreated'])}"
        elif row["excluded"]:
            scored = row["excluded"]
        elif row["equal_to"]:
            scored = f"equal to candidate {row['equal_to']}, so not played again"
    else:
        scored = (
            f"score {row['score']:.3f} (success {row['success']:.2f}, "
            f"step correctness {row['step_correctness']:.2f}, call ratio {row['call_ratio']:.2f})"
        )
        if row["excluded"]:
            scored += f", cannot win: {row['excluded']}"
    chosen = ", selected" if row["selected"] else ""
    why = f"; shown {printable(row['failed_call'])}" if row["failed_call"] else ""
    reason = f"; reason: {printable(row['reason'])}" if row["reason"] else ""
    return (
        f"trial {row['trial'][:12]}, iteration {row['iteration']}, candidate {row['candidate']} "
        f"({row['origin']}, library {row['library'][:12] or 'none'}){chosen}: {scored}{why}{reason}"
    )


def descent(connection: Connection, library: str) -> list[tuple[str, str]]:
    """A library and its ancestors, youngest first, each with its origin."""
    rows = dictionaries(
        connection,
        "SELECT library, parent, origin FROM candidates WHERE origin <> 'incumbent' AND library <> '' "
        "ORDER BY iteration, candidate",
    )
    parents: dict[str, tuple[str, str]] = {}
    for row in rows:
        parents.setdefault(row["library"], (row["parent"], row["origin"]))
    line: list[tuple[str, str]] = []
    current = library
    while current and current not in {name for name, _ in line}:
        parent, origin = parents.get(current, ("", "given"))
        line.append((current, origin))
        current = parent
    return line
