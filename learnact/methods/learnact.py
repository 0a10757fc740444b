"""LearnAct (Zhao et al., 2024; docs/method.md): create, try, select, improve from the first failure.

create K libraries -> each plays the training tasks -> the selector picks one -> its first failed call is shown to the learner
K times -> the best and its K improvements play -> ... at most I times, or until there is nothing to learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from learnact.methods import learner_replies
from learnact.methods.failures import FailedCall, first_failed_call, what_happened
from learnact.methods.prompt_sections import task_section
from learnact.methods.proposals import (
    Created,
    ProposalId,
    code_section,
    explain,
    function_example_section,
    notes_section,
    propose,
)
from learnact.methods.selector import best, score, terms
from learnact.methods.training import TEXTS, Learned, PlayedEpisode, Training, learner_prompt, together
from learnact.records import Candidate, Library, Origin, Prompt


@dataclass(frozen=True)
class Tried:
    """A candidate with its training episodes; `row` is what the results keep of it."""

    library: Library
    episodes: tuple[PlayedEpisode, ...]
    row: Candidate


async def learnact(training: Training) -> Learned:
    """Learn a library from the training tasks.

    Raises:
        Blocked: a unit that a decision depends on has no result.
    """
    settings = training.trial.settings
    number = settings.candidates if settings.sampling else 1
    iterations = settings.iterations if settings.learning else 0
    created = await together(*(_create(training, k, number) for k in range(number)))
    first = await _try(training, created)
    winner = await _select(training, first)
    winners = [winner.library]
    everything = [*first]
    for iteration in range(1, iterations + 1):
        failure = _to_learn_from(training, winner)
        if failure is None:
            break
        improved = await together(
            *(_improve(training, iteration, k, number, winner.library, failure) for k in range(1, number + 1))
        )
        incumbent = await _incumbent(training, iteration, winner)
        tried = await _try(training, improved)
        winner = await _select(training, [incumbent, *tried])
        everything += tried
        winners.append(winner.library)
    libraries = dict.fromkeys(t.library for t in everything if t.row.score is not None)
    return Learned(winner.library, tuple(winners), tuple(libraries))


# Create ---------------------------------------------------------------------------------------------------------


async def _create(training: Training, number: int, total: int) -> tuple[Candidate, Library | None]:
    """One candidate: functions proposed and made to load, then their usage example and descriptions."""
    where = ProposalId(0, number)
    task = training.tasks[0]
    goal, first = await training.opening(training.domain, task, training.trial.domain)
    variation = (
        TEXTS.fill("variation", number=number + 1, total=total) if training.trial.settings.vary_prompt else ""
    )
    answer = TEXTS.fill("create", rules=training.function_rules, variation=variation).replace("\n\n", "\n")

    def prompt(feedback: str) -> Prompt:
        return learner_prompt(
            training.scene(),
            function_example_section(training),
            task_section(goal, first),
            feedback,
            answer=answer,
        )

    created = await propose(
        training,
        where,
        "create",
        prompt,
        Library(),
        task,
        lambda text: learner_replies.Update("", learner_replies.proposal(text)),
    )
    library = await explain(training, where, created.library) if created.library else None
    return _row(training, where, "create", created, "", library), library


# Try ------------------------------------------------------------------------------------------------------------


async def _try(training: Training, candidates: Sequence[tuple[Candidate, Library | None]]) -> list[Tried]:
    """Every candidate plays every training task, all at once."""
    return await together(*(_try_one(training, row, library) for row, library in candidates))


async def _try_one(training: Training, row: Candidate, library: Library | None) -> Tried:
    if library is None and training.trial.settings.uncreated == "drop":
        return Tried(Library(), (), row)
    library = library or Library()
    training.journal.library(training.trial.id, library)
    episodes = await training.play(library)
    return Tried(library, episodes, _scored(training, row, episodes))


async def _incumbent(training: Training, iteration: int, winner: Tried) -> Tried:
    """The previous best: keeps its score, or (published) plays again, which undoes a lucky score."""
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
    if training.trial.settings.incumbent == "keep":
        return replace(winner, row=row)
    episodes = await training.play(winner.library, replicate=iteration)
    return Tried(winner.library, episodes, _scored(training, row, episodes))


def _scored(training: Training, row: Candidate, episodes: Sequence[PlayedEpisode]) -> Candidate:
    names = training.trial.settings.score or training.domain.profile.score
    of = terms([p.result for p in episodes])
    return replace(row, terms=of, score=score(of, names))


# Select ---------------------------------------------------------------------------------------------------------


async def _select(training: Training, tried: Sequence[Tried]) -> Tried:
    """The best by score; without any candidate that could be created, the empty library. Every candidate is written down."""
    chosen = best([t.row.score for t in tried])
    for index, candidate in enumerate(tried):
        training.journal.candidate(replace(candidate.row, selected=index == chosen))
    if chosen is not None:
        return tried[chosen]
    return Tried(Library(), (), tried[0].row)


# Improve --------------------------------------------------------------------------------------------------------


def _to_learn_from(training: Training, winner: Tried) -> FailedCall | None:
    settings = training.trial.settings
    if not (settings.updates or settings.notes):
        return None
    if settings.stop == "all_solved" and all(p.result.success for p in winner.episodes):
        return None
    return first_failed_call(winner.episodes, settings.learn_from)


async def _improve(
    training: Training, iteration: int, number: int, total: int, base: Library, failure: FailedCall
) -> tuple[Candidate, Library | None]:
    """One improvement of the best library: an update (tested, described again) or a note."""
    where = ProposalId(iteration, number)
    settings = training.trial.settings
    callee = failure.turn.callee
    answer = improve_answer(
        failure.turn.call, callee, training.function_rules, settings.updates, settings.notes
    )
    if settings.vary_prompt:
        answer += "\n" + TEXTS.fill("variation_improve", number=number, total=total)

    def prompt(feedback: str) -> Prompt:
        return learner_prompt(
            training.scene(),
            code_section(base),
            notes_section(base),
            what_happened(failure, training.domain.profile.failure_context),
            feedback,
            answer=answer,
        )

    def read(text: str) -> learner_replies.Update | learner_replies.Note | None:
        found = learner_replies.improvement(text)
        allowed = settings.updates if isinstance(found, learner_replies.Update) else settings.notes
        return found if allowed else None

    created = await propose(training, where, "improve", prompt, base, failure.played.episode.task, read)
    if created.note:
        library: Library | None = _noted(base, callee, created.note)
    else:
        library = await explain(training, where, created.library) if created.library else None
    row = _row(training, where, "note" if created.note else "update", created, base.id, library)
    return replace(row, failed_call=failure.turn.call), library


def improve_answer(call: str, callee: str, rules: str, updates: bool, notes: bool) -> str:
    """What is asked for after a failed call: an update, a note, or the choice of the two."""
    update = TEXTS.fill("improve_update", rules=rules) if updates else ""
    note = TEXTS.fill("improve_note", callee=callee) if notes else ""
    both = TEXTS.fill("improve_choices", update=update, note=note) if update and note else ""
    return TEXTS.fill("improve", call=call, choices=both or update or note)


def _noted(base: Library, callee: str, note: str) -> Library:
    actions = tuple(replace(a, notes=(*a.notes, note)) if a.name == callee else a for a in base.actions)
    return replace(base, actions=actions)


def _row(
    training: Training,
    where: ProposalId,
    origin: Origin,
    created: Created,
    parent: str,
    library: Library | None,
) -> Candidate:
    return Candidate(
        trial=training.trial.id,
        iteration=where.iteration,
        candidate=where.candidate,
        library=library.id if library else "",
        parent=parent,
        origin=origin,
        uncreated="" if library else created.problem,
        reason=created.reason,
    )
