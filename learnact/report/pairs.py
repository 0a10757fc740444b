"""Test episodes of two methods in pairs: the same domain, agent model, task and repeat, each with its moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

from learnact.report.comparisons import Comparison, comparisons
from learnact.report.divergence import Cause, Move, cause, move, parting
from learnact.report.played import ALL, Group, Played, order_of_methods, played, trials
from learnact.results import rows
from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import Interval, clustered_mean, paired_difference

Outcome: TypeAlias = Literal["won", "lost", "both", "neither"]


@dataclass(frozen=True)
class Pair:
    """An episode of the first method and one of the second, with their moves. `limits`: turns that each may have, None if not known."""

    first: Played
    second: Played
    moves: tuple[Sequence[Move], Sequence[Move]]
    limits: tuple[int | None, int | None] = (None, None)

    @property
    def outcome(self) -> Outcome:
        """Seen from the first method: `won` if it alone solved the task, `lost` if the other alone did."""
        if self.first.success:
            return "both" if self.second.success else "won"
        return "lost" if self.second.success else "neither"

    @property
    def loser(self) -> Sequence[Move]:
        """The moves of the one that lost alone."""
        return self.moves[0] if self.outcome == "lost" else self.moves[1]

    @cached_property
    def parting(self) -> int | None:
        """The first turn in which the two differ."""
        return parting(*self.moves)

    @cached_property
    def cause(self) -> Cause | None:
        """Why the loser lost; None where both solved the task, or neither."""
        if self.outcome == "won":
            return cause(self.moves[0], self.moves[1], self.limits[1])
        if self.outcome == "lost":
            return cause(self.moves[1], self.moves[0], self.limits[0])
        return None

    @property
    def keys(self) -> tuple[str, str]:
        """The keys of both episodes."""
        return self.first.key, self.second.key


@dataclass(frozen=True)
class Paired:
    """The pairs of a comparison in a domain (or in all) with a pair of models. `alone`: finished episodes without a finished partner."""

    comparison: Comparison
    group: Group
    """What the first method's episodes count in."""
    pairs: tuple[Pair, ...]
    alone: int
    chance: Interval
    """How often two repeats of the second method on the same task differ in outcome."""

    def share(self, members: Iterable[Pair]) -> Interval:
        """Share that these have of the pairs, every task weighing the same."""
        inside = {pair.keys for pair in members}
        return clustered_mean((pair.first.task, float(pair.keys in inside)) for pair in self.pairs)

    def difference(self) -> Interval:
        """Success of the first method minus that of the second; its mean is the share of won pairs minus that of lost pairs."""
        first = [(p.first.task, p.first.trial, float(p.first.success)) for p in self.pairs]
        second = [(p.second.task, p.second.trial, float(p.second.success)) for p in self.pairs]
        return paired_difference(first, second)


def disagreement(episodes: Iterable[Played]) -> Interval:
    """Share of pairs of episodes of the same task and method, of which one was solved and the other was not."""
    tasks: dict[str, list[bool]] = defaultdict(list)
    for episode in episodes:
        tasks[episode.task].append(episode.success)
    return clustered_mean(
        (task, float(one != two)) for task, solved in tasks.items() for one, two in combinations(solved, 2)
    )


class Where(NamedTuple):
    """What two episodes of a pair have in common."""

    place: str
    agent_model: str
    task_hash: str
    test_repeat: int


def where(episode: Played) -> Where:
    """What its partner must share."""
    return Where(episode.place, episode.agent_model, episode.task_hash, episode.test_repeat)


class Episodes:
    """All test episodes with their moves, read once."""

    def __init__(self, connection: Connection) -> None:
        self.trials = trials(connection)
        self.comparisons = comparisons(self.trials.values(), order_of_methods(connection))
        self._methods: dict[str, list[Played]] = defaultdict(list)
        for episode in played(connection):
            if episode.trial in self.trials:
                self._methods[episode.method].append(episode)
        self._moves = moves(connection)
        self._limits = limits(connection)

    def paired(self, comparison: Comparison) -> list[Paired]:
        """The pairs of two methods by models and domain; over all domains, too, where there are several."""
        groups: dict[tuple[str, str], list[Played]] = defaultdict(list)
        for one in self._methods[comparison.method]:
            groups[one.agent_model, one.learner_model].append(one)
        found = []
        for models, members in sorted(groups.items()):
            domains = sorted({one.domain for one in members})
            for domain in [*domains, *([ALL] if len(domains) > 1 else [])]:
                firsts = [one for one in members if domain in (one.domain, ALL)]
                pairs, alone = self._pairs(firsts, comparison.minus)
                chance = disagreement({p.second.key: p.second for p in pairs}.values())
                group = Group(domain, comparison.method, *models)
                found.append(Paired(comparison, group, pairs, alone, chance))
        return found

    def _pairs(self, firsts: Sequence[Played], minus: str) -> tuple[tuple[Pair, ...], int]:
        places = {where(one)[:2] for one in firsts}
        seconds: dict[Where, list[Played]] = defaultdict(list)
        for two in self._methods[minus]:
            if where(two)[:2] in places and _alike(firsts[0], two):
                seconds[where(two)].append(two)
        pairs = [self._pair(one, two) for one in firsts for two in self._partners(one, seconds[where(one)])]
        partners = {p.second.key for p in pairs}
        alone = len(firsts) - len({p.first.key for p in pairs})
        return tuple(pairs), alone + sum(two.key not in partners for on in seconds.values() for two in on)

    def _partners(self, one: Played, others: Sequence[Played]) -> Sequence[Played]:
        """Those of the same run, if it has any."""
        runs = set(self.trials[one.trial].runs)
        return [two for two in others if runs & set(self.trials[two.trial].runs)] or others

    def _pair(self, one: Played, two: Played) -> Pair:
        made = (self._moves.get(one.key, ()), self._moves.get(two.key, ()))
        return Pair(one, two, made, (self._limits.get(one.key), self._limits.get(two.key)))


def _alike(one: Played, two: Played) -> bool:
    """Whether the learners are the same model, where both have one."""
    return not one.learner_model or not two.learner_model or one.learner_model == two.learner_model


def limits(connection: Connection) -> dict[str, int]:
    """The turns that each test episode may have, by its key: as its trial says; where that leaves it to the domain, the most turns that any
    episode took there, as one that does not end by itself takes all it may have."""
    found = connection.execute(
        "SELECT key, coalesce(CAST(options ->> '$.test_budget.turns' AS INT), max(turns) OVER (PARTITION BY e.domain, domain_options)) "
        "FROM episodes e JOIN trials t USING (run, trial) WHERE phase = 'test' ORDER BY ALL"
    ).fetchall()
    return dict(found)


def moves(connection: Connection) -> dict[str, tuple[Move, ...]]:
    """The moves of every test episode, by its key."""
    found = dictionaries(
        connection,
        "SELECT * FROM turns WHERE episode IN (SELECT key FROM episodes WHERE phase = 'test') "
        "QUALIFY row_number() OVER (PARTITION BY episode, turn ORDER BY run) = 1 ORDER BY episode, turn",
    )
    made: dict[str, list[Move]] = defaultdict(list)
    for row in found:
        made[row["episode"]].append(move(rows.turn_from(row)))
    return {key: tuple(turns) for key, turns in made.items()}
