"""What learning and acting cost by method: calls, tokens, dollars, turns, primitive steps, and success for the money. The paper leaves this out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.played import (
    Group,
    Played,
    Score,
    Trial,
    order_of_methods,
    played,
    score,
    simulated_models,
    trials,
    unfinished_by_trial,
)
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, Beside, Models
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


TARGET = "learnact"
"""The method that the cost of learning of others is compared with, where no budget was matched."""


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
    """Cost of learning (per trial), then cost of acting (per test episode) with success for the money, by domain, method and models."""
    found = spent(connection)
    groups = _groups(connection)
    rates = _rates(connection, groups)
    return [_learning(groups, rates, found), _acting(groups, rates, found)]


def _groups(connection: Connection) -> dict[Group, list[Trial]]:
    """Trials by what the tables tell apart; a domain is the one that was learned on."""
    place = order_of_methods(connection)
    groups: dict[Group, list[Trial]] = defaultdict(list)
    for trial in trials(connection).values():
        groups[trial.group].append(trial)
    ordered = sorted(groups, key=lambda g: (g.domain, g.agent_model, place.get(g.method, 99), g))
    return {group: groups[group] for group in ordered}


def _rates(connection: Connection, groups: dict[Group, list[Trial]]) -> list[Score]:
    """Test success of each group, over all that its trials were tested on."""
    episodes, simulated = played(connection), simulated_models(connection)
    by_trial: dict[str, list[Played]] = defaultdict(list)
    missing: dict[str, int] = defaultdict(int)
    for episode in episodes:
        by_trial[episode.trial].append(episode)
    for (trial, _), number in unfinished_by_trial(connection, episodes).items():
        missing[trial] += number
    return [
        score(
            group,
            [episode for trial in members for episode in by_trial[trial.trial]],
            sum(missing[trial.trial] for trial in members),
            simulated,
        )
        for group, members in groups.items()
    ]


def _learning(
    groups: dict[Group, list[Trial]], rates: Sequence[Score], found: dict[tuple[str, str], Spent]
) -> Sheet:
    """Per trial: requests of the learner and training episodes. Methods that learn, and what that cost against the target."""
    kept = [rate for rate in rates if _sum(groups[rate.group], found, "learn").units]
    models = Models(rate.group for rate in rates)
    learned = {group: _sum(members, found, "learn") for group, members in groups.items()}
    rows: list[tuple[Cell, ...]] = []
    for rate in kept:
        group, all_of_it = rate.group, learned[rate.group]
        number = len(groups[group])
        target = group._replace(method=groups[group][0].matched_to or TARGET)
        its, its_number = learned.get(target, Spent()), len(groups.get(target, ()))
        calls, tokens = all_of_it.calls / number, all_of_it.tokens / number
        numbers = (
            calls,
            _over(calls, _over(its.calls, its_number)),
            tokens,
            _over(tokens, _over(its.tokens, its_number)),
            _over(all_of_it.dollars, number),
            all_of_it.turns / number,
            all_of_it.steps / number,
        )
        rows.append((group.domain, group.method, *models.cells(group), number, *numbers))
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("trials", "count"),
        Column("calls", "count"),
        Column("calls against target", "share"),
        Column("tokens", "count"),
        Column("tokens against target", "share"),
        Column("cost", "dollars"),
        Column("model turns", "count"),
        Column("primitive steps", "count"),
    )
    notes = (
        "Per trial: requests of the learner and training episodes (model turns and primitive steps are of these). - where a model has no price.",
        "Against target: the method whose budget a baseline was given (match_budget), else the one named learnact, is 100 % on the same domain with "
        "the same models. A baseline with a matched budget is near it in the unit of the match, or below it where it has nothing more to do.",
        *models.notes,
        *(() if rows else ("No method of these runs learns.",)),
    )
    return mark(Sheet("Cost of learning", columns, tuple(rows), notes), [rate.simulated for rate in kept])


def _acting(
    groups: dict[Group, list[Trial]], rates: Sequence[Score], found: dict[tuple[str, str], Spent]
) -> Sheet:
    """Per test episode, and success for the money."""
    models, beside = Models(groups), Beside(rates)
    rows: list[tuple[Cell, ...]] = []
    for rate in rates:
        learn, test = (_sum(groups[rate.group], found, phase) for phase in ("learn", "test"))
        both = None if learn.dollars is None or test.dollars is None else learn.dollars + test.dollars
        rows.append(
            (
                rate.group.domain,
                rate.group.method,
                *models.cells(rate.group),
                _over(test.calls, test.units),
                _over(test.tokens, test.units),
                _over(test.dollars, test.units),
                _over(test.turns, test.units),
                _over(test.steps, test.units),
                rate.success,
                rate.success.episodes,
                *beside.cells(rate),
                _over(test.successes, test.dollars),
                _over(test.successes, both),
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("calls", "number"),
        Column("tokens", "count"),
        Column("cost", "dollars"),
        Column("model turns", "number"),
        Column("primitive steps", "number"),
        Column("success", "share", counted=True),
        Column("episodes", "count", aside=True),
        *beside.columns,
        Column("success per $ acting", "number"),
        Column("success per $ all", "number"),
    )
    notes = (
        "Per test episode. Domain: the one that was learned on. - where a model has no price.",
        "Success per $ all: test successes over the cost of learning and testing together; more tests would raise it.",
        INTERVALS,
        *models.notes,
        *beside.notes,
    )
    return mark(Sheet("Cost of acting", columns, tuple(rows), notes), [rate.simulated for rate in rates])


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
