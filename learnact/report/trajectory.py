"""An episode and a library, shown so that a person can read them. Text only: the same on a terminal and in a file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from learnact.records import EpisodeResult, Library, Turn
from learnact.results.reader import Connection, dictionaries, load_episode, load_library

WIDTH = 116


def episode_text(row: dict[str, Any], result: EpisodeResult) -> str:
    """A trajectory: what it was about, then turn by turn what was said, done and seen. `row` is the episode's row in `episodes`."""
    simulated = " (simulated)" if row["simulated"] else ""
    outcome = "solved" if result.success else "not solved"
    head = [
        f"episode {row['key']}",
        f"{row['method']} plays {row['domain']} {row['task']} with {row['model'] or 'no model'}{simulated}, phase {row['phase']}, "
        f"repeat {row['learn_repeat']}.{row['test_repeat']}, seed {row['seed']}",
        f"{outcome} in {len(result.turns)} turns and {result.primitive_steps} primitive steps; progress {result.progress:.0%}, "
        f"grounding {result.grounding:.0%}"
        + (f"; plan known with {row['reference']} steps" if row["reference"] else ""),
        f"library {row['library'] or 'none'}",
        "",
        *_wrapped("Goal: ", result.goal),
        *_wrapped("Observation: ", result.first_observation),
    ]
    lines = [*head]
    for turn in result.turns:
        lines += ["", *turn_lines(turn)]
    return "\n".join(lines) + "\n"


def turn_lines(turn: Turn) -> list[str]:
    """One turn. `!` marks what failed; primitive steps are listed under a learned action."""
    label = {"thought": "Think", "unreadable": "Unreadable"}.get(turn.kind, "Action")
    mark = "" if turn.ok or turn.kind == "thought" else " !"
    lines = _wrapped(f"{turn.index + 1:>3}. {label}{mark}: ", turn.said or turn.raw)
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


def _wrapped(label: str, text: str) -> list[str]:
    indent = " " * min(len(label), 12)
    lines: list[str] = []
    for number, part in enumerate(text.split("\n") or [""]):
        lines += textwrap.wrap(
            part, WIDTH, initial_indent=indent if number else label, subsequent_indent=indent
        ) or ([label.rstrip()] if not number else [])
    return lines


def show_episode(connection: Connection, key: str) -> str:
    """The trajectory of an episode by key or the beginning of it. Raises `ResultsError` when there is none."""
    result = load_episode(connection, key)
    rows = dictionaries(
        connection, "SELECT * FROM episodes WHERE starts_with(key, ?) ORDER BY key LIMIT 1", [key]
    )
    return episode_text(rows[0], result)


# Libraries ------------------------------------------------------------------------------------------------------------


def library_text(library: Library) -> str:
    """Code with descriptions and notes as comments, usage example, lessons."""
    parts: list[str] = [f"library {library.id or '(empty)'}", ""]
    if library.preamble:
        parts += [library.preamble, ""]
    for action in library.actions:
        parts += _comment(action.description)
        for note in action.notes:
            parts += _comment(f"Note: {note}")
        parts += [action.source, ""]
    if library.usage_example:
        parts += ["# Usage example", *_comment(library.usage_example), ""]
    if library.lessons:
        parts += ["# Lessons", *(line for lesson in library.lessons for line in _comment(f"- {lesson}"))]
    return "\n".join(parts).rstrip() + "\n"


def _comment(text: str) -> list[str]:
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
        "SELECT count(*), avg(success::INT), avg(progress) FROM episodes WHERE library = ? AND phase <> 'learn'",
        [found.id],
    ).fetchone()
    if tests and tests[0]:
        lines.append(f"tested in {tests[0]} episodes: success {tests[1]:.0%}, progress {tests[2]:.0%}")
    return "\n".join(lines) + "\n"


def candidate_line(row: dict[str, Any]) -> str:
    """A candidate's row in words."""
    if row["score"] is None:
        scored = f"not created: {row['uncreated']}"
    else:
        scored = (
            f"score {row['score']:.3f} (success {row['success']:.2f}, step correctness {row['step_correctness']:.2f}, "
            f"call ratio {row['call_ratio']:.2f})"
        )
    chosen = ", selected" if row["selected"] else ""
    why = f"; shown {row['failed_call']}" if row["failed_call"] else ""
    reason = f"; reason: {row['reason']}" if row["reason"] else ""
    return (
        f"trial {row['trial'][:12]}, iteration {row['iteration']}, candidate {row['candidate']} ({row['origin']}){chosen}: "
        f"{scored}{why}{reason}"
    )


def descent(connection: Connection, library: str) -> list[tuple[str, str]]:
    """A library and its ancestors, youngest first, each with its origin."""
    rows = dictionaries(
        connection,
        "SELECT library, parent, origin FROM candidates WHERE origin <> 'incumbent' AND library <> '' ORDER BY iteration, candidate",
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


def trial_story(rows: Iterable[dict[str, Any]]) -> str:
    """The candidates of a trial in order, one a line, for overviews."""
    return "\n".join(candidate_line(row) for row in rows)
