"""BFCL's conversations as tasks: read from the package's data, chosen by seed."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from learnact.domains.base import Primitive
from learnact.domains.tools import package
from learnact.domains.tools.apis import Api, all_methods, api_of_class
from learnact.domains.tools.content import Conversation, ReferenceCall, UserTurn
from learnact.records import Task, seed_from

CATEGORIES = {"easy": "base", "published": "base", "hard": "miss_param", "harder": "miss_func"}
"""Which of the package's categories a level takes."""
EASY_TURNS = 2
"""Messages of a conversation at the level `easy`, which ends there."""
NOW_AVAILABLE = "You can use {0} now. What about my last request?"
"""What the user says where the package's own data have no message: its driver makes one up too."""
_OWN: tuple[Api, ...] = ("messages", "tickets", "files", "vehicle", "trading", "travel")
"""A conversation belongs to the first of these that it uses: each belongs to one domain."""


@dataclass(frozen=True)
class Kept:
    """A conversation of the package: its number (the same in every category) and the domain it belongs to."""

    number: int
    api: Api
    conversation: Conversation


def conversations(api: Api, level: str, only: Iterable[Api] | None, long_context: bool) -> list[Kept]:
    """The conversations of a domain at a level; `only`: those that use no other APIs."""
    category = "long_context" if long_context else CATEGORIES[level]
    allowed = set(only) if only is not None else None
    found = [
        k for k in _read(category) if k.api == api and (not allowed or allowed >= set(k.conversation.apis))
    ]
    if level == "easy":
        found = [Kept(k.number, k.api, _begun(k.conversation)) for k in found]
    return found


def apis_of(kept: Sequence[Kept]) -> tuple[Api, ...]:
    """The APIs that conversations use, the most used first."""
    used = [api for k in kept for api in k.conversation.apis]
    return tuple(sorted(set(used), key=lambda api: (-used.count(api), api)))


def shuffled(kept: Sequence[Kept], seed: int) -> list[Kept]:
    """The conversations in an order that the seed gives: the same one of their numbers at each level."""
    order = list(range(1000))
    random.Random(seed_from("tools", seed)).shuffle(order)
    return sorted(kept, key=lambda k: order[k.number])


def task_of(kept: Kept, domain: str, level: str) -> Task:
    """A conversation as a task. Its reference plan answers each message once."""
    conversation = kept.conversation
    calls = sum(len(turn.reference) for turn in conversation.turns)
    return Task(
        domain,
        f"{domain}-{level}-{kept.number}",
        conversation.pack(),
        calls + len(conversation.turns),
        {
            "level": level, "index": kept.number, "messages": len(conversation.turns),
            "apis": ", ".join(conversation.apis),
        },
    )  # fmt: skip


def _begun(conversation: Conversation) -> Conversation:
    return conversation.model_copy(update={"turns": conversation.turns[:EASY_TURNS]})


@cache
def _read(category: str) -> tuple[Kept, ...]:
    file = f"BFCL_v4_multi_turn_{category}.json"
    references = {line["id"]: line["ground_truth"] for line in _lines("possible_answer", file)}
    found = (_kept(line, references[line["id"]], category) for line in _lines(file))
    return tuple(kept for kept in found if _is_consistent(kept.conversation))


def _lines(*path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in package.data(*path).read_text(encoding="utf-8").splitlines() if line]


def _kept(line: Mapping[str, Any], reference: Sequence[Sequence[str]], category: str) -> Kept:
    apis = tuple(api_of_class(name) for name in line["involved_classes"])
    methods = all_methods(apis)
    missed = {int(turn): tuple(names) for turn, names in line.get("missed_function", {}).items()}
    turns = []
    for index, (messages, calls) in enumerate(zip(line["question"], reference, strict=True)):
        new = missed.get(index, ())
        says = " ".join(message["content"] for message in messages) or NOW_AVAILABLE.format(", ".join(new))
        made = tuple(_call(text, {n: m.primitive for n, m in methods.items()}) for text in calls)
        turns.append(UserTurn(says=says, reference=made, new=new))
    named = zip(apis, line["involved_classes"], strict=True)
    config = {api: line["initial_config"][name] for api, name in named if name in line["initial_config"]}
    conversation = Conversation(
        apis=apis,
        config=config,
        turns=tuple(turns),
        without=tuple(line.get("excluded_function") or ()),
        long_context=category == "long_context",
    )
    own = next(api for api in _OWN if api in apis)
    return Kept(int(line["id"].rpartition("_")[2]), own, conversation)


def _call(text: str, primitives: Mapping[str, Primitive]) -> ReferenceCall:
    """A call as the package writes it, with a value for every parameter."""
    node = ast.parse(text.strip(), mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    primitive = primitives[node.func.id]
    values = dict(primitive.defaults)
    values.update(zip(primitive.parameters, map(ast.literal_eval, node.args), strict=False))
    values.update({str(k.arg): ast.literal_eval(k.value) for k in node.keywords})
    return ReferenceCall(name=primitive.name, arguments=tuple(values[p] for p in primitive.parameters))


def _is_consistent(conversation: Conversation) -> bool:
    """Whether the reference uses each method only when it is available: in one conversation it does not."""
    missing = {name for turn in conversation.turns for name in turn.new} | set(conversation.without)
    for turn in conversation.turns:
        missing -= set(turn.new)
        if missing & {call.name for call in turn.reference}:
            return False
    return True
