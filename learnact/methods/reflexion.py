"""Reflexion (Shinn et al., 2023) as LearnAct's paper runs it: lessons from failed training episodes.

Up to `reflexion_iterations` times the agent plays the training tasks. The first failed episode is shown to
the learner model, which writes one short general lesson. Lessons accumulate in the agent's prompt. No
sampling, no selection. With a matched budget it goes on until that is spent.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from learnact.methods import failures, learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import Count, Learner, Method, MethodOptions, WorkBound
from learnact.methods.prompt_sections import section
from learnact.methods.react import REACT
from learnact.methods.selector import terms
from learnact.methods.training import TEMPLATES, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import Library


class ReflexionOptions(MethodOptions):
    """Options of Reflexion."""

    reflexion_iterations: Count = 2
    """Reflexion: lessons at most."""
    reflect_on_lessons: bool = True
    """Show the lessons so far to the learner that writes the next one (published: false)."""
    test_each_iteration: bool = False
    """Test the winner of each iteration."""


class Reflexion(Learner[ReflexionOptions]):
    """Lessons from failed training episodes. Prompts: `prompts/learner/reflect*.txt`."""

    name = "reflexion"
    learns_from = "failed training episodes"
    keeps = "lessons"
    options = ReflexionOptions
    test_only = learning_only = frozenset({"test_each_iteration"})
    asks_for = frozenset({"reflect"})

    async def learn(self, training: Training, options: ReflexionOptions) -> Learned:
        """Lessons from the training tasks.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        library = Library()
        earlier: list[Library] = []
        for iteration in itertools.count():
            if iteration >= options.reflexion_iterations and not training.may_spend:
                if earlier:  # the last lesson: it is tested, but was never played in training
                    training.keep(iteration, library, earlier[-1], "lesson")
                break
            episodes = await training.play(library)
            parent = earlier[-1] if earlier else Library()
            training.keep(iteration, library, parent, "lesson", terms(episodes))
            failed = next((p for p in episodes if not p.result.success), None)
            if failed is None:
                break
            earlier.append(library)
            known = library.lessons if options.reflect_on_lessons else ()
            lesson = await reflect(training, known, failed, iteration=iteration)
            library = replace(library, lessons=(*library.lessons, lesson))
            training.journal.library(training.trial.id, library)
        return Learned(library, tuple(earlier) if options.test_each_iteration else ())

    def bound(self, options: ReflexionOptions, tasks: int) -> WorkBound:
        """One request and one round of training episodes for each lesson."""
        rounds = options.reflexion_iterations
        return WorkBound(rounds * tasks, rounds, rounds if options.test_each_iteration else 0)


async def reflect(
    training: Training,
    lessons: Sequence[str],
    failed: PlayedEpisode,
    *,
    iteration: int,
    attempt: int = 0,
) -> str:
    """A short general lesson from a failed attempt; `lessons`: those that the learner is shown.

    Raises:
        Blocked: the model could not be reached.
    """
    known = section("Lessons", "\n".join(f"- {lesson}" for lesson in lessons))
    again = f" {TEMPLATES.fill('reflect_again')}" if known else ""
    prompt = learner_prompt(
        training.scene(),
        known,
        section("What happened", failures.attempt(failed)),
        answer=TEMPLATES.fill("reflect", again=again),
        system="reflect_system",
    )
    reply = await training.ask("reflect", prompt, iteration=iteration, attempt=attempt)
    return learner_replies.lesson(reply.text)


REFLEXION = Reflexion()
METHODS = (
    Method("act+reflexion", ACT, REFLEXION, "Act with up to 2 lessons from failures"),
    Method("react+reflexion", REACT, REFLEXION, "ReAct with up to 2 lessons from failures"),
)
