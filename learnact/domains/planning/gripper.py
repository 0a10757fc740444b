"""Gripper: a robot with two grippers carries balls between two rooms (4 to 12 balls, robot in either)."""

from __future__ import annotations

from typing import Annotated

from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw, Stratum
from learnact.domains.planning.options import LevelOptions, Range, within
from learnact.domains.planning.plans import Player

ROOMS = ("rooma", "roomb")
HANDS = ("left", "right")


class GripperOptions(LevelOptions):
    """Options of gripper."""

    balls: Annotated[Range, within(1, 50)] | None = None
    """Least and most balls; default: the level's (easy and published 4 to 12)."""


def _strata(balls: tuple[int, ...]) -> tuple[Stratum, ...]:
    """A task for each number of balls. A ball takes two steps, and two balls a walk there and back."""
    return tuple(Stratum((2 * n, 3 * n + 2), {"balls": n}) for n in balls)


LEVELS = {
    "published": _strata((4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 10, 11, 11, 12, 12)),
    "hard": _strata((10, 11, 12, 13, 14)),
    "harder": _strata((15, 16, 17, 18, 20)),
}
"""As many balls as the published problems have (4 to 12, median 7), and more."""


def generate(draw: Draw, options: GripperOptions) -> str:
    """Balls in one room or in both, each with a room to be in. `easy`: some are there already, but at least
    one is not; other levels: none is."""
    rng = draw.rng
    if options.level == "easy":
        balls = _named(draw.size(options.balls or (4, 12)))
        start = {ball: rng.choice(ROOMS) for ball in balls}
        end = {ball: rng.choice(ROOMS) if rng.random() < 0.3 else _other(start[ball]) for ball in balls}
        first = rng.choice(balls)
        end[first] = _other(start[first])
    else:
        balls = _named(draw.wanted("balls", options.balls))
        room, apart = rng.choice(ROOMS), rng.choice((0, rng.randint(0, len(balls) // 2)))
        there = set(rng.sample(balls, apart))
        start = {ball: _other(room) if ball in there else room for ball in balls}
        end = {ball: _other(start[ball]) for ball in balls}
    init = [f"(room {room})" for room in ROOMS] + [f"(gripper {hand}) (free {hand})" for hand in HANDS]
    init += [f"(ball {ball}) (at {ball} {start[ball]})" for ball in balls] + [
        f"(at-robby {rng.choice(ROOMS)})"
    ]
    goal = [f"(at {ball} {end[ball]})" for ball in balls]
    return (
        f"(define (problem p) (:domain gripper-strips) (:objects {' '.join([*ROOMS, *balls, *HANDS])}) "
        f"(:init {' '.join(init)}) (:goal (and {' '.join(goal)})))"
    )


def plan(player: Player) -> None:
    """Carry two balls at a time; take others back on the way."""
    target = {ball: room for _, ball, room in player.goals("at")}
    while not player.solved:
        here = player.facts("at-robby")[0][1]
        for _, ball, hand in player.facts("carry"):
            if target.get(ball, here) == here:
                player.do("drop", ball, here, hand)
        away = [
            ball for _, ball, room in player.facts("at") if room == here and target.get(ball, here) != here
        ]
        for (_, hand), ball in zip(player.facts("free"), away, strict=False):
            player.do("pick", ball, here, hand)
        if player.solved:
            return
        goes = [target[ball] for _, ball, _ in player.facts("carry")]
        waits = [room for _, ball, room in player.facts("at") if target.get(ball, room) != room]
        ends = [room for _, room in player.goals("at-robby")]
        options = [room for room in (*goes, *waits, *ends) if room != here]
        if not options:
            return
        player.do("move", here, options[0])


def _named(count: int) -> list[str]:
    return [f"ball{i}" for i in range(1, count + 1)]


def _other(room: str) -> str:
    return ROOMS[1 - ROOMS.index(room)]


FAMILY = Family("gripper", GripperOptions, generate, plan, indices=(7, 9, 14), levels=LEVELS)
