"""The program of the process that draws tasks and solves them: `python -m learnact.domains.babyai.generator`.

One JSON request a line on standard input, one reply a line on standard output. minigrid's bot may search for
ever (UnlockToUnlock: one task of four), so it gets a number of searches, the same on every machine; and each
request has a limit of CPU time, after which the kernel ends the process and the caller (`plans`) starts
another one.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

CPU_SECONDS = 30
"""CPU time of one request, seconds; the largest ones take about one. For generators and bots that hang in
other ways than known."""
MOST_SEARCHES = 2000
"""Searches of the bot after which it is given up; tasks that it solves took at most 457."""
MOST_STEPS = 1000
"""Steps after which the bot is given up."""

_NAMES = ("turn_left", "turn_right", "move_forward", "pick_up", "drop", "toggle")


def draw(made: str, given: dict[str, Any], seed: int, solved: bool = True) -> dict[str, Any]:
    """A task of a level of minigrid, and the bot's plan for it (None without `solved`)."""
    import minigrid.envs.babyai as levels

    from learnact.domains.babyai.levels import Kind
    from learnact.domains.babyai.world import content_of

    env = getattr(levels, made)(**given)
    env.reset(seed=seed)
    content = content_of(env, Kind(made, given).name).pack()
    return {"content": content, **(solve(content) if solved else {"plan": None})}


def solve(packed: str) -> dict[str, Any]:
    """The bot's plan for a task, played by our own environment; None where it finds none that holds."""
    from minigrid.core.actions import Actions

    from learnact.domains.babyai.content import unpack
    from learnact.domains.babyai.environment import BabyaiEnvironment
    from learnact.domains.babyai.world import World

    content = unpack(packed, "task")
    world = World(content, "task")
    if world.instrs.verify(Actions.done) != "continue":  # solved where it starts
        return {"plan": None}
    world = World(content, "task")
    plan: list[str] = []
    try:
        bot = _limited_bot(world)
        while world.status == "continue" and len(plan) < MOST_STEPS:
            action = int(bot.replan())
            if action >= len(_NAMES):
                break
            plan.append(_NAMES[action])
            world.act(action)
    except Exception:  # noqa: BLE001  the bot's assertions: it cannot solve every task
        return {"plan": None}
    played = BabyaiEnvironment(content, _primitives(), "task")
    valid = all(played.call(name, (), {}).valid for name in plan)
    return {"plan": plan if valid and played.success else None}


def _limited_bot(world: Any) -> Any:
    from minigrid.utils.baby_ai_bot import BabyAIBot

    class LimitedBot(BabyAIBot):  # type: ignore[misc]
        """The bot with a limit of searches."""

        def _breadth_first_search(self, *given: Any, **named: Any) -> Any:
            if self.bfs_counter >= MOST_SEARCHES:
                raise RuntimeError("the bot does not come to an end")
            return super()._breadth_first_search(*given, **named)

    return LimitedBot(world)


def _primitives() -> tuple[Any, ...]:
    from learnact.domains.base import Primitive

    return tuple(Primitive(name, (), "") for name in _NAMES)


def main() -> None:
    """Serve until standard input ends. What minigrid prints goes nowhere."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_SECONDS, resource.RLIM_INFINITY))
        request = json.loads(line)
        reply = draw(**request["draw"]) if "draw" in request else solve(request["solve"])
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
