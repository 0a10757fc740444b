"""Agents that play a program, open-loop: a fixed one (to validate what a learner wrote), or one that the model writes first."""

from __future__ import annotations

from learnact.methods.action_replies import code_of
from learnact.methods.episode import EpisodeRun
from learnact.methods.prompt_sections import TEXTS, as_program, code_rules, turn_prompt
from learnact.records import ActionError


async def program(stage: EpisodeRun) -> None:
    """Run the program that the episode carries. Asks no model."""
    await stage.run(stage.episode.agent.program, stage.episode.agent.program)


async def code_as_policies(stage: EpisodeRun) -> None:
    """Code as Policies (Liang et al., 2023): one completion, a whole program that may define functions, run once."""
    answer = TEXTS.fill(
        "code_as_policies", rules=code_rules(stage.episode.rules, stage.episode.budget.primitives_per_call)
    )
    prompt = turn_prompt(
        stage.episode,
        stage.domain,
        stage.goal,
        stage.first_observation,
        (),
        answer,
        as_program,
        system="code_as_policies_system",
    )
    reply = await stage.ask(prompt)
    code = code_of(reply.text)
    if code:
        await stage.run(reply.text, code)
    else:
        stage.fail(reply.text, "", ActionError("Unreadable", "The reply holds no Python code."))
