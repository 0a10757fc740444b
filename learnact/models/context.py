"""Fitting a prompt into a model's context: the oldest turns go first; instruction, goal, first observation and request never go.

Sizes are estimates from characters, since an arbitrary endpoint's tokenizer is unknown; where a server refuses a prompt as too long, its
own count corrects the estimate. A limit learned so is used for that prompt only: remembered for others, it would make what is sent depend
on which request came first. State the model's `context` to save the refused request.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass

from learnact.models.client import RejectedRequest
from learnact.models.negotiation import completion_limit
from learnact.records import ModelSpec, Prompt

BYTES_PER_TOKEN = 3.5
"""UTF-8 bytes to a token, a little low for English and code (near 4), so that estimates err on the long side."""

MESSAGE_TOKENS = 8
"""Tokens that a chat template adds to a message, at most, for known templates."""

_LIMITS = (
    r"maximum context length (?:is|of) (\d+)",
    r"context (?:length|window|size|limit)[^\d.]{0,40}(\d+)",
    r"> (\d+) maximum",
    r"> (\d+)",
    r"maximum (?:input|prompt)[^\d.]{0,40}(\d+)",
)
_ASKED = (
    r"\((\d+) in the messages",
    r"messages resulted in (\d+)",
    r"prompt contains (?:at least )?(\d+)",
    r"(?:prompt|input)[^\d.]{0,30}(\d+) tokens",
    r"too long: (\d+)",
    r"'n_prompt_tokens': (\d+)",
)
_TOO_LONG = re.compile(
    r"(?i)context[ _](length|window|size|limit)|prompt is too long|too many (input )?tokens|reduce the length|exceeds? the (maximum|available)"
)


@dataclass(frozen=True)
class TooLong:
    """What a server said of a prompt that it refused as too long: its limit and its count of the prompt, None where unsaid."""

    limit: int | None
    asked: int | None


def estimate(prompt: Prompt) -> int:
    """Tokens of a prompt, estimated."""
    texts = (prompt.system, *prompt.fixed, *prompt.history, prompt.request)
    size = sum(len(text.encode()) for text in texts)
    return math.ceil(size / BYTES_PER_TOKEN) + MESSAGE_TOKENS * len(prompt.messages())


def fit(prompt: Prompt, model: ModelSpec) -> Prompt:
    """The prompt without its oldest turns, as far as the model's stated context asks for it. Unchanged where none is stated."""
    if model.context is None:
        return prompt
    return shrink(prompt, model.context - (completion_limit(model) or 0))


def shrink(prompt: Prompt, tokens: int, per_estimate: float = 1.0) -> Prompt:
    """Drop the oldest turns until at most `tokens` remain or no history is left. `per_estimate` corrects the estimate."""
    while prompt.history and estimate(prompt) * per_estimate > tokens:
        prompt = without_oldest_turn(prompt)
    return prompt


def without_oldest_turn(prompt: Prompt) -> Prompt:
    """Drop the oldest turn: an action and its observation, or what is left of one (entries of an episode are counted from 0)."""
    count = min(len(prompt.history), 2 - prompt.history_start % 2)
    return dataclasses.replace(
        prompt, history=prompt.history[count:], history_start=prompt.history_start + count
    )


def shorter(prompt: Prompt, model: ModelSpec, said: TooLong) -> Prompt:
    """The prompt to send after a refusal: at least one turn shorter; by a third where the server gave no numbers."""
    now = estimate(prompt)
    ratio = said.asked / now if said.asked else 1.0
    target = said.limit - (completion_limit(model) or 0) if said.limit else int(now * ratio * 2 / 3)
    return shrink(without_oldest_turn(prompt), target, ratio)


def too_long(refusal: RejectedRequest) -> TooLong | None:
    """Reads a refusal: None unless it says that prompt (and reply) exceed the context."""
    if refusal.status not in (400, 413, 422):
        return None
    if refusal.code != "context_length_exceeded" and not _TOO_LONG.search(refusal.message):
        return None
    return TooLong(_number(_LIMITS, refusal.message), _number(_ASKED, refusal.message))


def _number(patterns: tuple[str, ...], text: str) -> int | None:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    for pattern in patterns:
        if found := re.search(pattern, plain, re.IGNORECASE):
            return int(found[1])
    return None
