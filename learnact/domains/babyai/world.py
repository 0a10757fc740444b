"""The grid world itself, on minigrid's engine: a task's content made into a world, and back.

Imports minigrid; import this module only where a task is played or drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrid.core.actions import Actions
from minigrid.core.grid import Grid
from minigrid.core.mission import MissionSpace
from minigrid.core.world_object import Ball, Box, Door, Goal, Key, Lava, Wall, WorldObj
from minigrid.envs.babyai.core import verifier
from minigrid.minigrid_env import MiniGridEnv

from learnact.domains.babyai.content import BabyaiContent, Part, Target
from learnact.errors import TaskError

_COLOURS = {"r": "red", "g": "green", "b": "blue", "p": "purple", "y": "yellow", "e": "grey"}
_COLOUR_LETTERS = {name: letter for letter, name in _COLOURS.items()}
_DOORS = {"D": "closed", "O": "open", "L": "locked"}
_THINGS: dict[str, type[WorldObj]] = {"W": Wall, "K": Key, "A": Ball, "B": Box}
_LETTERS = {"wall": "W", "key": "K", "ball": "A", "box": "B", "goal": "G", "lava": "V"}
_EMPTY = ".."
VIEW = 7
"""Cells of a side of what is seen; the agent stands in the middle of its near row."""
_NO_LIMIT = 10**9

_ACTIONS = {
    "go_to": verifier.GoToInstr,
    "open": verifier.OpenInstr,
    "pick_up": verifier.PickupInstr,
    "put_next": verifier.PutNextInstr,
    "then": verifier.BeforeInstr,
    "after": verifier.AfterInstr,
    "and": verifier.AndInstr,
}


class KnownThings(verifier.ObjDesc):  # type: ignore[misc]
    """A mission's description of things that were found when the task was drawn: always the same objects."""

    def find_matching_objs(  # the engine passes `use_location`: these things depend on no place
        self,
        env: Any,
        use_location: bool = True,  # noqa: ARG002
    ) -> tuple[list[Any], list[Any]]:
        """Where these objects lie now (what is carried lies nowhere)."""
        self.obj_poss = [(x, y) for x, y, thing in env.cells() if any(thing is own for own in self.obj_set)]
        return self.obj_set, self.obj_poss


class World(MiniGridEnv):  # type: ignore[misc]
    """A task being played. The engine's own observation (an image) is left out: `learnact` makes its own."""

    def __init__(self, content: BabyaiContent, where: str) -> None:
        width, height = len(content.rows[0]) // 2, len(content.rows)
        super().__init__(
            mission_space=MissionSpace(mission_func=_no_words),
            width=width,
            height=height,
            max_steps=_NO_LIMIT,
            see_through_walls=False,
            agent_view_size=VIEW,
        )
        for y, row in enumerate(content.rows):
            for x in range(width):
                thing = _thing(row[2 * x : 2 * x + 2], where)
                if thing is not None:
                    self.put_obj(thing, x, y)
        for place, cell in content.inside.items():
            x, y = map(int, place.split(","))
            self.grid.get(x, y).contains = _thing(cell, where)
        self.agent_pos, self.agent_dir, self.carrying = content.position, content.direction, None
        self.step_count = 0
        self.instrs = self._instruction(content.mission, where)
        self.instrs.reset_verifier(self)
        self.status = "continue"

    def act(self, action: int) -> str:
        """Do one of minigrid's actions; `success`, `failure` or `continue`. The first of the two that comes
        stays."""
        super().step(action)
        if action == Actions.drop:
            for part in actions_of(self.instrs):
                part.update_objs_poss()
        status = str(self.instrs.verify(action))
        if self.status == "continue":
            self.status = status
        return status

    def cells(self) -> Iterator[tuple[int, int, WorldObj]]:
        """Every thing in the grid with its position."""
        for index, thing in enumerate(self.grid.grid):
            if thing is not None:
                yield index % self.grid.width, index // self.grid.width, thing

    @property
    def front(self) -> WorldObj | None:
        """What is in the cell in front of the agent."""
        thing: WorldObj | None = self.grid.get(*self.front_pos)
        return thing

    def room_from_pos(self, x: int, y: int) -> None:
        """The bot's descriptions of things ask for it; none of them depends on rooms."""

    def gen_obs(self) -> dict[str, Any]:
        """The engine asks for it after each step; nobody reads it."""
        return {}

    def _gen_grid(self, width: int, height: int) -> None:
        """The grid comes with the task."""

    def _instruction(self, part: Part, where: str) -> Any:
        made = _ACTIONS[part.does]
        if part.parts:
            return made(*[self._instruction(each, where) for each in part.parts], strict=part.strict)
        targets = [self._things(t, where) for t in (part.target, part.beside) if t is not None]
        return made(*targets) if part.does == "go_to" else made(*targets, strict=part.strict)

    def _things(self, target: Target, where: str) -> KnownThings:
        things = KnownThings(target.kind, target.colour)
        things.obj_set = [self.grid.get(*place) for place in target.at]
        if any(thing is None for thing in things.obj_set):
            raise TaskError(f"{where}: its mission names a thing where there is none")
        things.find_matching_objs(self)
        return things


def actions_of(instruction: Any) -> Iterator[Any]:
    """The single actions of a mission, in the order of its words."""
    if isinstance(instruction, verifier.SeqInstr):
        yield from actions_of(instruction.instr_a)
        yield from actions_of(instruction.instr_b)
    else:
        yield instruction


def done_actions(instruction: Any, done: bool) -> Iterator[tuple[Any, bool]]:
    """The single actions of a mission, each with whether it is done."""
    if isinstance(instruction, verifier.SeqInstr):
        yield from done_actions(instruction.instr_a, done or instruction.a_done == "success")
        yield from done_actions(instruction.instr_b, done or instruction.b_done == "success")
    else:
        yield instruction, done


def content_of(env: Any, level: str) -> BabyaiContent:
    """The content of a freshly drawn level of minigrid."""
    grid: Grid = env.grid
    cells = [[_cell(grid.get(x, y)) for x in range(grid.width)] for y in range(grid.height)]
    inside = {
        f"{x},{y}": _cell(held.contains)
        for y in range(grid.height)
        for x in range(grid.width)
        if (held := grid.get(x, y)) is not None and held.contains is not None
    }
    return BabyaiContent(
        level=level,
        rows=tuple("".join(row) for row in cells),
        inside=inside,
        position=(int(env.agent_pos[0]), int(env.agent_pos[1])),
        direction=int(env.agent_dir),
        goal=str(env.mission),
        mission=_part(env.instrs),
    )


def _part(instruction: Any) -> Part:
    does = next(name for name, made in _ACTIONS.items() if type(instruction) is made)
    strict = bool(getattr(instruction, "strict", False))
    if isinstance(instruction, verifier.SeqInstr):
        parts = (_part(instruction.instr_a), _part(instruction.instr_b))
        return Part.model_validate({"does": does, "parts": parts, "strict": strict})
    if does == "put_next":
        targets = {"target": _target(instruction.desc_move), "beside": _target(instruction.desc_fixed)}
    else:
        targets = {"target": _target(instruction.desc)}
    return Part.model_validate({"does": does, **targets, "strict": strict})


def _target(described: Any) -> Target:
    at = tuple((int(x), int(y)) for x, y in described.obj_poss)
    return Target(kind=described.type, colour=described.color, at=at)


def _cell(thing: WorldObj | None) -> str:
    if thing is None:
        return _EMPTY
    if isinstance(thing, Door):
        letter = "O" if thing.is_open else "L" if thing.is_locked else "D"
    else:
        letter = _LETTERS[thing.type]
    return letter + _COLOUR_LETTERS[thing.color]


def _thing(cell: str, where: str) -> WorldObj | None:
    if cell == _EMPTY:
        return None
    letter, colour = cell[0], _COLOURS.get(cell[1:])
    if colour is not None and letter in _DOORS:
        return Door(colour, is_open=letter == "O", is_locked=letter == "L")
    if colour is not None and letter in _THINGS:
        return _THINGS[letter](colour)
    if letter in "GV":
        return Goal() if letter == "G" else Lava()
    raise TaskError(f"{where}: {cell!r} is no cell of a BabyAI grid")


def _no_words() -> str:
    return ""
