"""What learning and acting cost by method: calls, tokens, dollars, turns, primitive steps, and success for the money. The paper leaves this out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.played import Trial, learner_is_simulated, order_of_methods, trials
from learnact.report.sheet import Cell, Column, Sheet
from learnact.results.reader import Connection

_UNITS = """
SELECT trial, phase, key, success, turns, primitive_steps, prompt_tokens, completion_tokens, cost, simulated, calls
FROM (
    SELECT run, trial, phase, key, success, turns, primitive_steps, prompt_tokens, completion_tokens, cost, simulated,
           CASE WHEN model = '' THEN 0 ELSE COALESCE(made.number, 0) END AS calls
    FROM episodes LEFT JOIN (SELECT run AS run_, unit, count(*) AS number FROM calls GROUP BY ALL) made
      ON made.run_ = episodes.run AND made.unit = episodes.key
    UNION ALL
    SELECT run, trial, 'learn', key, false, 0, 0, prompt_tokens, completion_tokens, cost, simulated, calls FROM requests
) QUALIFY row_number() OVER (PARTITION BY key ORDER BY run) = 1 ORDER BY trial, phase, key
"""


@dataclass
class Spent:
    """What was spent on some units. `dollars` None as soon as one unit has no price."""

    units: int = 0
    successes: int = 0
    calls: int = 0
    tokens: int = 0
    turns: int = 0
    steps: int = 0
    dollars: float | None = 0.0
    simulated: bool = False

    def add(
        self,
        success: bool,
        turns: int,
        steps: int,
        prompt: int,
        completion: int,
        cost: float | None,
        simulated: bool,
        calls: int,
    ) -> None:
        """Count a unit."""
        self.units += 1
        self.successes += success
        self.calls += calls
        self.tokens += prompt + completion
        self.turns += turns
        self.steps += steps
        self.dollars = None if cost is None or self.dollars is None else self.dollars + cost
        self.simulated |= simulated


def spent(connection: Connection) -> dict[tuple[str, str], Spent]:
    """By trial and phase; a learner's requests count as learning."""
    found: dict[tuple[str, str], Spent] = defaultdict(Spent)
    for trial, phase, _, *unit in connection.execute(_UNITS).fetchall():
        found[trial, phase].add(*unit)
    return found


def cost_sheets(connection: Connection) -> list[Sheet]:
    """Cost of learning (per trial) and of acting (per test episode) by domain and method."""
    known, found = trials(connection), spent(connection)
    place = order_of_methods(connection)
    groups: dict[tuple[str, str, str], list[Trial]] = defaultdict(list)
    for trial in known.values():
        groups[trial.domain, trial.agent_model, trial.method].append(trial)
    rows: list[tuple[Cell, ...]] = []
    for key in sorted(groups, key=lambda k: (k[0], k[1], place.get(k[2], 99))):
        rows.append((*key, *_row(groups[key], found)))
    columns = (
        Column("domain"),
        Column("agent model"),
        Column("method"),
        Column("learn calls", "count"),
        Column("learn tokens", "count"),
        Column("learn", "dollars"),
        Column("learn steps", "count"),
        Column("test calls", "number"),
        Column("test tokens", "count"),
        Column("test", "dollars"),
        Column("test turns", "number"),
        Column("test steps", "number"),
        Column("success", "share"),
        Column("successes/$ acting", "number"),
        Column("successes/$ all", "number"),
    )
    notes = (
        "Learning: per trial (requests of the learner and training episodes). Test: per test episode. Steps: primitive steps. "
        "- where a model has no price.",
        "Successes/$ all: test successes over the cost of learning and testing together; more tests would raise it.",
    )
    simulated = learner_is_simulated(connection) or any(s.simulated for s in found.values())
    return [Sheet("Cost of learning and of acting", columns, tuple(rows), notes, simulated)]


def _row(members: Sequence[Trial], found: dict[tuple[str, str], Spent]) -> tuple[Cell, ...]:
    learn, test = _sum(members, found, "learn"), _sum(members, found, "test")
    trials_, episodes = len(members), test.units
    both = None if learn.dollars is None or test.dollars is None else learn.dollars + test.dollars
    return (
        learn.calls / trials_,
        learn.tokens / trials_,
        _over(learn.dollars, trials_),
        learn.steps / trials_,
        _over(test.calls, episodes),
        _over(test.tokens, episodes),
        _over(test.dollars, episodes),
        _over(test.turns, episodes),
        _over(test.steps, episodes),
        _over(test.successes, episodes),
        _over(test.successes, test.dollars),
        _over(test.successes, both),
    )


def _over(value: float | None, number: float | None) -> float | None:
    return value / number if value is not None and number else None


def _sum(members: Sequence[Trial], found: dict[tuple[str, str], Spent], phase: str) -> Spent:
    total = Spent()
    for trial in members:
        part = found.get((trial.trial, phase))
        if part is None:
            continue
        total.units += part.units
        total.successes += part.successes
        total.calls += part.calls
        total.tokens += part.tokens
        total.turns += part.turns
        total.steps += part.steps
        total.dollars = (
            None if part.dollars is None or total.dollars is None else total.dollars + part.dollars
        )
        total.simulated |= part.simulated
    return total
