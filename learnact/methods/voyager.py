"""Voyager (Wang et al., 2023), our adaptation for text worlds: skills that a critic has verified, retrieved for each test task.

LearnAct's paper redesigns Voyager and publishes no code or constants; this one takes the original's: for each training task the learner
model writes code, sees the world's feedback and execution errors, a critic call judges success, up to `voyager_rounds` rounds;
verified skills join the library; at test the agent has the `voyager_top` skills whose descriptions are most like the task. With a matched
budget it goes through the training tasks again until that is spent.
"""

from __future__ import annotations

import itertools

from learnact.errors import LibraryError
from learnact.library.merge import merge
from learnact.methods import learner_replies
from learnact.methods.failures import primitives_made
from learnact.methods.prompt_sections import opening, program_text, section, task_section
from learnact.methods.proposals import (
    ProposalId,
    code_section,
    explain,
    function_example_section,
    problems,
)
from learnact.methods.retrieval import Retrieval
from learnact.methods.training import TEXTS, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import Library, Prompt, Task, Terms


async def voyager(training: Training) -> Learned:
    """Skills from the training tasks.

    Raises:
        Blocked: a unit that a decision depends on has no result.
    """
    library = Library()
    winners = []
    for number in itertools.count():
        if number >= len(training.tasks) and not training.may_spend:
            break
        task = training.tasks[number % len(training.tasks)]
        library = await _practise(training, number, task, library)
        winners.append(library)
    return Learned(library, tuple(winners), choose=Retrieval(training, library))


async def _practise(training: Training, number: int, task: Task, library: Library) -> Library:
    """Up to `voyager_rounds` rounds on one task: the library with the new skills, or as it was when no round was verified."""
    feedback = ""
    for attempt in range(training.trial.settings.voyager_rounds):
        reply = await training.ask(
            "code",
            await _code_prompt(training, library, task, feedback),
            iteration=number,
            attempt=attempt,
            propose=True,
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
            told = f"It could not be used:\n{problem}"
        else:
            played = await training.validate(proposal.usage, grown, task)
            done, critique = await _verify(training, number, attempt, played)
            if done:
                skilled = await explain(training, ProposalId(number, 0), grown)
                training.keep(number, skilled, library, "skill", Terms())
                return skilled
            told = f"{primitives_made(played.result.turns[0])}\nCritique: {critique}"
        feedback = section("Your last answer", f"{reply.text.strip()}\n\n{told}")
    training.keep(number, library, library, "skill", Terms(), "no round was verified")
    return library


async def _code_prompt(training: Training, library: Library, task: Task, feedback: str) -> Prompt:
    scene = task_section(*await training.opening(training.domain, task, training.trial.domain))
    code = code_section(library) if library.actions else ""
    known = f" {TEXTS.fill('code_known')}" if code else ""
    answer = TEXTS.fill("code", known=known, rules=training.function_rules)
    example = function_example_section(training)
    return learner_prompt(training.scene(), example, code, scene, feedback, answer=answer)


async def _verify(training: Training, number: int, attempt: int, played: PlayedEpisode) -> tuple[bool, str]:
    """The critic's word: it sees the goal and what was observed, not the environment's own verdict."""
    turn = played.result.turns[0]
    lines = [
        opening(played.result.goal, played.result.first_observation),
        program_text(turn.said),
        primitives_made(turn),
    ]
    prompt = learner_prompt(
        training.scene(),
        section("What happened", "\n".join(lines)),
        answer=TEXTS.fill("verify"),
        system="verify_system",
    )
    reply = await training.ask("verify", prompt, iteration=number, attempt=attempt)
    return learner_replies.verdict(reply.text)
