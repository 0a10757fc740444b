"""From a decoded body to a `Reply`: each field is checked, thinking text is taken out, tokens are counted and
priced.

Time is linear in the length of the text. What makes no sense in a body is bounded, replaced and named in
`CheckedReply.odd`; it never raises anything but `RetryableError`."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learnact.models.client import RetryableError
from learnact.records import Prices, Reply, Tokens, ToolCall, canonical

MOST_TOKENS = 10**9
"""More than any model counts in one reply. A larger number in `usage` is a fault of the server's."""

TEXT_CHARS = 4_000_000
"""Bound on a reply's text: no token limit of a model gives as much."""

NAME_CHARS = 200
"""Bound on names that a server gives (model, fingerprint, finish reason)."""

MOST_TOOL_CALLS = 32
"""Bound on the tool calls of a reply that are kept; one is carried out."""

ARGUMENT_CHARS = 100_000
"""Bound on the arguments of a tool call."""

PROVIDER_STOPS = {
    "content_filter": "the provider's content filter stopped the reply",
    "error": "the provider ended the reply with an error",
    "abort": "the server gave up the reply",
    "network_error": "the provider ended the reply with an error",
    "insufficient_system_resource": "the provider had no resources for the reply",
}
"""Finish reasons that say nothing about the model's reply: the text was cut by the provider."""

_TAG = re.compile(
    r"<(?P<end>/?)(?:seed:)?(?P<name>think|thinking|thought|reasoning)>"
    r"|\[(?P<bracket_end>/?)(?P<bracket>(?-i:THINK))\]"
    r"|◁(?P<mark_end>/?)(?P<mark>think)▷"
    r"|<\|(?P<word_edge>begin|end)_of_(?P<word>thought)\|>"
    r"|<\|(?P<upper_edge>START|END)_(?P<upper>THINKING)\|>",
    re.IGNORECASE,
)
_HARMONY = re.compile(r"<\|channel\|>final<\|message\|>(.*?)(?:<\|(?:end|return)\|>|\Z)", re.DOTALL)
_HARMONY_OTHER = re.compile(r"<\|channel\|>(?:analysis|commentary)\b")


@dataclass(frozen=True)
class CheckedReply:
    """A reply, and the names of the fields in its body that made no sense and were replaced."""

    reply: Reply
    odd: tuple[str, ...] = ()


def read(body: object, prices: Prices, where: str) -> CheckedReply:
    """A reply from the body of a chat completion. Raises `RetryableError` (kind "reply") for what is none.

    Missing usage gives zero tokens and no cost. A reply cut by length is a reply, also when thinking used up
    the limit and no text is left; so is one that holds only tool calls (its finish reason then says so). An
    empty message without any tokens is none, nor is one that the provider ended (a content filter, an error).
    """
    if not isinstance(body, Mapping):
        start = " ".join(str(body)[:120].split())
        raise RetryableError("reply", f"{where} answered with something other than JSON: {start!r}")
    choice = _choice(body, where)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise RetryableError("reply", f"{where} answered with a choice that has no message")
    finish = _name(choice.get("finish_reason")) or "stop"
    if finish in PROVIDER_STOPS:
        raise RetryableError("reply", f"{where}: {PROVIDER_STOPS[finish]} (finish_reason {finish!r})")
    given = body.get("usage")
    usage = given if isinstance(given, Mapping) else None
    tokens, odd = tokens_of(usage)
    content = _text(message)
    if len(content) > TEXT_CHARS:
        raise RetryableError("reply", f"{where} answered with a text of {len(content)} characters")
    text, inline = split_thinking(content)
    other = message.get("reasoning_content") or message.get("reasoning") or ""
    reasoning = "\n".join(part for part in (other if isinstance(other, str) else "", inline) if part)
    tool_calls = called(message)
    if tool_calls and finish != "length":
        finish = "tool_calls"
    if not content and not reasoning and not tokens.completion and finish not in ("length", "tool_calls"):
        raise RetryableError("reply", f"{where} answered with an empty message")
    if given is not None and usage is None:
        odd = (*odd, "usage")
    reply = Reply(
        text=text,
        finish=finish,
        reasoning=reasoning[:TEXT_CHARS],
        tokens=tokens,
        cost=None
        if usage is None or "prompt_tokens" in odd or "completion_tokens" in odd
        else cost(tokens, prices),
        tool_calls=canonical(tool_calls) if tool_calls else "",
        model=_name(body.get("model")),
        fingerprint=_name(body.get("system_fingerprint")),
    )
    return CheckedReply(reply, odd)


def vectors(body: object, count: int, where: str) -> tuple[tuple[tuple[float, ...], ...], Mapping[str, Any]]:
    """Embedding vectors in the order of the texts, and the body. Raises `RetryableError` for what is none."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(data, list) or len(data) != count:
        raise RetryableError("reply", f"{where} did not answer with {count} embedding vectors")
    try:
        ordered = sorted(data, key=lambda row: int(row["index"]))
        found = tuple(tuple(float(x) for x in row["embedding"]) for row in ordered)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise RetryableError("reply", f"{where} answered with malformed embedding vectors") from None
    if not all(vector and all(map(math.isfinite, vector)) for vector in found):
        raise RetryableError("reply", f"{where} answered with embedding vectors that are empty or not finite")
    return found, body


def split_thinking(text: str) -> tuple[str, str]:
    """Text without thinking, and the thinking.

    Blocks in tags are taken out. What stands before a closing tag without an opening one is thinking (the
    chat template opened it). What follows an opening tag at the start of a line that is never closed is
    thinking (the reply was cut)."""
    if final := _HARMONY.search(text):
        return final[1].strip(), text[: final.start()].strip()
    if _HARMONY_OTHER.match(text.lstrip()):
        return "", text.strip()
    tags = list(_TAG.finditer(text))
    if not tags:
        return text, ""
    closing: dict[str, list[int]] = {}
    for index, tag in enumerate(tags):
        if _closes(tag):
            closing.setdefault(_kind(tag), []).append(index)
    said: list[str] = []
    thoughts: list[str] = []
    position = index = 0
    while index < len(tags):
        tag = tags[index]
        if _closes(tag):
            said.append(text[position : tag.start()])
            thoughts.append("".join(said))
            said, position = [], tag.end()
        else:
            ends = closing.get(_kind(tag), [])
            after = bisect_right(ends, index)
            if after < len(ends):
                said.append(text[position : tag.start()])
                index = ends[after]
                thoughts.append(text[tag.end() : tags[index].start()])
                position = tags[index].end()
            elif _begins_line(text, tag.start()):
                said.append(text[position : tag.start()])
                thoughts.append(text[tag.end() :])
                position = len(text)
                break
        index += 1
    said.append(text[position:])
    if not thoughts:
        return text, ""
    return "".join(said).strip(), "\n".join(t for t in map(str.strip, thoughts) if t)


def _closes(tag: re.Match[str]) -> bool:
    if tag["word"] or tag["upper"]:
        return (tag["word_edge"] or tag["upper_edge"]).lower() == "end"
    return bool(tag["end"] or tag["bracket_end"] or tag["mark_end"])


def _kind(tag: re.Match[str]) -> str:
    """Which tag it is, so that an opening one is matched with a closing one of its own kind."""
    return f"{tag.lastgroup} {(tag[tag.lastgroup or 0] or '').lower()}"


def _begins_line(text: str, position: int) -> bool:
    """Whether nothing but blanks stands before a position in its line.

    Looks at 80 characters at most, so that time is linear.
    """
    before = text[max(0, position - 80) : position]
    return not before.rpartition("\n")[2].strip()


def tokens_of(usage: Mapping[str, Any] | None) -> tuple[Tokens, tuple[str, ...]]:
    """Counted tokens from a usage object, in the forms that servers give it, and the names of odd fields.

    `cached` is part of `prompt`, `reasoning` part of `completion`. A server that counts one of them beside
    the other is read so that nothing is lost; so is one whose total is above the sum (thinking that it counts
    nowhere else)."""
    usage, odd = usage or {}, []

    def count(fields: Mapping[str, Any], name: str) -> int:
        number = _count(fields.get(name))
        if number is None:
            odd.append(name)
        return number or 0

    prompt_details = _details(usage, "prompt_tokens_details")
    completion_details = _details(usage, "completion_tokens_details")
    prompt, completion = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    cached = count(prompt_details, "cached_tokens") or count(usage, "prompt_cache_hit_tokens")
    reasoning = count(completion_details, "reasoning_tokens")
    total = count(usage, "total_tokens")
    if cached > prompt:
        odd.append("cached_tokens")
        prompt += cached
    if reasoning > completion:
        odd.append("reasoning_tokens")
        completion += reasoning
    if not odd and total > prompt + completion:
        odd.append("total_tokens")
        reasoning += total - prompt - completion
        completion = total - prompt
    return Tokens(prompt, cached, completion, reasoning), tuple(dict.fromkeys(odd))


def cost(tokens: Tokens, prices: Prices) -> float | None:
    """US dollars, never below 0; None where a price is missing.

    Cached tokens cost what prompts cost unless they have a price.
    """
    if prices.prompt is None or prices.completion is None:
        return None
    cached = prices.prompt if prices.cached is None else prices.cached
    fresh = max(0, tokens.prompt - tokens.cached)
    return (fresh * prices.prompt + tokens.cached * cached + tokens.completion * prices.completion) / 1e6


def _choice(body: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return choices[0]
    error = body.get("error")
    said = error.get("message") if isinstance(error, Mapping) else error
    raise RetryableError(
        "reply", f"{where} answered without choices" + (f": {str(said)[:200]}" if said else "")
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(
            str(p.get("text", "")) for p in content if isinstance(p, Mapping) and p.get("type") == "text"
        )
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def called(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The tools that a message calls, in whatever form servers give them; also the older `function_call`.

    Arguments become JSON text where they came as an object or a list. What has no name is left out.
    """
    given = message.get("tool_calls")
    listed: list[object] = given[:MOST_TOOL_CALLS] if isinstance(given, list) else [given]
    calls = [call for call in listed if isinstance(call, Mapping)]
    if not calls and isinstance(message.get("function_call"), Mapping):
        calls = [{"function": message["function_call"]}]
    found = []
    for call in calls:
        inner = call.get("function")
        function = inner if isinstance(inner, Mapping) else call
        name = _name(function.get("name"))
        if name.strip():
            arguments = _arguments(function.get("arguments", function.get("parameters")))
            found.append(ToolCall(_name(call.get("id")), name, arguments))
    return tuple(found)


def _arguments(value: object) -> str:
    """The arguments of a tool call as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:ARGUMENT_CHARS]
    try:
        return json.dumps(value, ensure_ascii=False)[:ARGUMENT_CHARS]
    except (ValueError, RecursionError):
        return ""


def _name(value: object) -> str:
    return value[:NAME_CHARS] if isinstance(value, str) else ""


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int | None:
    """A number of tokens; None for what is none (negative, huge, NaN, words, a truth value). Missing is 0."""
    if value is None:
        return 0
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_TOKENS:
        return None
    return int(value)
