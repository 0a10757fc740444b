"""How a library comes about from code: checked, tried on a fresh environment, described. Shared by LearnAct and Voyager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from learnact.errors import LibraryError
from learnact.library.merge import check_merged, error_in_code, merge, part_of
from learnact.methods import learner_replies
from learnact.methods.observations import error_text
from learnact.methods.prompt_sections import opening, section
from learnact.methods.training import TEXTS, Training, learner_prompt, together
from learnact.records import LearnedAction, Library, Prompt, Purpose, Task


@dataclass(frozen=True)
class ProposalId:
    """Which proposal is being worked on: part of every request's identity."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Created:
    """A library that loads and whose usage line ran without an exception, or, after the last try, why there is none."""

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
    where: ProposalId,
    purpose: Purpose,
    prompt: Callable[[str], Prompt],
    base: Library,
    task: Task,
    read: Callable[[str], learner_replies.Update | learner_replies.Note | None],
) -> Created:
    """Ask for functions until they load and their usage line runs without an exception on a fresh environment of `task`, at most
    `create_tries` times; each try is shown the last answer and what was wrong with it. An invalid primitive is no exception."""
    feedback = problem = ""
    for attempt in range(training.trial.settings.create_tries):
        reply = await training.ask(
            purpose,
            prompt(feedback),
            iteration=where.iteration,
            candidate=where.candidate,
            attempt=attempt,
            propose=True,
        )
        answer = read(reply.text)
        if isinstance(answer, learner_replies.Note):
            return Created(base, reason=answer.reason, note=answer.text)
        if answer is None:
            problem = "The answer has none of the forms that were asked for."
        else:
            library, problem = await _tried(training, answer.proposal, base, task)
            if library is not None:
                return Created(library, reason=answer.reason)
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
    turn = (await training.validate(proposal.usage, library, task)).result.turns[0]
    if turn.error:
        return None, error_text(error_in_code(turn.error, library, proposal.code))
    return library, ""


async def explain(training: Training, where: ProposalId, library: Library) -> Library:
    """The library with a description for each function that has none, and with a usage example: all asked for at once."""
    usage = asyncio.ensure_future(_usage_example(training, where, library))
    described = asyncio.ensure_future(
        together(*(_described(training, where, library, action) for action in library.actions))
    )
    await asyncio.gather(usage, described, return_exceptions=True)
    return replace(library, actions=tuple(described.result()), usage_example=usage.result())


async def _described(
    training: Training, where: ProposalId, library: Library, action: LearnedAction
) -> LearnedAction:
    if action.description or not training.trial.rules.show_descriptions:
        return action
    prompt = learner_prompt(
        training.scene(),
        code_section(part_of(library, [action.name])),
        answer=TEXTS.fill("describe", signature=action.signature),
    )
    # The ordinal of the function tells its request apart from those of the others.
    attempt = [a.name for a in library.actions].index(action.name)
    reply = await training.ask(
        "describe", prompt, iteration=where.iteration, candidate=where.candidate, attempt=attempt
    )
    return replace(action, description=learner_replies.description(reply.text))


async def _usage_example(training: Training, where: ProposalId, library: Library) -> str:
    """A short trajectory that uses the functions: the learner completes the goal and first observation of the domain's example."""
    if not training.trial.rules.show_usage_example:
        return ""
    example = training.domain.example
    scene = opening(example.goal, example.first_observation)
    prompt = learner_prompt(
        training.scene(),
        code_section(library),
        section("Example task", scene),
        answer=TEXTS.fill("usage"),
    )
    reply = await training.ask("usage", prompt, iteration=where.iteration, candidate=where.candidate)
    steps = learner_replies.trajectory(reply.text)
    return f"{scene}\n{steps}" if steps else ""


def code_section(library: Library) -> str:
    """The library's module."""
    return section("Code", f"```python\n{library.source}\n```")


def notes_section(library: Library) -> str:
    """What is noted so far on when and how to use the functions."""
    return section(
        "Notes", "\n".join(f"- {a.signature}: {note}" for a in library.actions for note in a.notes)
    )


def function_example_section(training: Training) -> str:
    """The worked example of a learned function: the same for every learner that writes functions."""
    example = training.domain.function_example
    about = f"{example.about}\n" if example.about else ""
    return section(
        "Example of a function",
        f"{about}```python\n{example.source.strip()}\n```\nUsage: {example.usage}\nDescription: {example.description}",
    )
