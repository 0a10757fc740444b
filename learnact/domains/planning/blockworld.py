"""Blockworld: towers of blocks are built anew (3 to 7 blocks by default, up to 20; several towers; goals
of `on` atoms)."""

from __future__ import annotations

import itertools
import random
from typing import Annotated

from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw, Stratum
from learnact.domains.planning.options import LevelOptions, Range, within
from learnact.domains.planning.plans import Player

TABLE = "the table"
"""Stands for the table where a block's support is meant; no block can be called so."""


class BlockworldOptions(LevelOptions):
    """Options of blockworld."""

    blocks: Annotated[Range, within(2, 20)] | None = None
    """Least and most blocks; default: the level's (easy and published 3 to 7)."""


def _stratum(blocks: int, goals: int, steps: tuple[int, int], started: bool = False) -> Stratum:
    return Stratum(steps, {"blocks": blocks, "goals": goals}, started)


LEVELS = {
    "published": (
        _stratum(3, 2, (6, 8)),
        _stratum(3, 2, (6, 8)),
        _stratum(4, 2, (6, 8)),
        _stratum(4, 3, (10, 12)),
        _stratum(5, 2, (8, 10)),
        _stratum(5, 3, (12, 14)),
        _stratum(6, 2, (10, 12)),
        _stratum(6, 3, (12, 14)),
        _stratum(7, 6, (14, 18), started=True),
        _stratum(7, 6, (16, 20), started=True),
    ),
    "hard": tuple(_stratum(n, n - 2, (2 * n + 4, 4 * n)) for n in (8, 9, 10, 11, 12)),
    "harder": tuple(_stratum(n, n - 1, (32, 4 * n)) for n in (13, 14, 15, 16, 18)),
}
"""Blocks, atoms of the goal and plan lengths as the published problems have them, and more."""


def generate(draw: Draw, options: BlockworldOptions) -> str:
    """Random towers to start with, random towers as goal. `easy`: a third of the tasks leave some facts
    open; other levels: as many facts as the stratum says."""
    if options.level != "easy":
        return _levelled(draw, options)
    blocks = [f"b{i}" for i in range(1, draw.size(options.blocks or (3, 7)) + 1)]
    start = _towers(draw.rng, blocks, 4)
    goal: list[str] = []
    while not goal:
        goal = _standing(_towers(draw.rng, blocks, 2))
    if len(goal) > 1 and draw.rng.random() < 1 / 3:
        goal = draw.rng.sample(goal, draw.rng.randint((len(goal) + 1) // 2, len(goal)))
    return _problem(blocks, start, goal)


def _levelled(draw: Draw, options: BlockworldOptions) -> str:
    """A task of a level: one to three towers, and a goal about the lower or the upper part of one tower, or
    of all."""
    blocks = [f"b{i}" for i in range(1, draw.wanted("blocks", options.blocks) + 1)]
    start = _towers(draw.rng, blocks, 3)
    goal = _standing([draw.rng.sample(blocks, len(blocks))])
    count = draw.wanted("goals", (len(goal), len(goal)) if options.blocks else None)
    first = draw.rng.randint(0, len(goal) - count)
    return _problem(blocks, start, goal[first : first + count])


def _standing(towers: list[list[str]]) -> list[str]:
    """What stands on what."""
    pairs = [pair for tower in towers for pair in itertools.pairwise(tower)]
    return [f"(on {above} {below})" for below, above in pairs]


def _problem(blocks: list[str], start: list[list[str]], goal: list[str]) -> str:
    init = ["(arm-empty)"]
    for tower in start:
        init += [f"(on-table {tower[0]})", f"(clear {tower[-1]})", *_standing([tower])]
    return (
        f"(define (problem p) (:domain blocksworld-4ops) (:objects {' '.join(blocks)}) "
        f"(:init {' '.join(init)}) (:goal (and {' '.join(goal)})))"
    )


def plan(player: Player) -> None:
    """Put a block where it belongs when it can go there for good, else take one that is in the way to the
    table."""
    wants = {above: below for _, above, below in player.goals("on")}
    for _, block in player.facts("holding"):
        player.do("putdown", block)
    while not player.solved:
        under = {above: below for _, above, below in player.facts("on")}
        under.update({block: TABLE for _, block in player.facts("on-table")})
        clear = [block for _, block in player.facts("clear")]
        good = _settled(under, wants)
        if not _step(player, clear, under, wants, good):
            return


def _step(
    player: Player, clear: list[str], under: dict[str, str], wants: dict[str, str], good: set[str]
) -> bool:
    """One move of a block; False when there is none that helps."""
    wrong = [block for block in clear if block not in good]
    for block in wrong:
        below = wants.get(block, TABLE)
        if below in good and below in clear:
            _take(player, block, under[block])
            player.do("stack", block, below)
            return True
    for block in wrong:
        if under[block] != TABLE:
            _take(player, block, under[block])
            player.do("putdown", block)
            return True
    return False


def _settled(under: dict[str, str], wants: dict[str, str]) -> set[str]:
    """Blocks that need not move again: they stand as the goal says, and so does all below them."""
    wanted_by = {below: above for above, below in wants.items()}
    good: set[str] = set()
    above = {below: block for block, below in under.items() if below != TABLE}
    for bottom in [block for block, below in under.items() if below == TABLE]:
        block, below = bottom, TABLE
        while wants.get(block, below) == below and (below == TABLE or wanted_by.get(below, block) == block):
            good.add(block)
            if block not in above:
                break
            block, below = above[block], block
    return good


def _take(player: Player, block: str, below: str) -> None:
    if below == TABLE:
        player.do("pickup", block)
    else:
        player.do("unstack", block, below)


def _towers(rng: random.Random, blocks: list[str], most: int) -> list[list[str]]:
    towers: list[list[str]] = [[] for _ in range(rng.randint(1, most))]
    for block in rng.sample(blocks, len(blocks)):
        rng.choice(towers).append(block)
    return [tower for tower in towers if tower]


FAMILY = Family("blockworld", BlockworldOptions, generate, plan, indices=(4, 6, 8), levels=LEVELS)
