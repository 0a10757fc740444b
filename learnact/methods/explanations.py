"""What an agent is told of a library: a description of each function, and a usage example.

Shared by learners.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from learnact.library.merge import part_of
from learnact.methods import learner_replies
from learnact.methods.failures import primitives_made
from learnact.methods.prompt_sections import example_as_turns, opening, section
from learnact.methods.proposals import ProposalId, code_section, notes_section, too_long
from learnact.methods.training import TEMPLATES, PlayedEpisode, Training, learner_prompt, together
from learnact.records import LearnedAction, Library, history_entries

DESCRIBE_TRIES = 2
"""Requests for the description of one function: a second one where the first answer was too long or empty."""
USAGE_TRIES = 2
"""Tries of a usage example that is played."""
MOST_CALLS = 8
"""Calls of a usage example that are played at most (`prompts/learner/usage.txt` asks for five)."""


async def explain(
    training: Training, proposal_id: ProposalId, library: Library, tried: PlayedEpisode | None = None
) -> Library:
    """The library with a usage example, and a description for each offered function without one; all asked
    for at once. `tried`: the run of the usage line, whose real names and observations the descriptions see.
    """
    usage = asyncio.ensure_future(_usage_example(training, proposal_id, library))
    described = asyncio.ensure_future(
        together(*(_described(training, proposal_id, library, a, tried) for a in library.actions))
    )
    await asyncio.gather(usage, described, return_exceptions=True)
    return replace(library, actions=tuple(described.result()), usage_example=usage.result())


async def _described(
    training: Training,
    proposal_id: ProposalId,
    library: Library,
    action: LearnedAction,
    tried: PlayedEpisode | None,
) -> LearnedAction:
    if action.description or action.is_helper or not training.trial.rules.show_descriptions:
        return action
    limit = learner_replies.MAX_TEXT
    # The ordinal of the function tells its request apart from those of the others.
    ordinal = [a.name for a in library.actions].index(action.name)
    text = feedback = ""
    for attempt in range(DESCRIBE_TRIES):
        prompt = learner_prompt(
            training.scene(),
            code_section(part_of(library, [action.name])),
            _example_call(tried) if tried else "",
            feedback,
            answer=_describe(action, tried, limit),
        )
        reply = await training.ask(
            "describe",
            prompt,
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            attempt=ordinal + attempt * len(library.actions),
        )
        text = learner_replies.description(reply.text)
        problem = too_long("description", text) if text else "It holds no description."
        if not problem:
            break
        feedback = section("Your last answer", f"{text[: 4 * limit]}\n\nIt could not be used:\n{problem}")
    return replace(action, description=learner_replies.shortened(text, limit))


def _describe(action: LearnedAction, tried: PlayedEpisode | None, limit: int) -> str:
    names = f" {TEMPLATES.fill('describe_names')}" if tried else ""
    return TEMPLATES.fill("describe", signature=action.signature, limit=limit) + names


def _example_call(tried: PlayedEpisode) -> str:
    """The usage line that ran, with what it did."""
    turn = tried.result.turns[0]
    ended = f"\n{TEMPLATES.fill('ended_at_goal')}" if tried.result.success else ""
    return section("Example call", f"{turn.said}\n{primitives_made(tried, turn, 'It')}{ended}")


async def _usage_example(training: Training, proposal_id: ProposalId, library: Library) -> str:
    """A short trajectory that uses the functions, for the goal and first observation of the domain's
    example: played, or (published) as the model imagines it.
    """
    rules = training.trial.rules
    if not rules.show_usage_example:
        return ""
    example = training.domain.example
    start = opening(example.goal, example.first_observation)
    if rules.usage_example == "written":
        reply = await training.ask(
            "usage",
            learner_prompt(
                training.scene(),
                code_section(library),
                section("Example task", start),
                answer=TEMPLATES.fill("usage_written"),
            ),
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
        )
        steps = learner_replies.trajectory(reply.text)
        return f"{start}\n{steps}" if steps else ""
    return await _played_example(training, proposal_id, library)


async def _played_example(training: Training, proposal_id: ProposalId, library: Library) -> str:
    """The calls that the model proposes, with the environment's answers, up to the first that was not
    carried out; "" where no call of a function was, also when asked again.
    """
    task, feedback = training.example_task(), ""
    start = opening(*await training.opening(training.domain, task, training.trial.domain))
    worked = example_as_turns(training.domain.example, thoughts=False)
    for attempt in range(USAGE_TRIES):
        prompt = learner_prompt(
            training.scene(),
            code_section(library),
            notes_section(library),
            section("Example", f"{TEMPLATES.fill('solved')}\n{worked}") if worked.startswith(start) else "",
            section("Example task", start),
            feedback,
            answer=TEMPLATES.fill("usage"),
        )
        reply = await training.ask(
            "usage",
            prompt,
            iteration=proposal_id.iteration,
            candidate=proposal_id.candidate,
            attempt=attempt,
        )
        calls = _proposed_calls(reply.text)
        problem = "It holds no call."
        if calls:
            played = await training.play_calls(calls, library, task)
            done = [turn for turn in played.result.turns if turn.ok]
            if any(turn.learned for turn in done):
                return f"{start}\n{''.join(history_entries(done))}".rstrip()
            problem = f"No function was called with success:\n{''.join(history_entries(played.result.turns))}"
        feedback = section("Your last answer", f"{reply.text.strip()}\n\n{problem}")
    return ""


def _proposed_calls(reply: str) -> list[str]:
    """The calls of a usage example; observations that the model imagined are left out."""
    steps = learner_replies.trajectory(reply).splitlines()
    return [s.removeprefix("Action: ") for s in steps if s.startswith("Action: ")][:MOST_CALLS]
