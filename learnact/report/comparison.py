"""`learnact compare`: one method, model, variant or run minus another, and how sure that is.

Success is compared in full: both kinds of interval, p-values, tasks won and lost, what this design could have
shown, and what the difference that was seen would need. Progress, turns, tokens and dollars follow, paired in
the same way. docs/statistics.md says how each number is made.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from learnact.errors import ResultsError
from learnact.report.compared_sides import (
    REASONS,
    ComparedSide,
    Obstacle,
    SideGroup,
    matched_groups,
    obstacles,
)
from learnact.report.data import ALL, ReportData
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.statistics.differences import Difference, difference
from learnact.statistics.intervals import ENOUGH_LIBRARIES, Scope
from learnact.statistics.power import POWER, DesignNeed, designs_for, variances
from learnact.statistics.significance import (
    deciding_p,
    deciding_scope,
    holm,
    mcnemar,
    permute_libraries,
    permute_tasks,
)

ANY = (-math.inf, math.inf)
MEASURES: dict[str, tuple[float, float]] = {
    "success": (-1.0, 1.0),
    "progress": (-1.0, 1.0),
    "turns": ANY,
    "tokens": ANY,
    "dollars": ANY,
}
"""What is compared, and what a difference in it can be at most; each is a column of EPISODES."""


@dataclass(frozen=True)
class ComparedMethods:
    """The episodes of two groups on a domain, or on all of them."""

    names: tuple[str, str]
    domain: str
    first: Sequence[Mapping[str, Any]]
    second: Sequence[Mapping[str, Any]]
    simulated: bool

    def difference(self, measure: str) -> Difference | None:
        """First minus second in a measure; None where an episode has no value (a price is not known)."""
        sides = [_outcomes(side, measure) for side in (self.first, self.second)]
        if any(
            len(outcomes) < len(side) for outcomes, side in zip(sides, (self.first, self.second), strict=True)
        ):
            return None
        return difference(sides[0], sides[1], MEASURES[measure])

    @cached_property
    def success(self) -> Difference:
        """The difference in success."""
        return difference(_outcomes(self.first, "success"), _outcomes(self.second, "success"))

    def mean(self, side: Sequence[Mapping[str, Any]], measure: str) -> float:
        """The mean of one side over the tasks that both played, each task counting the same."""
        groups: dict[str, list[float]] = {}
        shared = {e["task_hash"] for e in self.first} & {e["task_hash"] for e in self.second}
        for episode in side:
            if episode["task_hash"] in shared:
                groups.setdefault(episode["task_hash"], []).append(episode[measure])
        means = [sum(values) / len(values) for values in groups.values()]
        return sum(means) / len(means) if means else math.nan

    @property
    def scope(self) -> Scope:
        """What its p-value speaks of: the method where there are libraries enough, else these libraries."""
        return deciding_scope(self.success)

    @property
    def p_value(self) -> float:
        """The p-value that several comparisons are corrected by."""
        return deciding_p(self.success)


def _outcomes(episodes: Iterable[Mapping[str, Any]], measure: str) -> list[tuple[str, str, int, float]]:
    return [(e["task_hash"], e["learned"], e["seed"], e[measure]) for e in episodes if e[measure] is not None]


@dataclass(frozen=True)
class ComparisonResult:
    """All comparisons that were asked for, with what differs beside what was asked for (allowed)."""

    rows: tuple[ComparedMethods, ...]
    allowed: tuple[str, ...] = ()
    told: tuple[str, ...] = field(default=())
    """What is compared, where that is more than a name: settings that differ."""


def compare(
    data: ReportData,
    sides: Sequence[ComparedSide],
    by_domain: bool = False,
    allow: Collection[str] = (),
) -> ComparisonResult:
    """The first side minus each other one.

    `allow`: reasons of `REASONS` that may differ. Raises `ResultsError` for sides that are not comparable.
    """
    rows: list[ComparedMethods] = []
    found: dict[Obstacle, None] = {}
    first, *others = sides
    for other in others:
        for groups in matched_groups(data, first, other):
            pair = first.groups[groups[0]], other.groups[groups[1]]
            found |= dict.fromkeys(obstacles(data, *pair, {first.kind, other.kind}))
            rows += _rows(data, (first, other), groups, by_domain)
    refused = [one for one in found if one.reason and one.reason not in allow]
    if refused or not any(row.success.known for row in rows):
        reasons = "\n".join(f"  {one.reason}: {one.text}" for one in refused) or "  tasks: none in common"
        names = sorted({one.reason for one in refused if one.reason and one.reason != "tasks"})
        way_out = " ".join(f"--allow {name}" for name in names)
        raise ResultsError(
            f"{first.name} and {' and '.join(o.name for o in others)} are not comparable:\n{reasons}\n"
            + (
                f"{way_out} compares them all the same, and says so"
                if way_out
                else "test them on the same tasks"
            )
        )
    return ComparisonResult(
        tuple(row for row in rows if row.success.known),
        tuple(f"{one.reason}: {one.text}" for one in found if one.reason),
        tuple(one.text for one in found if not one.reason),
    )


def _rows(
    data: ReportData,
    sides: tuple[ComparedSide, ComparedSide],
    groups: tuple[SideGroup, SideGroup],
    by_domain: bool,
) -> list[ComparedMethods]:
    pair = tuple(list(side.groups[group]) for side, group in zip(sides, groups, strict=True))
    names = tuple(_name(data, side, group) for side, group in zip(sides, groups, strict=True))
    common = sorted({e["place"] for e in pair[0]} & {e["place"] for e in pair[1]})
    domains: list[tuple[str, list[str]]] = [(ALL, common)]
    if by_domain:
        labels = {e["place"]: e["domain"] for e in pair[0]}
        domains = [*((labels[place], [place]) for place in common), *(domains if len(common) > 1 else ())]
    found = []
    for label, places in domains:
        one, two = ([e for e in side if e["place"] in places] for side in pair)
        simulated = any(e["simulated"] for e in (*one, *two)) or bool(
            {g.learner_model for g in groups} & data.simulated_models
        )
        found.append(ComparedMethods((names[0], names[1]), label, one, two, simulated))
    return found


def _name(data: ReportData, side: ComparedSide, group: SideGroup) -> str:
    """What a side is called: as it was given, with the method or model where that says more."""
    if side.kind == "method":
        return group.method if ":" not in side.name else side.name
    if len(side.groups) == 1 and side.kind != "run":
        return side.name
    return f"{side.name}, {data.methods.plain.get(group.method, group.method)}"


# Tables -----------------------------------------------------------------------------------------------------

SUCCESS_NOTES = (
    "Difference: first minus second, paired by task and, where both share seeds, by repeat; 95 % intervals "
    "for these libraries on other tasks, with the p-value of a permutation of tasks. Of the method: for "
    f"other libraries and tasks, with the p-value of Student's t; ? below {ENOUGH_LIBRARIES} libraries: not "
    "to be trusted.",
    "Won, lost, tied: tasks on which the first did better, worse, or the same.",
)
DESIGN_NOTES = (
    f"Smallest: the difference that {POWER:.0%} of all repetitions of this experiment would show, for these "
    "libraries and for the method (-: none, not even 100 %). Needed: what would show the difference that was "
    "seen.",
)


def comparison_tables(result: ComparisonResult) -> list[ResultTable]:
    """Success, what the design can show, and the other measures."""
    return [_success(result), _design(result), _measures(result)]


def _success(result: ComparisonResult) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    corrected = holm([row.p_value for row in result.rows])
    for row, adjusted in zip(result.rows, corrected, strict=True):
        found, by_library = row.success, permute_libraries(row.success)
        exact = mcnemar(found)
        signs = [round(value, 12) for value in found.by_task.values()]
        rows.append(
            (
                *row.names,
                row.domain,
                row.mean(row.first, "success"),
                row.mean(row.second, "success"),
                found.tasks,
                permute_tasks(found).p_value,
                found.method,
                found.p_value("method"),
                by_library.p_value if by_library else None,
                by_library.least if by_library else None,
                exact.first_only if exact else None,
                exact.second_only if exact else None,
                exact.p_value if exact else None,
                adjusted,
                sum(value > 0 for value in signs),
                sum(value < 0 for value in signs),
                sum(value == 0 for value in signs),
                len(found.pairs),
                "seed" if found.by_repeat else "task",
            )
        )
    tested_exactly = any(row[13] is not None for row in rows)
    columns = (
        Column("first"),
        Column("second"),
        Column("domain"),
        Column("first success", "share"),
        Column("second success", "share"),
        Column("difference", "difference"),
        Column("p", "p"),
        Column("of the method", "difference", over="libraries"),
        Column("p of the method", "p"),
        Column("p by libraries", "p", only_data=True),
        Column("least p by libraries", "p", only_data=True),
        Column("solved by first alone", "count", only_data=not tested_exactly),
        Column("solved by second alone", "count", only_data=not tested_exactly),
        Column("McNemar p", "p", only_data=not tested_exactly),
        Column("Holm p", "p", only_data=len(rows) < 2),
        Column("won", "count"),
        Column("lost", "count"),
        Column("tied", "count"),
        Column("pairs", "count", only_data=True),
        Column("paired by", only_data=True),
    )
    several = (
        f"Holm: p-values corrected for {len(rows)} comparisons (of the method where it has libraries enough, "
        "else of these libraries).",
    )
    notes = (
        *_verdicts(result),
        *SUCCESS_NOTES,
        *(several if len(rows) > 1 else ()),
        *(f"Compared: {text}." for text in result.told),
        *(f"Not comparable, but allowed: {text}." for text in result.allowed),
        *_left_out(result),
    )
    table = ResultTable("Success: first minus second", columns, tuple(rows), notes)
    return table.mark_simulated([row.simulated for row in result.rows])


def _verdicts(result: ComparisonResult) -> list[str]:
    """Each comparison in a sentence."""
    found = []
    corrected = holm([row.p_value for row in result.rows])
    for row, p in zip(result.rows, corrected, strict=True):
        found_interval = row.success.method if row.scope == "method" else row.success.tasks
        place = "" if row.domain == ALL else f" on {row.domain}"
        sure = not (found_interval.low <= 0 <= found_interval.high) and p < 0.05
        more = "more" if found_interval.mean > 0 else "fewer"
        said = f"{row.names[0]} solves {more} tasks than {row.names[1]}" if sure else "no difference is shown"
        speaks = "other libraries and tasks" if row.scope == "method" else "these libraries on other tasks"
        if not row.success.libraries:
            speaks = "other tasks"
        low, high = 100 * found_interval.low, 100 * found_interval.high
        found.append(
            f"{row.names[0]} minus {row.names[1]}{place}: {said}: {100 * found_interval.mean:+.1f} points "
            f"({low:+.0f} to {high:+.0f}), for {speaks}."
        )
    return found


def _left_out(result: ComparisonResult) -> list[str]:
    """Tasks and episodes without a partner."""
    found = []
    for row in result.rows:
        one, two = ({e["task_hash"] for e in side} for side in (row.first, row.second))
        if one != two:
            found.append(
                f"{', '.join(row.names)} on {row.domain}: {len(one & two)} tasks were played by both; "
                f"{len(one - two)} by the first alone and {len(two - one)} by the second alone are left out."
            )
    return found


def _design(result: ComparisonResult) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for row in result.rows:
        found = row.success
        domains = len({e["place"] for e in row.first})
        libraries = max(1, found.libraries) * domains
        spread, alone, tasks = variances(found), variances(found, "tasks"), len(found.by_task)
        several = tasks > 1 and found.libraries != 1
        rows.append(
            (
                *row.names,
                row.domain,
                tasks,
                found.libraries,
                _possible(alone.smallest(tasks, 1)) if tasks > 1 else None,
                _possible(spread.smallest(tasks, libraries)) if several else None,
                alone.tasks_for(abs(found.mean), 1),
                needed_text(designs_for(spread, found.mean, found.libraries, domains)) if several else None,
            )
        )
    columns = (
        Column("first"),
        Column("second"),
        Column("domain"),
        Column("tasks", "count"),
        Column("libraries", "count"),
        Column("smallest", "share"),
        Column("smallest of the method", "share"),
        Column("tasks needed", "count"),
        Column("needed for the method"),
    )
    table = ResultTable("What this design can show", columns, tuple(rows), DESIGN_NOTES)
    return table.mark_simulated([row.simulated for row in result.rows])


def needed_text(needs: Sequence[DesignNeed]) -> str | None:
    """Designs in words, those that more libraries do not make smaller left out."""
    told: list[DesignNeed] = []
    for need in needs:
        if need.tasks is not None and (not told or need.tasks < (told[-1].tasks or 0)):
            told.append(need)
    if not told:
        return f"not with {needs[-1].libraries} libraries" if needs and needs[-1].libraries else None
    return "; ".join(
        f"{need.libraries} libraries: {need.tasks} tasks" if need.libraries else f"{need.tasks} tasks"
        for need in told
    )


def _possible(smallest: float) -> float | None:
    """A smallest difference that success can have; None where even the whole range would not show."""
    return smallest if smallest <= 1 else None


def _measures(result: ComparisonResult) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    marks = []
    for row in result.rows:
        for measure in MEASURES:
            if measure == "success":
                continue
            found = row.difference(measure)
            means: tuple[Cell, ...] = (None, None)
            if found is not None:
                means = (row.mean(row.first, measure), row.mean(row.second, measure))
            rows.append(
                (
                    *row.names,
                    row.domain,
                    measure,
                    *means,
                    found.tasks if found else None,
                    permute_tasks(found).p_value if found else None,
                    found.method if found else None,
                )
            )
            marks.append(row.simulated)
    columns = (
        Column("first"),
        Column("second"),
        Column("domain"),
        Column("measure"),
        Column("first's mean", "number"),
        Column("second's mean", "number"),
        Column("difference", "number"),
        Column("p", "p"),
        Column("of the method", "number", over="libraries"),
    )
    notes = ("An episode's, paired as success is; progress from 0 to 1; dollars where all prices are known.",)
    return ResultTable("An episode's cost: first minus second", columns, tuple(rows), notes).mark_simulated(
        marks
    )


def check_reasons(allow: Iterable[str]) -> None:
    """Raise `ResultsError` for a reason that there is not."""
    for reason in allow:
        if reason not in REASONS:
            raise ResultsError(f"--allow {reason}: no such reason; there are: {', '.join(REASONS)}")
