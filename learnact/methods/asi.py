"""ASI, agent skill induction (Wang et al., COLM 2025, arXiv 2504.06821), our adaptation: functions from
solved tasks, kept only when they do the task again.

The agent plays the training tasks in order with the functions so far. Where the learner model judges an
attempt of at least `asi_steps` steps to be successful (it sees no reward), it is shown the steps that had an
effect and writes functions with the calls that solve the task again. These calls are made in the task from
its beginning. The functions are kept only if every primitive action then has an effect, a new function is
called, and the model judges that the goal was reached; else nothing changes. With a matched budget it goes
through the training tasks again until that is spent.
"""

from __future__ import annotations

from functools import partial

from learnact.errors import LibraryError
from learnact.library.merge import merge
from learnact.methods import learner_replies
from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, MethodOptions, Positive, WorkBound
from learnact.methods.experience import Grown, one_after_another
from learnact.methods.explanations import DESCRIBE_TRIES, USAGE_TRIES, explain
from learnact.methods.failures import told
from learnact.methods.judge import judged
from learnact.methods.prompt_sections import section
from learnact.methods.proposals import (
    FUNCTIONS,
    ProposalId,
    code_section,
    function_example_section,
    problems,
)
from learnact.methods.training import TEMPLATES, Learned, PlayedEpisode, Training, learner_prompt
from learnact.records import LearnedAction, Library, Prompt, Turn


class AsiOptions(MethodOptions):
    """Options of ASI."""

    asi_steps: Positive = 3
    """ASI: a shorter attempt is passed over."""


class Asi(Learner[AsiOptions]):
    """Functions induced from solved tasks and verified by replay. Prompts: `prompts/learner/induce.txt`,
    `verify*.txt`.
    """

    name = "asi"
    learns_from = "training episodes that are judged successful, replay"
    keeps = "functions, a usage example"
    options = AsiOptions
    writes_code = True
    asks_for = frozenset({"verify", "induce", "describe", "usage"})

    async def learn(self, training: Training, options: AsiOptions) -> Learned:
        """The functions that were verified.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        learn_from = partial(_with_skills, training, options)
        return Learned(await one_after_another(training, "skill", learn_from))

    def bound(self, options: AsiOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Each training task once, two judgements and one induction for each, and the explanation; a matched
        budget may add rounds.
        """
        return WorkBound(tasks, tasks * (3 + USAGE_TRIES + DESCRIBE_TRIES * FUNCTIONS))


async def _with_skills(
    training: Training, options: AsiOptions, number: int, library: Library, played: PlayedEpisode
) -> Grown:
    """The library with the functions that an attempt gave, or as it was with the reason."""
    done = tuple(turn for turn in played.result.turns if turn.ok and turn.kind == "action")
    if len(done) < options.asi_steps:
        return library, f"the attempt has fewer than {options.asi_steps} steps"
    happened = told(played.result, played.result.turns)
    solved, critique = await judged(training, happened, iteration=number, attempt=0)
    if not solved:
        return library, f"the attempt was judged to have failed: {critique or 'no reason was given'}"
    reply = await training.ask("induce", _prompt(training, library, played, done), iteration=number)
    proposal = learner_replies.proposal(reply.text)
    try:
        grown = merge(library, proposal.code)
    except LibraryError as error:
        return library, str(error)
    problem = problems(training, proposal.code, grown) or ("" if proposal.usage else "there is no usage line")
    if problem:
        return library, problem
    replayed = await training.validate(proposal.usage, grown, played.episode.task)
    problem = await _not_verified(training, number, library, grown, replayed)
    if problem:
        return library, problem
    return await explain(training, ProposalId(number, 0), grown, replayed), ""


def _prompt(training: Training, library: Library, played: PlayedEpisode, done: tuple[Turn, ...]) -> Prompt:
    known = f" {TEMPLATES.fill('code_known')}" if library.actions else ""
    return learner_prompt(
        training.scene(),
        function_example_section(training),
        code_section(library) if library.actions else "",
        section("What was done", told(played.result, done)),
        answer=TEMPLATES.fill("induce", known=known, rules=training.function_rules),
    )


async def _not_verified(
    training: Training, number: int, library: Library, grown: Library, replayed: PlayedEpisode
) -> str:
    """Why the functions are not kept; "" when the replay verifies them."""
    turn = replayed.result.turns[0]
    if turn.error is not None:
        return f"replayed, the calls were stopped by {turn.error.type}: {turn.error.message}"
    failed = next((step for step in turn.steps if not step.ok), None)
    if failed is not None:
        return f"replayed, {failed.command} had no effect"
    if not called(turn.said, new_actions(library, grown)):
        return "replayed, no new function was called"
    reached, critique = await judged(
        training, told(replayed.result, replayed.result.turns), iteration=number, attempt=1
    )
    return "" if reached else f"replayed, the goal was judged not to be reached: {critique}"


def new_actions(old: Library, new: Library) -> list[LearnedAction]:
    """The functions of a library that an older one does not have in the same form."""
    known = {(a.name, a.source) for a in old.actions}
    return [a for a in new.offered if (a.name, a.source) not in known]


def called(program: str, actions: list[LearnedAction]) -> bool:
    """Whether a line of calls calls one of the functions."""
    return any(f"{action.name}(" in program for action in actions)


METHOD = Method("asi", ACT, Asi(), "Act with functions from solved tasks, verified by replay")
