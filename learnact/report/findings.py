"""What a reader of the numbers must know: nothing learned, unreadable replies, failed episodes.

Each finding says what happened, how often, why, and what to change. They stand on the page of a run and under
its tables.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from learnact.records.text import printable
from learnact.report.data import ReportData
from learnact.results.reader import Connection, dictionaries

MOSTLY = 0.5
"""Share of turns without a readable action from which it is a finding."""
CAUSES_SHOWN = 3
"""Distinct causes of one finding that are listed."""
CAUSE_CHARS = 240
LIMIT = re.compile(r"the (?:job|episode)'s limit of .* is used up")

FAILED = """
WITH failed AS (
    SELECT a.run, a.unit, arg_max(a.boundary, a.recorded) AS boundary, arg_max(a.error, a.recorded) AS error
    FROM attempts a WHERE a.kind = 'episode'
    AND a.unit NOT IN (SELECT key FROM episodes) GROUP BY a.run, a.unit
)
SELECT boundary, error, count(*) AS number FROM failed GROUP BY ALL ORDER BY number DESC, error
"""
"""Episodes without a result, by the last failure of each."""
UNREADABLE = """
SELECT e.method, e.agent_model, any_value(e.key) AS example, sum(e.turns) AS turns,
       sum(e.unreadable_turns) AS unreadable, count(*) AS episodes, count(*) FILTER (e.success) AS solved
FROM report_episodes e WHERE e.phase = 'test' AND e.agent_model <> ''
GROUP BY e.method, e.agent_model ORDER BY ALL
"""
REPLIES = """
SELECT count(*) FILTER (c.finish = 'length') AS cut,
       count(*) FILTER (c.finish <> 'length' AND trim(c.reply) = '' AND c.finish = 'tool_calls') AS
       tool_calls, count(*) FILTER (c.finish <> 'length' AND trim(c.reply) = '' AND c.finish <> 'tool_calls')
       AS empty, count(*) AS all, max(CAST(c.parameters ->> '$.max_tokens' AS BIGINT)) AS max_tokens,
       max(CAST(c.parameters ->> '$.max_completion_tokens' AS BIGINT)) AS max_completion_tokens
FROM calls c JOIN report_episodes e ON e.run = c.run AND e.key = c.unit
WHERE e.phase = 'test' AND e.method = ? AND e.agent_model = ?
"""
"""How the replies of a method in tests ended."""


def findings(data: ReportData) -> tuple[str, ...]:
    """All findings, the most serious first."""
    return (
        *failed_episodes(data.connection),
        *unreadable_replies(data),
        *learned_nothing(data),
        *several_setups(data),
    )


def several_setups(data: ReportData) -> list[str]:
    """Methods whose label stands for several setups."""
    names = [f"{name!r}" for name in data.methods.split]
    if not names:
        return []
    return [
        f"Episodes of different setups have one label: {', '.join(names)}. They are shown apart, by what "
        "differs (values as in the job; prompts and versions by the first digits of their hash)."
    ]


# Nothing learned --------------------------------------------------------------------------------------------


def learned_nothing(data: ReportData) -> list[str]:
    """Trials that finished learning and have no library, by method and domain."""
    learners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for trial in data.trials.values():
        if trial.learns and trial.status == "done":
            learners[trial.method, trial.label].append(trial.trial)
    found = []
    for (method, domain), trials in sorted(learners.items()):
        empty = [trial for trial in trials if not data.trials[trial].library]
        if empty:
            found.append(
                f"{len(empty)} of {len(trials)} trials of {method} on {domain} learned nothing, so their "
                f"agent plays as without a library: {_why_uncreated(data.connection, empty)}"
            )
    return found


def _why_uncreated(connection: Connection, trials: Iterable[str]) -> str:
    """Why no candidate of these trials could be created: the distinct reasons with their numbers."""
    rows = connection.execute(
        "SELECT DISTINCT trial, iteration, candidate, uncreated FROM candidates WHERE trial IN (SELECT "
        "unnest(?))",
        [list(trials)],
    ).fetchall()
    reasons = Counter(_first_line(uncreated) for *_, uncreated in rows if uncreated)
    if not rows:
        return "the learner made no candidate."
    if not reasons:
        return f"none of {len(rows)} candidates was an improvement."
    return f"{reasons.total()} of {len(rows)} candidates could not be created ({_counted(reasons)})."


# Unreadable replies -----------------------------------------------------------------------------------------


def unreadable_replies(data: ReportData) -> list[str]:
    """Methods most of whose turns had no readable action, with the cause and what to change."""
    found = []
    for row in dictionaries(data.connection, UNREADABLE):
        if not row["turns"] or row["unreadable"] < MOSTLY * row["turns"]:
            continue
        share = row["unreadable"] / row["turns"]
        found.append(
            f"{row['method']} with {row['agent_model']} solved {row['solved']} of {row['episodes']} test "
            f"episodes, and {share:.0%} of its replies held no action that can be read: "
            + _why_unreadable(data.connection, row["method"], row["agent_model"], row["example"])
        )
    return found


def _why_unreadable(connection: Connection, method: str, model: str, example: str) -> str:
    row = dictionaries(connection, REPLIES, [method, model])[0]
    number, limit = row["all"], row["max_tokens"] or row["max_completion_tokens"]
    most = max(("cut", "tool_calls", "empty"), key=lambda name: row[name])
    if not number or row[most] < MOSTLY / 2 * number:
        return f"the model does not answer in the form that the prompt asks for; see episode {example[:12]}."
    share = f"{row[most]} of {number} replies"
    if most == "cut":
        at = f" at max_tokens {limit}" if limit else ""
        return (
            f"{share} were cut{at} (finish_reason length), often because the model thinks first. Raise "
            "max_tokens of the agent model in the job, or lower its effort."
        )
    if most == "tool_calls":
        return (
            f"{share} were tool calls without text. learnact sends no tools: turn tool calling off at the "
            "endpoint."
        )
    return (
        f"{share} were empty (finish_reason not length). Try the model with `learnact check-model`, and "
        "another chat template or reasoning setting at the endpoint."
    )


# Failed episodes --------------------------------------------------------------------------------------------


def failed_episodes(connection: Connection) -> list[str]:
    """Episodes of which every try failed: the distinct causes with numbers, and what to do."""
    causes: Counter[tuple[str, str]] = Counter()
    for row in dictionaries(connection, FAILED):
        causes[row["boundary"], _first_line(row["error"])] += row["number"]
    limits = {key: number for key, number in causes.items() if LIMIT.search(key[1])}
    others = Counter({key: number for key, number in causes.items() if key not in limits})
    found = [
        f"The run stopped at a limit, before {number} episodes had ended: {error}"
        for (_, error), number in limits.items()
    ]
    if others:
        told = _counted(Counter({f"{b}: {error}": n for (b, error), n in others.items()}))
        boundary = others.most_common(1)[0][0][0]
        found.append(f"{others.total()} episodes failed in every try: {told}. {WAYS_OUT[boundary]}")
    return found


WAYS_OUT = {
    "provider": (
        "Check the endpoint with `learnact check-model`, then run the same command again: it tries these "
        "episodes again."
    ),
    "sandbox": "`learnact doctor` checks the sandbox; the same command again tries these episodes again.",
    "environment": "The engine of the domain failed; the same command again tries these episodes again.",
    "harness": "The same command again tries these episodes again.",
}
"""What to do about failures, by boundary."""


def _first_line(text: str) -> str:
    line = printable(next((one for one in text.split("\n") if one.strip()), "")).strip()
    return line if len(line) <= CAUSE_CHARS else line[: CAUSE_CHARS - 4] + " ..."


def _counted(reasons: Counter[str]) -> str:
    """The most frequent reasons with their numbers, and how many more there are."""
    shown = [f"{number} x {reason}" for reason, number in reasons.most_common(CAUSES_SHOWN)]
    more = len(reasons) - len(shown)
    return "; ".join(shown) + (f"; and {more} other reasons" if more else "")
