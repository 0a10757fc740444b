"""Gripper: a robot with two grippers carries balls between two rooms (4 to 12 balls in both rooms, robot
in either)."""

from __future__ import annotations

from typing import Annotated

from learnact.domains.planning.domain import Draw, Family, PlanningOptions, Range, within
from learnact.domains.planning.plans import Player

ROOMS = ("rooma", "roomb")
HANDS = ("left", "right")


class GripperOptions(PlanningOptions):
    """Options of gripper."""

    balls: Annotated[Range, within(1, 50)] = (4, 12)
    """Least and most balls."""


def generate(draw: Draw, options: GripperOptions) -> str:
    """Balls in both rooms; every ball has a room to be in, and at least one is not there."""
    rng = draw.rng
    balls = [f"ball{i}" for i in range(1, draw.size(options.balls) + 1)]
    start = {ball: rng.choice(ROOMS) for ball in balls}
    end = {ball: rng.choice(ROOMS) if rng.random() < 0.3 else _other(start[ball]) for ball in balls}
    first = rng.choice(balls)
    end[first] = _other(start[first])
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


def _other(room: str) -> str:
    return ROOMS[1 - ROOMS.index(room)]


FAMILY = Family("gripper", GripperOptions, generate, plan, indices=(7, 9, 14))
