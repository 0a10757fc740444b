"""Parameters of a request, and which of them an endpoint refuses.

A refused parameter is left out (or, for the two names of the token limit, exchanged) for this endpoint from
then on. What is sent is a function of the model's settings and of what the endpoint refuses, never of timing:
the call that met the refusal is sent again."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from learnact.models.client import RejectedRequest
from learnact.records import ModelSpec, Prompt, canonical

HEADROOM = {"minimal": 1024, "low": 4096, "medium": 8192, "high": 16384, "xhigh": 32768}
"""Tokens added to the limit of a reply for thinking, by reasoning effort; unknown efforts get the largest."""

SYSTEM = "system"
"""Stands among the refused parameters for the system role: its text is put before the user message
instead."""

_OPTIONAL = (
    "stop",
    "temperature",
    "top_p",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "parallel_tool_calls",
)
_SAYS_NO = re.compile(
    r"(?i)unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|"
    r"forbidden|extra inputs|cannot both|only the default|not available|deprecated|"
    r"not (a )?valid (parameter|argument|field)|invalid (parameter|argument|field)|"
    r"must be (1|unset|omitted)\b|is not (accepted|implemented)"
)
_ABOUT_VALUE = re.compile(
    r"(?i)too (large|small|high|low|long|many|big)|at (most|least)|between|"
    r"(less|greater|more|fewer|smaller|larger) than|\brange\b|exceed|out of|maximum|minimum|positive|"
    r"negative|must be (an? )?(int|float|number|string|list|array)|[<>≤≥]"
)
_ROLE = re.compile(
    r"(?i)system (role|message|prompt|instruction)|role '?\"?system|'system'|developer instruction"
)
_TOOLS = r"\b(tools?|tool[ _-]?(use|calls?|calling|choice)|functions?[ _-]call(s|ing)?)\b"
_NO_TOOLS = re.compile(
    rf"(?i)(\bnot|n't|\bno|unsupported|unrecognized|unknown|unexpected|extra|requires?)\b[^.]{{0,80}}{_TOOLS}"
    rf"|{_TOOLS}[^.]{{0,80}}\b(not (supported|permitted|allowed|available|enabled)|unsupported|"
    r"requires?|disabled)"
    r"|tool[ _]role|role '?\"?tool"
)
_ONLY_ROLES = re.compile(r"(?i)only user and assistant roles|roles must alternate")


def completion_limit(model: ModelSpec) -> int | None:
    """Tokens that a reply may have, thinking included; None: the server's own limit."""
    if model.max_tokens is None:
        return None
    if model.effort is None or model.effort == "none":
        return model.max_tokens
    return model.max_tokens + HEADROOM.get(model.effort, HEADROOM["xhigh"])


def parameters(model: ModelSpec, seed: int, refused: frozenset[str], tools: bool = False) -> dict[str, Any]:
    """The request's fields without messages and tools; those refused are left out.

    `tools`: some are offered; one call a reply is then asked for.
    """
    fields: dict[str, Any] = {
        "temperature": model.temperature,
        "top_p": model.top_p,
        "seed": seed if model.send_seed else None,
        "stop": list(model.stop) or None,
        "reasoning_effort": model.effort,
        "parallel_tool_calls": False if tools else None,
    }
    names = ["max_tokens", "max_completion_tokens"]
    for name in reversed(names) if model.effort else names:
        if name not in refused:
            fields[name] = completion_limit(model)
            break
    sent = {k: v for k, v in fields.items() if v is not None and k not in refused}
    return {"model": model.name, **sent, **json.loads(model.extra)}


def recorded(sent: dict[str, Any], refused: frozenset[str], odd: tuple[str, ...] = ()) -> str:
    """What is kept with a reply: canonical JSON of the fields sent.

    `refused` holds the sorted names of those that the endpoint did not take; `odd` the fields of its reply
    that made no sense."""
    notes = {"refused": sorted(refused), "odd": list(odd)}
    return canonical({**sent, **{name: found for name, found in notes.items() if found}})


def shaped(prompt: Prompt, refused: frozenset[str]) -> Prompt:
    """The prompt as this endpoint takes it: where the system role is refused, its text leads the user
    message."""
    if SYSTEM not in refused or not prompt.system:
        return prompt
    return dataclasses.replace(prompt, system="", fixed=(prompt.system + "\n\n", *prompt.fixed))


def offer(prompt: Prompt) -> dict[str, Any]:
    """The fields of a request that say what a reply may be: the tools on offer."""
    return {"tools": json.loads(prompt.tools)} if prompt.tools else {}


def refuses_tools(refusal: RejectedRequest) -> bool:
    """Whether a refusal says that the model or its endpoint has no tool calling."""
    if refusal.status not in (400, 404, 405, 422, 501):
        return False
    return refusal.parameter in ("tools", "tool_choice") or bool(_NO_TOOLS.search(refusal.text))


def refused_by(refusal: RejectedRequest, sent: dict[str, Any], system: bool) -> str | None:
    """Which optional parameter a refusal is about, or None when it is about something else.

    `system` says whether a system message was sent. Only a parameter that was sent is named, so that the
    negotiation ends. Words that say "no" decide; without any, a refusal that names one parameter and says
    nothing about its value is taken to be about it."""
    if refusal.status not in (400, 404, 422):
        return None
    says_no = bool(_SAYS_NO.search(refusal.text)) or refusal.code.startswith("unsupported")
    about_role = refusal.parameter == "messages[0].role" or bool(_ONLY_ROLES.search(refusal.text))
    if system and (about_role or (says_no and _ROLE.search(refusal.text))):
        return SYSTEM
    optional = [name for name in _OPTIONAL if name in sent]
    named = [n for n in optional if re.search(rf"(?<![A-Za-z0-9_]){n}(?![A-Za-z0-9_])", refusal.text)]
    if refusal.parameter in optional and (says_no or not _ABOUT_VALUE.search(refusal.text)):
        return refusal.parameter
    if says_no and "top_p" in named and "temperature" in named:
        return "top_p"
    if says_no:
        return named[0] if named else None
    plain = [name for name in named if re.search(rf"['\"`\[(.]{name}\b|\b{name}['\"`\]):=]|_", refusal.text)]
    return plain[0] if len(named) == len(plain) == 1 and not _ABOUT_VALUE.search(refusal.text) else None
