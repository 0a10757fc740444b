"""The candidates of a round play the training tasks, and the selector chooses one.

docs/method.md, section 2. Does not cover: how candidates are proposed and improved (learnact.py), how they
are scored (selector.py), when one is stopped early (racing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from learnact.methods.learnact_options import LearnActOptions
from learnact.methods.racing import Race, RaceRules, random_order
from learnact.methods.selector import best, scored
from learnact.methods.training import PlayedEpisode, Training, together
from learnact.records import Candidate, Library, seed_from


@dataclass(frozen=True)
class TriedCandidate:
    """A candidate with its training episodes; `row` is what the results keep of it."""

    library: Library
    episodes: tuple[PlayedEpisode, ...]
    row: Candidate


class CandidatePlay:
    """Plays and chooses among candidates of one trial."""

    def __init__(self, training: Training, options: LearnActOptions) -> None:
        self.training = training
        self.options = options

    async def all(
        self,
        candidates: Sequence[tuple[Candidate, Library | None]],
        incumbents: Sequence[TriedCandidate] = (),
        *,
        racing: bool,
    ) -> list[TriedCandidate]:
        """Every candidate plays every training task, all at once; or, in a race, as long as it can win.

        The error rate is shared among the planned rounds, so those that a matched budget adds do not race.
        """
        entered = [(row, self._entered(row, library)) for row, library in candidates]
        if racing:
            return await self._race(entered, incumbents)
        return await together(*(self._try_one(row, library) for row, library in entered))

    def _entered(self, row: Candidate, library: Library | None) -> Library | None:
        """What a candidate plays with; None where it is not played."""
        empty = self.options.uncreated == "empty" and bool(row.uncreated) and row.iteration == 0
        if library is None and not empty:
            return None
        library = library or Library()
        self.training.journal.library(self.training.trial.id, library)
        return library

    async def _try_one(self, row: Candidate, library: Library | None) -> TriedCandidate:
        if library is None:
            return TriedCandidate(Library(), (), row)
        episodes = await self.training.play(library)
        return TriedCandidate(library, episodes, self._scored(row, episodes))

    async def _race(
        self, entered: Sequence[tuple[Candidate, Library | None]], incumbents: Sequence[TriedCandidate]
    ) -> list[TriedCandidate]:
        """The candidates play block by block, and those that can no longer win are stopped (racing.py)."""
        training, trial = self.training, self.training.trial
        libraries = {_name(row): library for row, library in entered if library is not None}
        iteration = entered[0][0].iteration
        seed = seed_from(trial.job_seed, trial.domain.name, trial.learn_repeat, "racing", iteration)
        race = Race(
            self._race_rules(),
            random_order(len(training.tasks), seed),
            {_name(one.row): one.episodes for one in incumbents if one.episodes and not one.row.excluded},
            tuple(libraries),
        )
        for block in race.blocks():
            tasks, running = [training.tasks[number] for number in block], race.running
            for name, episodes in zip(
                running,
                await together(*(training.play(libraries[name], tasks=tasks) for name in running)),
                strict=True,
            ):
                race.take(name, block, episodes)
            if running:
                race.decide()
        return [self._raced(race, row, library) for row, library in entered]

    def _raced(self, race: Race, row: Candidate, library: Library | None) -> TriedCandidate:
        if library is None:
            return TriedCandidate(Library(), (), row)
        episodes = race.episodes(_name(row))
        row = self._scored(row, episodes)
        if why := race.stopped.get(_name(row)):
            row = replace(row, score=None, excluded=why)
        return TriedCandidate(library, episodes, row)

    def _race_rules(self) -> RaceRules:
        options = self.options
        return RaceRules(
            names=options.score or self.training.domain.profile.score,
            error=options.error_rate / (options.iterations + 1),
            block=options.racing_block,
            acting=self.training.trial.rules.empty_call == "failed",
        )

    async def incumbent(self, iteration: int, winner: TriedCandidate) -> TriedCandidate:
        """The previous best: keeps its score, or (published) plays again, which corrects a lucky score."""
        row = replace(
            winner.row,
            iteration=iteration,
            candidate=0,
            origin="incumbent",
            parent=winner.library.id,
            selected=False,
            reason="",
            failed_call="",
        )
        if self.options.incumbent == "keep":
            return replace(winner, row=row)
        episodes = await self.training.play(winner.library, replicate=iteration)
        return TriedCandidate(winner.library, episodes, self._scored(row, episodes))

    def _scored(self, row: Candidate, episodes: Sequence[PlayedEpisode]) -> Candidate:
        names = self.options.score or self.training.domain.profile.score
        row = replace(row, played_tasks=len(episodes), planned_tasks=len(self.training.tasks))
        return scored(row, episodes, names, self.training.trial.rules)

    async def select(self, tried: Sequence[TriedCandidate]) -> TriedCandidate:
        """The best by score; the empty library where no candidate could be created, or none can win.

        Records every candidate.
        """
        chosen = best([t.row for t in tried], self.options.ties)
        for index, candidate in enumerate(tried):
            self.training.journal.candidate(replace(candidate.row, selected=index == chosen))
        if chosen is not None:
            return tried[chosen]
        return TriedCandidate(Library(), (), tried[0].row)


def _name(row: Candidate) -> str:
    """A candidate within its trial, for people too."""
    return f"{row.iteration}.{row.candidate}"
