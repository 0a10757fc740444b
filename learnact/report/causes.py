"""Where the difference between two methods comes from, by what was learned and by what was done with it.

Episodes are compared in pairs of the same domain, agent model, task and repeat. A pair is won if the method
alone solved its task, lost if the other alone did; the difference in success is the share of won pairs minus
that of lost pairs. Each table accounts for all of it: by the step of learning at which the two libraries
parted, and by where the turns of the loser went. The account is made in SQL (causes.sql); here is which
methods are compared, and the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count, product
from typing import Any, NamedTuple

from learnact.methods.learnact import LEARNACT
from learnact.report.ablation import SWITCHES, switched_off
from learnact.report.commands import RUN_CHARS, show_command
from learnact.report.data import ReportData, RowKey, TrialRow
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns
from learnact.results.reader import Connection, dictionaries
from learnact.statistics.differences import Difference, difference
from learnact.statistics.intervals import ENOUGH_LIBRARIES, Interval, clustered_mean

OUTCOMES = ("won", "lost")
CAUSES = {
    "ended early": "the loser's episode ended before its turns were used up (a program that ended)",
    "failed calls": "calls of learned actions that failed",
    "invalid actions": "other actions that were not valid",
    "no action": "thoughts and unreadable replies",
    "fewer steps a turn": "valid actions, since the winner's learned calls packed more steps into a turn",
    "detours": "valid actions, since the loser made more steps (or as many) and was not at the goal",
}
"""Why a loser lost where the winner won, in the order in which ties are decided; what each means in words."""

COMPARED = (
    "Each variant of LearnAct minus LearnAct in full, then LearnAct in full minus each other method, in "
    "pairs of the same task and repeat. Won: the method alone solved the task; lost: the other alone did. "
    "Shares are of all pairs, every task weighing the same."
)
ACCOUNT = "The rows of a comparison and domain add up to its difference: won minus lost."
TURNS = (
    "Won and lost by where the turns of the one that lost went, which the winner did not need (the kind of "
    "turn that it had most more of): "
    + "; ".join(f"{name}: {meaning}" for name, meaning in CAUSES.items())
    + ". It says where the turns went, not what would have happened otherwise."
)
NOTHING_TO_COMPARE = (
    "Nothing to compare: these runs hold no two methods with finished episodes of the same task and repeat."
)
ROW = "method, minus, agent_model, learner_model, domain"
"""The columns of causes.sql that say which row of the tables a pair counts in."""


class Comparison(NamedTuple):
    """One method minus another."""

    method: str
    minus: str


@dataclass(frozen=True)
class ComparedRow:
    """A comparison with a pair of models on a domain (or all): one row of `report_compared` in causes.sql.

    The sequences have one value for each pair.
    """

    comparison: Comparison
    key: RowKey
    """The row that the first method's episodes count in."""
    pairs: int
    unpaired: int
    same_play: float
    repeats_differ: float | None
    simulated: bool
    tasks: Sequence[str]
    first_trials: Sequence[str]
    """The trial of each pair's first episode; "" where its method learns nothing."""
    first_success: Sequence[bool]
    second_trials: Sequence[str]
    second_success: Sequence[bool]
    items: Sequence[str]
    """Outcome and cause of each pair."""

    @property
    def difference(self) -> Difference:
        """Success of the first method minus that of the second: the share of won pairs minus that of lost."""
        return difference(
            zip(self.tasks, self.first_trials, count(), map(float, self.first_success), strict=False),
            zip(self.tasks, self.second_trials, count(), map(float, self.second_success), strict=False),
        )

    def share(self, item: str) -> Interval:
        """Share of the pairs with this outcome and cause, every task weighing the same."""
        return clustered_mean(
            (task, float(i == item)) for task, i in zip(self.tasks, self.items, strict=True)
        )


def cause_tables(data: ReportData) -> list[ResultTable]:
    """The account by libraries, the account by turns, and every item of the latter."""
    rows = compare_episodes(data)
    return [_libraries(data.connection, rows), _turns(rows), _items(data, rows)]


def comparisons(data: ReportData) -> list[Comparison]:
    """Which methods are compared.

    Each variant of LearnAct minus LearnAct in full, and LearnAct in full minus each other method; where a run
    has no LearnAct in full, each method minus the first.
    """
    trials = sorted(data.trials.values(), key=lambda trial: (data.place_of(trial.method), trial.method))
    methods = list(dict.fromkeys(trial.method for trial in trials))
    learned = {t.method: switched_off(t) for t in trials if t.learner == LEARNACT.name}
    full = next((method for method, off in learned.items() if not off), None)
    if full is None:
        return [Comparison(method, methods[0]) for method in methods[1:]]
    variants = [Comparison(method, full) for method, off in learned.items() if off]
    return variants + [Comparison(full, m) for m in methods if m != full and not learned.get(m)]


def compare_episodes(data: ReportData) -> list[ComparedRow]:
    """Pair the test episodes of all comparisons; leaves `report_pairs` in the connection."""
    found = comparisons(data)
    connection = data.connection
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE report_comparisons AS
        SELECT unnest(CAST($methods AS TEXT[])) AS method, unnest(CAST($minus AS TEXT[])) AS minus,
               unnest(CAST($places AS INT[])) AS place""",
        {
            "methods": [c.method for c in found],
            "minus": [c.minus for c in found],
            "places": list(range(len(found))),
        },
    )
    trials = list(data.trials.values())
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE report_trials AS
        SELECT unnest(CAST($trials AS TEXT[])) AS trial, unnest(CAST($runs AS TEXT[][])) AS runs,
               unnest(CAST($shown_less AS TEXT[])) AS shown_less""",
        {
            "trials": [trial.trial for trial in trials],
            "runs": [list(trial.runs) for trial in trials],
            "shown_less": [_shown_less(trial) for trial in trials],
        },
    )
    connection.execute(read_sql("turn_kinds") + read_sql("causes"))
    rows = dictionaries(
        connection,
        "SELECT * FROM report_compared "
        "ORDER BY comparison, agent_model, learner_model, domain = 'all', domain",
    )
    return [_compared_row(row, data) for row in rows]


def read_sql(name: str) -> str:
    """A file of SQL beside this module."""
    return (files("learnact.report") / f"{name}.sql").read_text(encoding="utf-8")


def first_difference(connection: Connection, first: str, second: str) -> int | None:
    """The first turn (from 0) in which two episodes differ, by their keys; None where they are the same."""
    connection.execute(read_sql("turn_kinds"))
    found = connection.execute(
        """WITH moves AS (SELECT DISTINCT ON (episode, turn) episode, turn, move FROM report_turns
                       WHERE episode IN ($first, $second) ORDER BY episode, turn, run)
        SELECT min(turn) FROM (SELECT turn, move FROM moves WHERE episode = $first) a
        FULL JOIN (SELECT turn, move FROM moves WHERE episode = $second) b USING (turn)
        WHERE a.move IS DISTINCT FROM b.move""",
        {"first": first, "second": second},
    ).fetchone()
    return found[0] if found else None


def _shown_less(trial: TrialRow) -> str:
    """What the agent is not shown of its library, by name of switch."""
    return ", ".join(name for name in switched_off(trial) if SWITCHES[name][1] == "6")


def _compared_row(row: dict[str, Any], data: ReportData) -> ComparedRow:
    key = RowKey(row.pop("domain"), row["method"], row.pop("agent_model"), row.pop("learner_model"))
    row["simulated"] = row["simulated"] or key.learner_model in data.simulated_models
    for side in ("first_trials", "second_trials"):
        row[side] = [data.learned_in(trial) for trial in row[side]]
    del row["comparison"]
    return ComparedRow(Comparison(row.pop("method"), row.pop("minus")), key, **row)


def _table(
    title: str,
    columns: Iterable[Column],
    compared: Iterable[ComparedRow],
    rows: Sequence[tuple[ComparedRow, Sequence[Cell]]],
    notes: Iterable[str],
) -> ResultTable:
    """A table whose rows begin with what is compared. `rows`: the compared row, and the cells after that."""
    models = ModelColumns(row.key for row in compared)
    head = (Column("method"), Column("minus"), Column("domain"), *models.columns)
    cells = tuple((*row.comparison, row.key.domain, *models.cells(row.key), *others) for row, others in rows)
    all_notes = (*notes, *models.notes, *(() if rows else (NOTHING_TO_COMPARE,)))
    table = ResultTable(title, (*head, *columns), cells, all_notes)
    return table.mark_simulated([row.simulated for row, _ in rows])


def _grouped(
    connection: Connection, columns: str, values: str, where: str = "true"
) -> dict[tuple[Comparison, RowKey], list[dict[str, Any]]]:
    """The pairs of each compared row, grouped by further columns and in their order."""
    found: dict[tuple[Comparison, RowKey], list[dict[str, Any]]] = {}
    for row in dictionaries(
        connection,
        f"SELECT {ROW}, {columns}, {values} FROM report_pairs WHERE {where} "
        f"GROUP BY {ROW}, {columns} ORDER BY {columns}",
    ):
        method = row.pop("method")
        comparison = Comparison(method, row.pop("minus"))
        key = RowKey(row.pop("domain"), method, row.pop("agent_model"), row.pop("learner_model"))
        found.setdefault((comparison, key), []).append(row)
    return found


# By what was learned ----------------------------------------------------------------------------------------


def _libraries(connection: Connection, compared: Sequence[ComparedRow]) -> ResultTable:
    """One row for each step at which libraries parted, and what it adds to the difference."""
    found = _grouped(
        connection,
        "parted_at, first_step, second_step, libraries",
        """count(DISTINCT (first.trial, second.trial)), count(*), avg(CAST(same_play AS INT)),
        coalesce(sum(weight) FILTER (outcome = 'won'), 0.0) AS won,
        coalesce(sum(weight) FILTER (outcome = 'lost'), 0.0) AS lost""",
    )
    rows = [
        (row, (*group.values(), group["won"] - group["lost"]))
        for row in compared
        for group in found.get((row.comparison, row.key), ())
    ]
    columns = (
        Column("parted at"),
        Column("method's step"),
        Column("other's step"),
        Column("libraries in the end"),
        Column("pairs of trials", "count"),
        Column("pairs", "count"),
        Column("same play", "share"),
        Column("won", "share"),
        Column("lost", "share"),
        Column("difference", "difference"),
    )
    notes = (
        COMPARED,
        ACCOUNT,
        "Parted at: the first step of learning after which the two trials held different libraries, and "
        "what won there on either side: a proposal, an update, a note, or the library that was there (kept, "
        "or stopped where there was nothing more to learn from).",
        "In the end: the same library, the same functions with other words (descriptions, notes, usage "
        "example), or other functions. Same play: share of these pairs in which both episodes are the same, "
        "turn by turn.",
    )
    return _table("Causes 1: where the libraries parted", columns, compared, rows, notes)


# By what was done -------------------------------------------------------------------------------------------


def _turns(compared: Sequence[ComparedRow]) -> ResultTable:
    """One row for each comparison and domain: the difference, and its items."""
    seen = {item for row in compared for item in row.items}
    items = [(o, c) for o, c in product(OUTCOMES, CAUSES) if f"{o}, {c}" in seen]
    rows = [
        (
            row,
            (
                row.pairs,
                row.unpaired,
                row.same_play,
                row.repeats_differ,
                row.difference.tasks,
                row.difference.method,
                *(row.share(f"{outcome}, {cause}").mean for outcome, cause in items),
            ),
        )
        for row in compared
    ]
    columns = (
        Column("pairs", "count"),
        Column("unpaired", "count"),
        Column("same play", "share"),
        Column("repeats differ", "share"),
        Column("difference", "difference"),
        Column("difference of the method", "difference", over="libraries"),
        *(Column(f"{outcome}: {cause}", "share") for outcome, cause in items),
    )
    notes = (
        COMPARED,
        "Difference: the sum of all that is won minus the sum of all that is lost; its interval is for these "
        f"libraries on other tasks. Of the method: for other libraries and tasks; ? below {ENOUGH_LIBRARIES} "
        "libraries, where it is not to be trusted. Unpaired: finished episodes whose partner has no result.",
        "Repeats differ: of two repeats of the other method on the same task, how often was one solved and "
        "one not? As much of won plus lost comes by chance (and, where that method learns, from its several "
        "libraries).",
        TURNS,
    )
    return _table("Causes 2: where the loser's turns went", columns, compared, rows, notes)


def _example_note(data: ReportData, items: Iterable[dict[str, Any]]) -> str:
    """How an example is opened: the command for the first one whose episodes are of one run."""
    note = "Example: two episodes, the method's and the other's"
    for example in (item["example"] for item in items):
        if example["run"] == example["other"]:
            command = show_command(example["run"][:RUN_CHARS], data.results, *example["keys"])
            return f"{note}; open both: {command}"
    return f"{note}."


def _items(data: ReportData, compared: Sequence[ComparedRow]) -> ResultTable:
    """One row for each item of the account, with interval and example."""
    found = _grouped(
        data.connection,
        "outcome, cause",
        """count(*) AS pairs, count(*) FILTER (calls_changed) AS calling,
        quantile_disc(parted_turn, 0.5) AS parted_turn,
        list(moves_there) FILTER (parted_turn IS NOT NULL) AS moves_there,
        flatten(list(failures)) AS failures,
        first({run: first.run, other: second.run, keys: [left(first.key, 8), left(second.key, 8)]}
              ORDER BY len(first.moves) + len(second.moves), first.key, second.key) AS example""",
        where="cause IS NOT NULL",
    )
    rows: list[tuple[ComparedRow, Sequence[Cell]]] = []
    rows_of_items = [item for row in compared for item in found.get((row.comparison, row.key), ())]
    for row in compared:
        items = {(i["outcome"], i["cause"]): i for i in found.get((row.comparison, row.key), ())}
        for outcome, cause in product(OUTCOMES, CAUSES):
            item = items.get((outcome, cause))
            if item is None:
                continue
            cells = (
                outcome,
                cause,
                item["pairs"],
                item["calling"],
                row.share(f"{outcome}, {cause}"),
                item["parted_turn"],
                _most_frequent(item["moves_there"] or ()),
                _most_frequent(item["failures"]),
                " ".join(item["example"]["keys"]),
            )
            rows.append((row, cells))
    columns = (
        Column("outcome"),
        Column("cause"),
        Column("pairs", "count"),
        Column("calling what differs", "count"),
        Column("share", "share"),
        Column("parted in turn", "count"),
        Column("most often there"),
        Column("loser's failures"),
        Column("example"),
    )
    notes = (
        INTERVALS,
        "Calling what differs: pairs in which either side called a learned action that differs between the "
        "two libraries, in code, description or notes. In the others the difference between the libraries "
        "can have acted through the prompt alone.",
        "Parted in turn: the median of the first turn (from 1) in which the two episodes differ, and what "
        "most often stood there: the method's move | the other's.",
        "Loser's failures: what failed most often in the loser's episodes and why, of all its failed calls "
        "and invalid actions.",
        _example_note(data, rows_of_items),
    )
    return _table("Causes 3: every item with an example", columns, compared, rows, notes)


def _most_frequent(values: Iterable[str]) -> str | None:
    """The most frequent value with its count and that of all."""
    counted = Counter(values)
    if not counted:
        return None
    value, number = min(counted.items(), key=lambda item: (-item[1], item[0]))
    return f"{value} ({number} of {counted.total()})"
