"""AWM, agent workflow memory (Wang et al., 2024, arXiv 2409.07429), our adaptation: workflows in words from
solved tasks. The counterpart in text of ASI.

The agent plays the training tasks in order with the workflows so far. From each attempt that the learner
model judges to be successful (it sees no reward) it writes workflows: parts that will come up again, with
placeholders for names. All workflows stand in the agent's prompt. With a matched budget it goes through the
training tasks again until that is spent.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from learnact.methods import learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, MethodOptions, Positive, WorkBound
from learnact.methods.experience import Grown, one_after_another
from learnact.methods.failures import attempt, told
from learnact.methods.judge import judged
from learnact.methods.prompt_sections import section
from learnact.methods.training import TEMPLATES, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import Library


class AwmOptions(MethodOptions):
    """Options of AWM."""

    awm_workflows: Positive = 3
    """AWM: workflows from one attempt at most (`prompts/learner/workflows.txt` asks for as many)."""


class Awm(Learner[AwmOptions]):
    """Workflows in words. Prompts: `prompts/learner/workflows.txt`, `verify*.txt`."""

    name = "awm"
    learns_from = "training episodes that are judged successful"
    keeps = "workflows in words"
    options = AwmOptions
    asks_for = frozenset({"verify", "workflows"})

    async def learn(self, training: Training, options: AwmOptions) -> Learned:
        """Workflows as lessons.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        learn_from = partial(_with_workflows, training, options)
        return Learned(await one_after_another(training, "workflow", learn_from))

    def bound(self, options: AwmOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Each training task once, a judgement and a request for each; a matched budget may add rounds."""
        return WorkBound(tasks, 2 * tasks)


async def _with_workflows(
    training: Training, options: AwmOptions, number: int, library: Library, played: PlayedEpisode
) -> Grown:
    """The library with the workflows of an attempt, or as it was with the reason."""
    happened = told(played.result, played.result.turns)
    solved, critique = await judged(training, happened, iteration=number, attempt=0)
    if not solved:
        return library, f"the attempt was judged to have failed: {critique or 'no reason was given'}"
    known = section("Workflows", "\n".join(f"- {workflow}" for workflow in library.lessons))
    prompt = learner_prompt(
        training.scene(),
        known,
        section("What happened", attempt(played)),
        answer=TEMPLATES.fill("workflows", count=options.awm_workflows),
        system="reflect_system",
    )
    reply = await training.ask("workflows", prompt, iteration=number)
    found = learner_replies.workflows(reply.text)[: options.awm_workflows]
    if not found:
        return library, "the answer holds no workflow"
    return replace(library, lessons=tuple(dict.fromkeys((*library.lessons, *found)))), ""


METHOD = Method("awm", ACT, Awm(), "Act with workflows in words from solved tasks")
