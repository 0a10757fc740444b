"""The learner model as judge of an attempt: it sees the goal and what was observed, never the environment's
own verdict (Voyager, ASI, AWM). Prompt: `prompts/learner/verify*.txt`.
"""

from __future__ import annotations

from learnact.methods import learner_replies
from learnact.methods.prompt_sections import section
from learnact.methods.training import TEMPLATES, Training, learner_prompt


async def judged(training: Training, happened: str, *, iteration: int, attempt: int) -> tuple[bool, str]:
    """Whether the model says that the goal was reached, and what it criticises.

    Raises:
        Blocked: the model could not be reached.
    """
    prompt = learner_prompt(
        training.scene(),
        section("What happened", happened),
        answer=TEMPLATES.fill("verify"),
        system="verify_system",
    )
    reply = await training.ask("verify", prompt, iteration=iteration, attempt=attempt)
    return learner_replies.verdict(reply.text)
