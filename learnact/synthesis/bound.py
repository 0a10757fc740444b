"""What a synthesis does and costs at most, before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass

from learnact.records import Prompt, Tokens
from learnact.report.estimate import CHARS_PER_TOKEN, REPLY_TOKENS, cost
from learnact.synthesis.generation import TEMPLATES, ExamplePlan, script_prompt
from learnact.synthesis.job import SynthesisJob
from learnact.synthesis.verification import BrokenRule

PROBLEM_CHARS = 400
"""What the words about a broken rule take."""


@dataclass(frozen=True)
class SynthesisBound:
    """Upper bounds: every example that may begin uses all its calls, and every reply is as long as it may be.

    `least_calls` are those of the wanted trajectories when every reply is accepted at once. `dollars` is None
    where the model has no prices.
    """

    examples: int
    least_calls: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None


def bound(job: SynthesisJob) -> SynthesisBound:
    """What a job does at most."""
    config, model = job.config, job.model
    reply = model.max_tokens or REPLY_TOKENS
    longest = max(job.personas, key=len)
    plan = ExamplePlan("", 0, longest, 1, model, 0)
    script = _tokens(script_prompt(plan, BrokenRule("", "x" * PROBLEM_CHARS)))
    play = -(-len(TEMPLATES.fill("system") + TEMPLATES.fill("play")) // CHARS_PER_TOKEN) + reply
    play += (
        PROBLEM_CHARS + len(TEMPLATES.fill("play_ask_rest", next=1000, role="Player"))
    ) // CHARS_PER_TOKEN
    # Turns that are kept stand in the next prompt again: after k calls at most k replies.
    plays = sum(play + before * reply for before in range(config.trajectory_calls))
    examples = job.most_examples
    each = config.script_calls + config.trajectory_calls
    prompts = examples * (config.script_calls * script + plays)
    completions = examples * each * reply
    return SynthesisBound(
        examples=examples,
        least_calls=2 * config.trajectories,
        calls=examples * each,
        prompt_tokens=prompts,
        completion_tokens=completions,
        dollars=cost(model, Tokens(prompts, 0, completions, 0)),
    )


def _tokens(prompt: Prompt) -> int:
    return -(-sum(len(message.content) for message in prompt.messages()) // CHARS_PER_TOKEN)
