"""Voyager (Wang et al., 2023), our adaptation for text environments: skills that a critic has verified.

LearnAct's paper redesigns Voyager and publishes neither code nor constants; the constants here are the
original's. For each training task the learner model writes code, sees the environment's feedback and
execution errors, and a critic call judges success, up to `voyager_rounds` rounds. Verified skills join the
library. At test the agent has the `voyager_top` skills whose descriptions are most like the task. With a
matched budget it goes through the training tasks again until that is spent.
"""

from __future__ import annotations

import itertools

from learnact.errors import LibraryError
from learnact.library.merge import merge
from learnact.methods import learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import (
    Learner,
    LibraryChooser,
    Method,
    MethodOptions,
    Positive,
    Temperature,
    WorkBound,
)
from learnact.methods.explanations import DESCRIBE_TRIES, USAGE_TRIES, explain
from learnact.methods.failures import primitives_made
from learnact.methods.judge import judged
from learnact.methods.prompt_sections import opening, program_text, section, task_section
from learnact.methods.proposals import (
    FUNCTIONS,
    ProposalId,
    code_section,
    function_example_section,
    problems,
)
from learnact.methods.retrieval import skills_like_the_task
from learnact.methods.training import TEMPLATES, Learned, PlayedEpisode, Sampling, Training, learner_prompt
from learnact.records import Library, Prompt, Task


class VoyagerOptions(MethodOptions):
    """Options of Voyager."""

    voyager_rounds: Positive = 4
    """Voyager: rounds for a training task."""
    voyager_top: Positive = 5
    """Voyager: skills given to the agent at test."""
    proposal_temperature: Temperature = 0.7
    """Temperature of proposals; null sends none."""


class Voyager(Learner[VoyagerOptions]):
    """Verified skills, retrieved for each test task. Prompts: `prompts/learner/code*.txt`, `verify*.txt`."""

    name = "voyager"
    learns_from = "programs run on training tasks, a critic"
    keeps = "functions, some for each task"
    options = VoyagerOptions
    test_only = frozenset({"voyager_top"})
    writes_code = True
    uses_embeddings = True
    asks_for = frozenset({"code", "verify", "describe", "usage"})

    async def learn(self, training: Training, options: VoyagerOptions) -> Learned:
        """Skills from the training tasks.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        library = Library()
        for number in itertools.count():
            if number >= len(training.tasks) and not training.may_spend:
                break
            task = training.tasks[number % len(training.tasks)]
            library = await _practise(training, options, number, task, library)
        return Learned(library, choose=self.chooser(training, options, library))

    def bound(self, options: VoyagerOptions, tasks: int) -> WorkBound:
        """Code and verdict in each round, then a usage example and a description for each function."""
        return WorkBound(0, tasks * (2 * options.voyager_rounds + USAGE_TRIES + DESCRIBE_TRIES * FUNCTIONS))

    def chooser(self, training: Training, options: VoyagerOptions, library: Library) -> LibraryChooser:
        """The `voyager_top` skills whose signatures and descriptions are most like goal and first
        observation.
        """
        return skills_like_the_task(training, library, options.voyager_top)


async def _practise(
    training: Training, options: VoyagerOptions, number: int, task: Task, library: Library
) -> Library:
    """Up to `voyager_rounds` rounds on one task: the library with the new skills, or as it was when no
    round was verified.
    """
    feedback = ""
    for attempt in range(options.voyager_rounds):
        reply = await training.ask(
            "code",
            await _code_prompt(training, library, task, feedback),
            iteration=number,
            attempt=attempt,
            sampling=Sampling(options.proposal_temperature),
        )
        proposal = learner_replies.proposal(reply.text)
        try:
            grown = merge(library, proposal.code)
            problem = problems(training, proposal.code, grown)
        except LibraryError as error:
            grown, problem = library, str(error)
        if not problem and not proposal.usage:
            problem = 'There is no line that begins with "Usage:".'
        if problem:
            result = "\n".join(("It could not be used:", problem, *proposal.left_out))
        else:
            played = await training.validate(proposal.usage, grown, task)
            done, critique = await _verify(training, number, attempt, played)
            if done:
                skilled = await explain(training, ProposalId(number, 0), grown, played)
                training.keep(number, skilled, library, "skill")
                return skilled
            result = f"{primitives_made(played, played.result.turns[0])}\nCritique: {critique}"
        feedback = section("Your last answer", f"{reply.text.strip()}\n\n{result}")
    training.keep(number, library, library, "skill", problem="no round was verified")
    return library


async def _code_prompt(training: Training, library: Library, task: Task, feedback: str) -> Prompt:
    start = task_section(*await training.opening(training.domain, task, training.trial.domain))
    code = code_section(library) if library.actions else ""
    known = f" {TEMPLATES.fill('code_known')}" if code else ""
    answer = TEMPLATES.fill("code", known=known, rules=training.function_rules)
    example = function_example_section(training)
    return learner_prompt(training.scene(), example, code, start, feedback, answer=answer)


async def _verify(training: Training, number: int, attempt: int, played: PlayedEpisode) -> tuple[bool, str]:
    """The critic's verdict. It sees the goal and what was observed, not the environment's own verdict."""
    turn = played.result.turns[0]
    lines = [
        opening(played.result.goal, played.result.first_observation),
        program_text(turn.said),
        primitives_made(played, turn),
    ]
    return await judged(training, "\n".join(lines), iteration=number, attempt=attempt)


METHOD = Method("voyager", ACT, Voyager(), "Act with verified skills, retrieved for each test task")
