"""From a decoded body to a `Reply`: validation, thinking text taken out, tokens counted and priced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from learnact.models.client import RetryableError
from learnact.records import Prices, Reply, Tokens

_TAGS = "think|thinking|thought|reasoning"
_BLOCK = re.compile(rf"<({_TAGS})>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_CLOSED_ONLY = re.compile(rf"\A(.*?)</({_TAGS})>", re.DOTALL | re.IGNORECASE)
_OPEN_ONLY = re.compile(rf"\A\s*<({_TAGS})>(.*)\Z", re.DOTALL | re.IGNORECASE)
_HARMONY = re.compile(r"<\|channel\|>final<\|message\|>(.*?)(?:<\|(?:end|return)\|>|\Z)", re.DOTALL)


def read(body: object, prices: Prices, where: str) -> Reply:
    """A reply from the body of a chat completion. Raises `Trouble` (kind "reply") for what is none.

    Missing usage gives zero tokens and no cost. A reply cut by length is a reply; one stopped by a content filter is not.
    """
    if not isinstance(body, Mapping):
        start = " ".join(str(body)[:120].split())
        raise RetryableError("reply", f"{where} answered with something other than JSON: {start!r}")
    choice = _choice(body, where)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise RetryableError("reply", f"{where} answered with a choice that has no message")
    finish = str(choice.get("finish_reason") or "stop")
    if finish == "content_filter":
        raise RetryableError("reply", f"{where}: the provider's content filter stopped the reply")
    usage = body.get("usage") if isinstance(body.get("usage"), Mapping) else None
    tokens = tokens_of(usage)
    text, inline = split_thinking(_text(message))
    given = message.get("reasoning_content") or message.get("reasoning") or ""
    reasoning = "\n".join(part for part in (given if isinstance(given, str) else "", inline) if part)
    if message.get("content") is None and not text and not reasoning and not tokens.completion:
        raise RetryableError("reply", f"{where} answered with an empty message")
    return Reply(
        text=text,
        finish=finish,
        reasoning=reasoning,
        tokens=tokens,
        cost=cost(tokens, prices) if usage is not None else None,
        model=str(body.get("model") or ""),
        fingerprint=str(body.get("system_fingerprint") or ""),
    )


def vectors(body: object, count: int, where: str) -> tuple[tuple[tuple[float, ...], ...], Mapping[str, Any]]:
    """Embedding vectors in the order of the texts, and the body. Raises `Trouble` for what is none."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(data, list) or len(data) != count:
        raise RetryableError("reply", f"{where} did not answer with {count} embedding vectors")
    try:
        ordered = sorted(data, key=lambda row: int(row["index"]))
        return tuple(tuple(float(x) for x in row["embedding"]) for row in ordered), body
    except (KeyError, TypeError, ValueError):
        raise RetryableError("reply", f"{where} answered with malformed embedding vectors") from None


def split_thinking(text: str) -> tuple[str, str]:
    """Text without thinking, and the thinking: blocks in tags, also where the opening tag was in the template or the closing one was cut."""
    if final := _HARMONY.search(text):
        return final[1].strip(), text[: final.start()].strip()
    if "<" not in text:
        return text, ""
    thoughts = [found[2].strip() for found in _BLOCK.finditer(text)]
    rest = _BLOCK.sub("", text)
    if closed := _CLOSED_ONLY.match(rest):
        thoughts.insert(0, closed[1].strip())
        rest = rest[closed.end() :]
    if opened := _OPEN_ONLY.match(rest):
        thoughts.append(opened[2].strip())
        rest = ""
    return (rest.strip(), "\n".join(t for t in thoughts if t)) if rest != text else (text, "")


def tokens_of(usage: Mapping[str, Any] | None) -> Tokens:
    """Counted tokens from a usage object, in the forms that servers give it."""
    usage = usage or {}
    details, completion = (
        _details(usage, "prompt_tokens_details"),
        _details(usage, "completion_tokens_details"),
    )
    return Tokens(
        prompt=_count(usage, "prompt_tokens"),
        cached=_count(details, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens"),
        completion=_count(usage, "completion_tokens"),
        reasoning=_count(completion, "reasoning_tokens"),
    )


def cost(tokens: Tokens, prices: Prices) -> float | None:
    """US dollars, None where a price is missing. Cached tokens cost what prompts cost unless they have a price of their own."""
    if prices.prompt is None or prices.completion is None:
        return None
    cached = prices.prompt if prices.cached is None else prices.cached
    fresh = tokens.prompt - tokens.cached
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


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, Mapping) else {}


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
