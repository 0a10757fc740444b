"""Fitting a prompt into a model's context: the oldest turns go first.

Instruction, goal, first observation and request never go. Sizes are estimates from characters, since an
arbitrary endpoint's tokenizer is unknown. A stated context is kept to before anything is sent. Where none is
stated, or it is wrong, the server refuses the prompt; then a quarter of the history goes at a time until the
server takes it. Numbers in a refusal are not read: servers mean different things by them. The smallest size
that an endpoint refused is kept for the endpoint, so that later prompts are not sent only to be refused."""

from __future__ import annotations

import dataclasses
import math
import re

from learnact.models.client import RejectedRequest
from learnact.models.negotiation import completion_limit
from learnact.records import ModelSpec, Prompt

BYTES_PER_TOKEN = 3.5
"""UTF-8 bytes to a token, a little low for English and code (near 4), so that estimates err on the long
side."""

MESSAGE_TOKENS = 8
"""Tokens that a chat template adds to a message, at most, for known templates."""

KEPT_SHARE = 0.75
"""The share of the history that is kept after a refusal."""

_PROMPT = r"(?:prompt|input|inputs|context|sequence|message|messages|conversation|request|text)"
_TOO_LONG = re.compile(
    rf"""(?ix)
    context[ _-]?(length|window|size|limit|budget) | max_model_len | max(imum)?[ _-]model[ _-]len(gth)?
  | \b{_PROMPT}\b .{{0,80}}? \b(is|are|was|were)?\s*(too|so)[ _](long|large|big|many)
  | \b{_PROMPT}\b .{{0,80}}? \b(longer|larger|bigger|greater|more)\ than
  | \b{_PROMPT}\b .{{0,80}}? \b(exceed(s|ed|ing)?|over|beyond)\b
      .{{0,40}}? (limit|maximum|length|budget|tokens?|window|\d)
  | \btokens?\b .{{0,60}}? \b(exceed(s|ed|ing)?|over)\b .{{0,40}}? (limit|maximum|length|budget|\d)
  | (exceed(s|ed|ing)?|over)\b .{{0,40}}? \b(model|tokens?|context|prompt|input)\b
      .{{0,20}}? (limit|length|window)
  | too\ many\ (total\ )?(input\ |prompt\ |text\ )?(tokens|bytes)
  | tokens?[_ ]limit[_ ]exceeded | (input|prompt)[_ ](is[_ ])?too[_ ]l(arge|ong)
  | max(imum)?\ (allowed\ )?(prompt|input|sequence|context)\ (length|size|tokens?)
  | (range\ of\ )?(input|prompt)\ length\ (should|must)
  | \b{_PROMPT}\b['`"]? .{{0,40}}? \bmust\ (be|have)\ (<|≤|less|at\ most|no\ more|fewer|shorter)
  | \b{_PROMPT}\b['`"]? \ tokens .{{0,60}}? \bmust\ be\ (<|≤|less|at\ most|no\ more|fewer)
  | (reduce|shorten)\ (the\ |your\ )?(length|size|prompt|input|messages?)
  | max_(completion_|new_)?tokens\ must\ be\ at\ least\ 1,\ got\ -\d
    """
)
_ABOUT_REPLY = re.compile(
    r"(?i)max_(?:completion_|output_|new_)?tokens\b['`\"]?[^.]{0,20}too (?:large|high|big)"
    r"|(?:output|completion) tokens|max_tokens: \d+ >"
)
_ABOUT_CONTEXT = re.compile(r"(?i)context|prompt|input|messages")


def estimate(prompt: Prompt) -> int:
    """Tokens of a prompt, estimated."""
    return tokens_of_texts(
        (prompt.system, *prompt.fixed, *prompt.history, prompt.request, prompt.tools)
    ) + MESSAGE_TOKENS * len(prompt.messages())


def tokens_of_texts(texts: tuple[str, ...]) -> int:
    """Tokens of texts, estimated."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return math.ceil(size / BYTES_PER_TOKEN)


def fit(prompt: Prompt, model: ModelSpec) -> Prompt:
    """The prompt without its oldest turns, as far as the model's stated context asks for it."""
    if model.context is None:
        return prompt
    return shrink(prompt, model.context - (completion_limit(model) or 0))


def shrink(prompt: Prompt, tokens: int) -> Prompt:
    """Drop the oldest turns until at most `tokens` remain or no history is left."""
    while prompt.history and estimate(prompt) > tokens:
        prompt = without_oldest_turn(prompt)
    return prompt


def without_oldest_turn(prompt: Prompt) -> Prompt:
    """Drop the oldest turn: an action and its observation, or what is left of one.

    Entries of an episode are counted from 0, so the even ones begin a turn.
    """
    count = min(len(prompt.history), 2 - prompt.history_start % 2)
    return dataclasses.replace(
        prompt, history=prompt.history[count:], history_start=prompt.history_start + count
    )


def shorter(prompt: Prompt) -> Prompt:
    """The prompt to send after a refusal: without the oldest quarter of its history, and at least one turn
    shorter."""
    kept = int(tokens_of_texts(prompt.history) * KEPT_SHARE)
    prompt = without_oldest_turn(prompt)
    while prompt.history and tokens_of_texts(prompt.history) > kept:
        prompt = without_oldest_turn(prompt)
    return prompt


def below(prompt: Prompt, refused: int | None) -> Prompt:
    """The prompt, shortened in the same shares as after refusals until it is smaller than a size that was
    refused.

    The last turn stays: sizes are estimates, so only the server's own refusal may leave a prompt without any
    history."""
    while refused is not None and estimate(prompt) >= refused and (less := shorter(prompt)).history:
        prompt = less
    return prompt


def too_long(refusal: RejectedRequest) -> bool:
    """Whether a refusal says that the prompt (with the reply) exceeds the context; a limit of the reply alone
    is not meant."""
    if refusal.status == 413 or refusal.code in ("context_length_exceeded", "string_above_max_length"):
        return True
    return refusal.status in (400, 422) and says_too_long(refusal.text)


def says_too_long(text: str) -> bool:
    """Whether a server's words are about the length of the prompt."""
    text = " ".join(text.split())
    if _ABOUT_REPLY.search(text) and not _ABOUT_CONTEXT.search(text):
        return False
    return bool(_TOO_LONG.search(text))
