"""What a call is expected to use, learned from what calls have used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from learnact.models.context import BYTES_PER_TOKEN
from learnact.models.reading import tokens_of

WEIGHT = 50
"""Calls after which an older one begins to count for less."""
UNKNOWN_REPLY = 1024
"""Tokens of a reply that nothing bounds, before one has come."""
LEAST_RATIO, MOST_RATIO = 0.1, 10.0


class TokenEstimator:
    """Expected tokens of one kind of call: the prompt's by its length, the reply's by earlier replies, with
    half a standard deviation to spare."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._calls = 0
        self._ratio = 1.0
        self._mean = float(most or UNKNOWN_REPLY)
        self._variance = 0.0

    def expect(self, prompt: int) -> int:
        """Tokens of a call whose prompt has about so many."""
        reply = self._mean + 0.5 * math.sqrt(self._variance)
        return max(
            1, math.ceil(prompt * self._ratio + (reply if self._most is None else min(reply, self._most)))
        )

    def learn(self, prompt: int, prompt_tokens: int, reply_tokens: int) -> None:
        """A call with a prompt of about `prompt` tokens used these."""
        self._calls = min(WEIGHT, self._calls + 1)
        weight = 1 / self._calls
        ratio = min(MOST_RATIO, max(LEAST_RATIO, prompt_tokens / max(1, prompt)))
        self._ratio += weight * (ratio - self._ratio)
        apart = reply_tokens - self._mean
        self._mean += weight * apart
        self._variance = 0.0 if self._calls == 1 else (1 - weight) * (self._variance + weight * apart**2)


def used_tokens(body: object, prompt: int) -> tuple[int, int]:
    """Tokens of prompt and reply by the server's count; estimated from the texts where it counts none.

    `prompt`: about so many tokens of the prompt.
    """
    fields = body if isinstance(body, Mapping) else {}
    usage = fields.get("usage")
    tokens, _ = tokens_of(usage if isinstance(usage, Mapping) else None)
    if tokens.prompt or tokens.completion:
        return tokens.prompt, tokens.completion
    return prompt, math.ceil(len(_text(fields).encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


def _text(body: Mapping[str, Any]) -> str:
    """The texts of a reply, thinking and tool calls included."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(message, Mapping):
        return ""
    parts = [message.get(name) for name in ("content", "reasoning", "reasoning_content", "tool_calls")]
    return "".join(part if isinstance(part, str) else str(part) for part in parts if part)
