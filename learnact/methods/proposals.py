"""From proposed code to a library: check it, and try it on a fresh environment.

Shared by learners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from learnact.domains.base import FunctionExample, OwnFunctionExample
from learnact.errors import LibraryError
from learnact.library.merge import check_merged, error_in_code, merge
from learnact.methods import learner_replies
from learnact.methods.failures import primitives_made
from learnact.methods.prompt_sections import example_as_turns, section
from learnact.methods.training import (
    TEMPLATES,
    Blocked,
    PlayedEpisode,
    Sampling,
    Training,
)
from learnact.records import Library, Prompt, Purpose, Task

FUNCTIONS = 4
"""Functions of one proposal at most (`prompts/learner/create.txt`); each is described in a request of its
own.
"""
Check = Literal["no_effect", "exceptions"]
"""What of a usage line that ran goes back to the learner: primitive actions without effect, once, and
exceptions; or exceptions only (published)."""


@dataclass(frozen=True)
class ProposalId:
    """Which proposal is being worked on: part of every request's identity."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Created:
    """A library that loads and whose usage line ran (`tried`: what the line did); or None and the problem of
    the last try.
    """

    library: Library | None
    problem: str = ""
    reason: str = ""
    note: str = ""
    tried: PlayedEpisode | None = None


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
    check: Check = "no_effect",
    first: int = 0,
) -> Created:
    """Ask for functions until they load and their usage line runs without an exception, at most `tries`
    times. `first` is the number of the first try: it tells requests apart where a proposal is asked for
    again.

    The usage line runs on a fresh environment of `task`. Primitive actions without effect are no exception;
    they go back to the learner once, unless `check` is "exceptions". `prompt` makes the prompt from the
    feedback: the last answer and what was wrong with it.
    """
    feedback = problem = ""
    idle: Created | None = None
    for attempt in range(first, first + tries):
        reply = await training.ask(
            purpose,
            prompt(feedback),
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            attempt=attempt,
            sampling=sampling,
        )
        answer = read(reply.text)
        verdict = "It could not be used:"
        if isinstance(answer, learner_replies.Note):
            problem = too_long("note", answer.text)
            if not problem:
                return Created(base, reason=answer.reason, note=answer.text)
        elif answer is None:
            problem = "The answer has none of the forms that were asked for."
        else:
            created = await _tried(training, answer, base, task)
            if created.library is None:
                problem = "\n".join((created.problem, *answer.proposal.left_out))
            elif check == "exceptions" or idle is not None or _all_possible(created):
                return created
            else:
                idle, verdict = created, TEMPLATES.fill("no_effect")
                assert created.tried is not None
                problem = primitives_made(created.tried, created.tried.result.turns[0], "The usage line")
        if reply.finish == "length":
            problem += "\nThe answer was cut at its longest length; write less."
        feedback = section("Your last answer", f"{reply.text.strip()}\n\n{verdict}\n{problem}")
    return idle or Created(None, problem)


def too_long(what: str, text: str) -> str:
    """What is wrong with the length of a text that is to stand in prompts; "" when nothing is."""
    if len(text) <= learner_replies.MAX_TEXT:
        return ""
    return f"The {what} has {len(text)} characters; at most {learner_replies.MAX_TEXT} are allowed."


def _all_possible(created: Created) -> bool:
    """Whether the usage line made primitive actions and all were possible."""
    steps = created.tried.result.turns[0].steps if created.tried else ()
    return bool(steps) and all(step.ok for step in steps)


async def _tried(training: Training, answer: learner_replies.Update, base: Library, task: Task) -> Created:
    proposal = answer.proposal
    try:
        library = merge(base, proposal.code)
    except LibraryError as error:
        return Created(None, str(error))
    wrong = problems(training, proposal.code, library)
    if wrong:
        return Created(None, wrong)
    if not library.offered:
        helpers = " that the agent can call: names that begin with an underscore are helpers"
        return Created(None, f"The code defines no function{helpers if library.actions else ''}.")
    if not proposal.usage:
        return Created(None, 'There is no line that begins with "Usage:".')
    played = await training.validate(proposal.usage, library, task)
    turn = played.result.turns[0]
    if turn.error:
        raised = error_in_code(turn.error, library, proposal.code)
        return Created(None, primitives_made(played, replace(turn, error=raised), "The usage line"))
    return Created(library, reason=answer.reason, tried=played)


def code_section(library: Library) -> str:
    """The library's module."""
    return section("Code", f"```python\n{library.source}\n```")


def notes_section(library: Library) -> str:
    """The notes so far on when and how to use the functions."""
    return section(
        "Notes", "\n".join(f"- {a.signature}: {note}" for a in library.actions for note in a.notes)
    )


def function_example_section(training: Training) -> str:
    """What a learner that writes functions is shown first, the same for every one: the worked example of a
    function, and with `learner_example: same_domain` one of the same domain and a worked trajectory.
    """
    domain = training.domain
    if training.trial.rules.learner_example == "other_world":
        return _worked_function(domain.function_example)
    own = domain.own_function_example if isinstance(domain, OwnFunctionExample) else None
    if own is None:
        raise Blocked(f"{domain.name} has no worked function of its own; use learner_example: other_world")
    return _worked_function(own) + section("Example", example_as_turns(domain.example, thoughts=False))


def _worked_function(example: FunctionExample) -> str:
    about = f"{example.about}\n" if example.about else ""
    return section(
        "Example of a function",
        f"{about}```python\n{example.source.strip()}\n```\nUsage: {example.usage}\nDescription: "
        f"{example.description}",
    )


def others_section(base: Library, others: Sequence[Library]) -> str:
    """What other proposals hold already: their functions and notes, as far as `base` does not hold them."""
    parts = []
    for other in others:
        new = [a for a in other.actions if a not in base.actions]
        code = "\n\n".join(a.source for a in new if _source_of(base, a.name) != a.source)
        notes = [n for a in new for n in a.notes if n not in _notes_of(base, a.name)]
        parts += [f"```python\n{code}\n```"] if code else []
        parts += [f"Note: {note}" for note in notes]
    return section("Other proposals", "\n".join(dict.fromkeys(parts)))


def _source_of(library: Library, name: str) -> str:
    found = library.action(name)
    return found.source if found else ""


def _notes_of(library: Library, name: str) -> tuple[str, ...]:
    found = library.action(name)
    return found.notes if found else ()
