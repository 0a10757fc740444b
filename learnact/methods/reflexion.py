"""Reflexion (Shinn et al., 2023) as LearnAct's paper runs it: lessons from failed training episodes, no sampling, no selection.

Up to `reflexion_iterations` times: the agent plays the training tasks; the first failed episode is shown to the learner model, which
writes one short general lesson; lessons accumulate in the agent's prompt. With a matched budget it goes on until that is spent.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

from learnact.methods import learner_replies
from learnact.methods.failures import attempt
from learnact.methods.prompt_sections import section
from learnact.methods.selector import terms
from learnact.methods.training import TEXTS, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import Library


async def reflexion(training: Training) -> Learned:
    """Lessons from the training tasks.

    Raises:
        Blocked: a unit that a decision depends on has no result.
    """
    library = Library()
    winners: list[Library] = []
    for iteration in itertools.count():
        if iteration >= training.trial.settings.reflexion_iterations and not training.may_spend:
            break
        episodes = await training.play(library)
        parent = winners[-1] if winners else Library()
        training.keep(iteration, library, parent, "lesson", terms([p.result for p in episodes]))
        failed = next((p for p in episodes if not p.result.success), None)
        if failed is None:
            break
        winners.append(library)
        library = await _with_lesson(training, iteration, library, failed)
        training.journal.library(training.trial.id, library)
    return Learned(library, (*winners, library))


async def _with_lesson(
    training: Training, iteration: int, library: Library, failed: PlayedEpisode
) -> Library:
    lessons = section("Lessons", "\n".join(f"- {lesson}" for lesson in library.lessons))
    again = f" {TEXTS.fill('reflect_again')}" if lessons else ""
    prompt = learner_prompt(
        training.scene(),
        lessons,
        section("What happened", attempt(failed)),
        answer=TEXTS.fill("reflect", again=again),
        system="reflect_system",
    )
    reply = await training.ask("reflect", prompt, iteration=iteration)
    return replace(library, lessons=(*library.lessons, learner_replies.lesson(reply.text)))
