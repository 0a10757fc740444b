"""A model's server that plays nim by the rules that its prompt tells, for tests with two players."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from aiohttp import web

from tests.models.server import Behaviour, completion

PILES = re.compile(r"Pile (\d+) has (\d+) stones?\.")


def state_in(text: str) -> list[int]:
    """The piles that a prompt shows last."""
    lines = [line for line in text.split("\n") if PILES.search(line)]
    return [int(stones) for _, stones in PILES.findall(lines[-1])]


def greedy(piles: list[int]) -> str:
    """Take all but one stone of the largest pile."""
    pile = max(range(len(piles)), key=piles.__getitem__)
    return f"play('{max(1, piles[pile] - 1)} from {pile + 1}')"


def winning(piles: list[int]) -> str:
    """Misere nim: leave an even nim sum, or an odd number of single stones at the end."""
    for pile, stones in enumerate(piles):
        for taken in range(1, stones + 1):
            left = [*piles[:pile], stones - taken, *piles[pile + 1 :]]
            total = 0
            for each in left:
                total ^= each
            if (total == 0) if max(left) > 1 else (sum(left) % 2 == 1):
                return f"play('{taken} from {pile + 1}')"
    return greedy(piles)


PLAYERS = {"greedy": greedy, "winning": winning}


class NimServer:
    """Answers each model by its way of playing; counts what each was asked."""

    def __init__(self, **others: Behaviour) -> None:
        self.asked: Counter[str] = Counter()
        self.prompts: list[tuple[str, str]] = []
        self._others = others

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        name = body["model"]
        text = body["messages"][-1]["content"]
        self.asked[name] += 1
        self.prompts.append((name, text))
        if name in self._others:
            return await self._others[name](request, body)
        said = PLAYERS[name](state_in(text))
        return web.json_response({**completion(said), "model": f"{name}-1"})
