"""Blockworld: towers of blocks are built anew (3 to 7 blocks by default, up to 12; several towers; goals
of `on` atoms)."""

from __future__ import annotations

import itertools
import random
from typing import Annotated

from learnact.domains.planning.domain import Draw, Family, PlanningOptions, Range, within
from learnact.domains.planning.plans import Player

TABLE = "the table"
"""Stands for the table where a block's support is meant; no block can be called so."""


class BlockworldOptions(PlanningOptions):
    """Options of blockworld."""

    blocks: Annotated[Range, within(2, 12)] = (3, 7)
    """Least and most blocks."""


def generate(draw: Draw, options: BlockworldOptions) -> str:
    """Random towers to start with; random towers as goal, of which a third of the tasks leave some facts
    open."""
    blocks = [f"b{i}" for i in range(1, draw.size(options.blocks) + 1)]
    start = _towers(draw.rng, blocks, 4)
    init = ["(arm-empty)"]
    for tower in start:
        init += [f"(on-table {tower[0]})", f"(clear {tower[-1]})"]
        init += [f"(on {above} {below})" for below, above in itertools.pairwise(tower)]
    goal: list[str] = []
    while not goal:
        for tower in _towers(draw.rng, blocks, 2):
            goal += [f"(on {above} {below})" for below, above in itertools.pairwise(tower)]
    if len(goal) > 1 and draw.rng.random() < 1 / 3:
        goal = draw.rng.sample(goal, draw.rng.randint((len(goal) + 1) // 2, len(goal)))
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


FAMILY = Family("blockworld", BlockworldOptions, generate, plan, indices=(4, 6, 8))
