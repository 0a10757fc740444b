"""What a reader of the numbers must know: nothing learned, unreadable replies, failed episodes.

Each finding says what happened, how often, why, and what to change. They stand on the page of a run and under
its tables.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from learnact.records.text import printable
from learnact.report.commands import RUN_CHARS, check_model_command, show_command
from learnact.report.data import ReportData
from learnact.results.reader import Connection, dictionaries

MOSTLY = 0.5
"""Share of turns without a readable action from which it is a finding."""
CAUSES_SHOWN = 3
"""Distinct causes of one finding that are listed."""
CAUSE_CHARS = 240
LIMIT = re.compile(r"the (?:job|episode)'s limit of [^()]* is used up(?: \([^()]*\))?(?:: [^()]*)?")

FAILED = """
WITH failed AS (
    SELECT a.run, a.trial, a.unit, arg_max(a.boundary, a.recorded) AS boundary,
           arg_max(a.error, a.recorded) AS error
    FROM attempts a WHERE a.kind = 'episode'
    AND a.unit NOT IN (SELECT key FROM episodes) GROUP BY a.run, a.trial, a.unit
)
SELECT f.boundary, f.error, coalesce(t.agent_model, '') AS model, count(*) AS number
FROM failed f LEFT JOIN trials t ON t.run = f.run AND t.trial = f.trial
GROUP BY ALL ORDER BY number DESC, error, model
"""
"""Episodes without a result, by the last failure of each."""
UNREADABLE = """
SELECT e.method, e.agent_model, any_value(e.key) AS example, any_value(e.run) AS run, sum(e.turns) AS turns,
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
CAUSE = """
SELECT t.cause FROM turns t JOIN report_episodes e ON e.run = t.run AND e.key = t.episode
WHERE e.phase = 'test' AND e.method = ? AND e.agent_model = ? AND t.cause <> ''
GROUP BY t.cause ORDER BY count(*) DESC, t.cause LIMIT 1
"""
"""Why the replies of a method in tests could not be read, most often."""


def findings(data: ReportData) -> tuple[str, ...]:
    """All findings, the most serious first."""
    return (
        *limits_reached(data),
        *failed_episodes(data),
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
    """Why no candidate of these trials could be created, or win: the distinct reasons with their numbers."""
    rows = connection.execute(
        "SELECT DISTINCT trial, iteration, candidate, uncreated, excluded FROM candidates WHERE trial IN "
        "(SELECT unnest(?))",
        [list(trials)],
    ).fetchall()
    reasons = Counter(_first_line(uncreated) for *_, uncreated, _ in rows if uncreated)
    excluded = Counter(why for *_, why in rows if why)
    if not rows:
        return "the learner made no candidate."
    told = [
        f"{why.total()} of {len(rows)} candidates could not {what} ({_counted(why)})"
        for what, why in (("be created", reasons), ("win", excluded))
        if why
    ]
    return f"{'; '.join(told)}." if told else f"none of {len(rows)} candidates was an improvement."


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
            + _why_unreadable(data, row)
        )
    return found


def _why_unreadable(data: ReportData, method: Mapping[str, Any]) -> str:
    """`method`: a row of UNREADABLE."""
    model = method["agent_model"]
    row = dictionaries(data.connection, REPLIES, [method["method"], model])[0]
    number, limit = row["all"], row["max_tokens"] or row["max_completion_tokens"]
    most = max(("cut", "tool_calls", "empty"), key=lambda name: row[name])
    if not number or row[most] < MOSTLY / 2 * number:
        example = show_command(method["run"][:RUN_CHARS], data.results, method["example"][:12])
        causes = dictionaries(data.connection, CAUSE, [method["method"], model])
        often = f" (most often: {causes[0]['cause'].replace('_', ' ')})" if causes else ""
        return f"the model does not answer in the form that the prompt asks for{often}; see {example}"
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


# Failed episodes ------------------------------------------------------------------------------------------


def limits_reached(data: ReportData) -> list[str]:
    """The limits at which the run stopped, with the episodes that had not ended."""
    rows = data.connection.execute(
        """SELECT reason FROM trials WHERE status <> 'done' AND reason IS NOT NULL
        UNION SELECT error FROM attempts
        WHERE unit NOT IN (SELECT key FROM episodes) AND unit NOT IN (SELECT key FROM requests)"""
    ).fetchall()
    limits = sorted({found[0] for (text,) in rows if (found := LIMIT.search(_first_line(text)))})
    unfinished = sum(data.unfinished.values())
    return [
        f"The run stopped at a limit, with {unfinished} test episodes not finished: {limit}"
        for limit in limits
    ]


def failed_episodes(data: ReportData) -> list[str]:
    """Episodes of which every try failed: the distinct causes with numbers, and what to do."""
    causes: Counter[str] = Counter()
    boundaries: Counter[tuple[str, str]] = Counter()
    for row in dictionaries(data.connection, FAILED):
        error = _first_line(row["error"])
        if not LIMIT.search(error):
            causes[f"{row['boundary']}: {error}"] += row["number"]
            boundaries[row["boundary"], row["model"]] += row["number"]
    if not causes:
        return []
    (boundary, model), _ = boundaries.most_common(1)[0]
    way_out = WAYS_OUT[boundary].format(check_model=check_model_command(data.connection, model))
    return [f"{causes.total()} episodes failed in every try: {_counted(causes)}. {way_out}"]


WAYS_OUT = {
    "provider": "Check the endpoint: {check_model}. The same command again then tries these episodes again.",
    "sandbox": "Check the sandbox: learnact doctor. The same command again then tries these episodes again.",
    "environment": "The engine of the domain failed; the same command again tries these episodes again.",
    "harness": "The same command again tries these episodes again.",
}
"""What to do about failures, by boundary."""


def _first_line(text: str) -> str:
    line = printable(next((one for one in (text or "").split("\n") if one.strip()), "")).strip()
    return line if len(line) <= CAUSE_CHARS else line[: CAUSE_CHARS - 4] + " ..."


def _counted(reasons: Counter[str]) -> str:
    """The most frequent reasons with their numbers, and how many more there are."""
    shown = [f"{number} x {reason}" for reason, number in reasons.most_common(CAUSES_SHOWN)]
    more = len(reasons) - len(shown)
    return "; ".join(shown) + (f"; and {more} other reasons" if more else "")
