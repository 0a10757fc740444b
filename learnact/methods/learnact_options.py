"""The options of LearnAct (docs/jobs.md, `learner`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from learnact.methods.base import Count, MethodOptions, Positive, Temperature
from learnact.methods.proposals import Check
from learnact.methods.selector import Ties
from learnact.records import ScoreTerm


class LearnActOptions(MethodOptions):
    """Options of LearnAct. Where two values are named, the second is that of the published code, unless it
    says otherwise."""

    candidates: Positive = 4
    """K: new candidate libraries in each iteration."""
    iterations: Count = 2
    """I: rounds of improvement after the first choice."""
    create_tries: Positive = 4
    """Tries of one proposal before it counts as not created."""
    score: tuple[ScoreTerm, ...] = ()
    """Terms of the selector; none given: those of the domain."""
    ties: Ties = "efficient"
    """Of equal scores the one with fewer turns wins, then fewer tokens, then the earlier; or the earlier
    (published)."""
    updates: bool = True
    """The learner may rewrite functions."""
    notes: bool = True
    """The learner may add notes."""
    sampling: bool = True
    """false: one candidate only (K = 1)."""
    learning: bool = True
    """false: sampling only, no iterations."""
    proposal_temperature: Temperature = 0.7
    """Temperature of proposals; null sends none. With the agent's 0 a deterministic server gives K equal
    proposals; 0.7 makes them differ and still gives code that parses nearly always."""
    distinct: bool = True
    """A proposal that equals an earlier one is asked for once more, with the earlier ones in the prompt; one
    that is still equal is not played (published: false)."""
    check: Check = "no_effect"
    """Whether primitives of a usage line that had no effect go back to the learner, once; or exceptions only
    (published)."""
    verify: Literal["usage_line", "replay"] = "usage_line"
    """What a proposal must do before it is played: its usage line runs (published); or also, after ASI, a
    function is kept only if the played usage example called it with success, and an update only if the calls
    that solved training tasks still solve them with it (`replay`; asks no model)."""
    vary_prompt: bool = False
    """Ask for a different decomposition in the prompt: for models that take neither a temperature nor a
    seed.
    """
    uncreated: Literal["drop", "empty"] = "drop"
    """A proposal that could not be created is dropped, or plays with no actions and can win (published). An
    improvement that could not be created is always dropped."""
    incumbent: Literal["keep", "replay"] = "keep"
    """The previous best keeps its score, or plays again (published)."""
    learn_from: Literal["failed_calls", "failed_tasks"] = "failed_calls"
    """Look for failed calls in all episodes, or in those of unsolved tasks only. Published: failed_calls."""
    stop: Literal["no_failed_call", "all_solved"] = "no_failed_call"
    """Stop when no learned call failed, or when every training task is solved. Published: no_failed_call."""
    racing: bool = False
    """Stop a candidate as soon as another is surely better; it then has no score. Needs terms of the score
    that are means over tasks (`score: [progress]`), and training tasks by the dozen."""
    error_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Racing: with what probability, at most, learning may end otherwise than without it."""
    racing_block: Positive = 4
    """Racing: training tasks between two decisions. More wait for each other less, fewer stop earlier."""
    test_each_iteration: bool = False
    """Test the winner of each iteration."""
    test_every_candidate: bool = False
    """Test all candidates of all iterations."""
