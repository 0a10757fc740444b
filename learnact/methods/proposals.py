"""From proposed code to a library: check it, try it on a fresh environment, describe it.

Shared by learners.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from learnact.errors import LibraryError
from learnact.library.merge import check_merged, error_in_code, merge, part_of
from learnact.methods import learner_replies
from learnact.methods.failures import primitives_made
from learnact.methods.prompt_sections import opening, section
from learnact.methods.training import TEMPLATES, Sampling, Training, learner_prompt, together
from learnact.records import LearnedAction, Library, Prompt, Purpose, Task

FUNCTIONS = 4
"""Functions of one proposal at most (`prompts/learner/create.txt`); each is described in a request of its
own.
"""
DESCRIBE_TRIES = 2
"""Requests for the description of one function: a second one where the first answer was too long or empty."""


@dataclass(frozen=True)
class ProposalId:
    """Which proposal is being worked on: part of every request's identity."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Created:
    """A library that loads and whose usage line ran; or None and the problem of the last try."""

    library: Library | None
    problem: str = ""
    reason: str = ""
    note: str = ""


def problems(training: Training, code: str, library: Library) -> str:
    """What is wrong with code before it is run, as feedback to the learner; "" when nothing is."""
    if not code.strip():
        return "The answer holds no Python code block."
    primitives = [p.name for p in training.domain.primitives]
    found = check_merged(library, code, primitives)
    return "\n".join(str(problem) for problem in found)


async def propose(
    training: Training,
    proposal_id: ProposalId,
    *,
    purpose: Purpose,
    prompt: Callable[[str], Prompt],
    base: Library,
    task: Task,
    read: Callable[[str], learner_replies.Update | learner_replies.Note | None],
    tries: int,
    sampling: Sampling,
) -> Created:
    """Ask for functions until they load and their usage line runs without an exception, at most `tries`
    times.

    The usage line runs on a fresh environment of `task`; an invalid primitive is no exception. `prompt`
    makes the prompt from the feedback: the last answer and what was wrong with it.
    """
    feedback = problem = ""
    for attempt in range(tries):
        reply = await training.ask(
            purpose,
            prompt(feedback),
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            attempt=attempt,
            sampling=sampling,
        )
        answer = read(reply.text)
        if isinstance(answer, learner_replies.Note):
            problem = _too_long("note", answer.text)
            if not problem:
                return Created(base, reason=answer.reason, note=answer.text)
        elif answer is None:
            problem = "The answer has none of the forms that were asked for."
        else:
            library, problem = await _tried(training, answer.proposal, base, task)
            if library is not None:
                return Created(library, reason=answer.reason)
            problem = "\n".join((problem, *answer.proposal.left_out))
        if reply.finish == "length":
            problem += "\nThe answer was cut at its longest length; write less."
        feedback = section("Your last answer", f"{reply.text.strip()}\n\nIt could not be used:\n{problem}")
    return Created(None, problem)


async def _tried(
    training: Training, proposal: learner_replies.Proposal, base: Library, task: Task
) -> tuple[Library | None, str]:
    try:
        library = merge(base, proposal.code)
    except LibraryError as error:
        return None, str(error)
    wrong = problems(training, proposal.code, library)
    if wrong:
        return None, wrong
    if not library.actions:
        return None, "The code defines no function."
    if not proposal.usage:
        return None, 'There is no line that begins with "Usage:".'
    played = await training.validate(proposal.usage, library, task)
    turn = played.result.turns[0]
    if turn.error:
        raised = error_in_code(turn.error, library, proposal.code)
        return None, primitives_made(played, replace(turn, error=raised), "The usage line")
    return library, ""


async def explain(training: Training, proposal_id: ProposalId, library: Library) -> Library:
    """The library with a usage example, and a description for each function without one; all asked for at
    once.
    """
    usage = asyncio.ensure_future(_usage_example(training, proposal_id, library))
    described = asyncio.ensure_future(
        together(*(_described(training, proposal_id, library, action) for action in library.actions))
    )
    await asyncio.gather(usage, described, return_exceptions=True)
    return replace(library, actions=tuple(described.result()), usage_example=usage.result())


async def _described(
    training: Training, proposal_id: ProposalId, library: Library, action: LearnedAction
) -> LearnedAction:
    if action.description or not training.trial.rules.show_descriptions:
        return action
    limit = learner_replies.MAX_TEXT
    # The ordinal of the function tells its request apart from those of the others.
    ordinal = [a.name for a in library.actions].index(action.name)
    text = feedback = ""
    for attempt in range(DESCRIBE_TRIES):
        prompt = learner_prompt(
            training.scene(),
            code_section(part_of(library, [action.name])),
            feedback,
            answer=TEMPLATES.fill("describe", signature=action.signature, limit=limit),
        )
        reply = await training.ask(
            "describe",
            prompt,
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            attempt=ordinal + attempt * len(library.actions),
        )
        text = learner_replies.description(reply.text)
        problem = _too_long("description", text) if text else "It holds no description."
        if not problem:
            break
        feedback = section("Your last answer", f"{text[: 4 * limit]}\n\nIt could not be used:\n{problem}")
    return replace(action, description=learner_replies.shortened(text, limit))


def _too_long(what: str, text: str) -> str:
    """What is wrong with the length of a text that is to stand in prompts; "" when nothing is."""
    if len(text) <= learner_replies.MAX_TEXT:
        return ""
    return f"The {what} has {len(text)} characters; at most {learner_replies.MAX_TEXT} are allowed."


async def _usage_example(training: Training, proposal_id: ProposalId, library: Library) -> str:
    """A short trajectory that uses the functions, for the goal and first observation of the domain's
    example.
    """
    if not training.trial.rules.show_usage_example:
        return ""
    example = training.domain.example
    start = opening(example.goal, example.first_observation)
    prompt = learner_prompt(
        training.scene(),
        code_section(library),
        section("Example task", start),
        answer=TEMPLATES.fill("usage"),
    )
    reply = await training.ask(
        "usage", prompt, iteration=proposal_id.iteration, candidate=proposal_id.candidate
    )
    steps = learner_replies.trajectory(reply.text)
    return f"{start}\n{steps}" if steps else ""


def code_section(library: Library) -> str:
    """The library's module."""
    return section("Code", f"```python\n{library.source}\n```")


def notes_section(library: Library) -> str:
    """The notes so far on when and how to use the functions."""
    return section(
        "Notes", "\n".join(f"- {a.signature}: {note}" for a in library.actions for note in a.notes)
    )


def function_example_section(training: Training) -> str:
    """The worked example of a learned function: the same for every learner that writes functions."""
    example = training.domain.function_example
    about = f"{example.about}\n" if example.about else ""
    return section(
        "Example of a function",
        f"{about}```python\n{example.source.strip()}\n```\nUsage: {example.usage}\nDescription: "
        f"{example.description}",
    )
