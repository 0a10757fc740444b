"""A game through our interface: a call is turned into a command of the game's grammar, sent when the rules
allow it, and answered with a reason when they do not. Engine processes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer
from learnact.domains.textworld.engine import TextGame
from learnact.domains.textworld.reasons import Reasons
from learnact.records import Plain

_LOST = "The game is lost: what you did cannot be undone."


@dataclass(frozen=True)
class _Command:
    """A command of the grammar: what is sent, the rules that may stand for it (in this order), and what their
    variables stand for. Without rules it changes nothing."""

    text: str
    rules: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


class TextWorldEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` on a game of TextWorld."""

    def __init__(self, game: TextGame, primitives: Sequence[Primitive]) -> None:
        super().__init__(primitives)
        self._game = game
        self._reasons = Reasons(game.view)
        self.goal = game.goal
        self.first_observation = game.first_observation
        self._way = self._steps_left()

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """Do one command of the game, or say why it is not possible."""
        given = [" ".join(str(value).lower().split()) for value in values]
        reason = self._reasons.of(name, given)
        if reason:
            return PrimitiveAnswer(reason, valid=False)
        command = self._command(name, given)
        action = self._game.possible(command.rules, command.given) if command.rules else None
        if command.rules and action is None:
            return PrimitiveAnswer("That is not possible now.", valid=False)
        done, told = self._game.do(command.text, action)
        if not done:
            return PrimitiveAnswer(told, valid=False)
        lost = _LOST if self._game.lost else ""
        said = f"{told}\n{lost}".strip()
        return PrimitiveAnswer(said, True, self._progress_now(), self._game.won, failed=lost)

    def close(self) -> None:
        """Free the interpreter. Idempotent."""
        self._game.close()

    def _command(self, name: str, given: list[str]) -> _Command:
        view = self._game.view
        first = given[0] if given else ""
        second = given[1] if len(given) > 1 else ""
        match name:
            case "go":
                return _Command(f"go {first}", (f"go/{first}",))
            case "take":
                return self._take(first)
            case "put" if view.is_a(second, "c"):
                return _Command(f"insert {first} into {second}", ("insert",), {"o": first, "c": second})
            case "put":
                return _Command(f"put {first} on {second}", ("put",), {"o": first, "s": second})
            case "drop":
                return _Command(f"drop {first}", ("drop",), {"o": first})
            case "open" | "close":
                kind = "d" if view.is_a(first, "d") else "c"
                return _Command(f"{name} {first}", (f"{name}/{kind}",), {kind: first})
            case "unlock" | "lock":
                kind = "d" if view.is_a(first, "d") else "c"
                bound = {kind: first, "k": second}
                return _Command(f"{name} {first} with {second}", (f"{name}/{kind}",), bound)
            case "eat" | "drink":
                return _Command(f"{name} {first}", (name,), {"f": first})
            case "cut":
                return _Command(f"{second} {first} with {given[2]}", (second,), {"f": first, "o": given[2]})
            case "cook":
                kind = next(k for k in ("stove", "oven", "toaster") if view.is_a(second, k))
                ways = ("burned", "cooked/raw", "cooked/needs_cooking")
                rules = tuple(f"cook/{kind}/{way}" for way in ways)
                return _Command(f"cook {first} with {second}", rules, {"f": first, kind: second})
            case "prepare_meal":
                return _Command("prepare meal", tuple(f"make/recipe/{n}" for n in range(5, 0, -1)))
            case "examine":
                return _Command(f"examine {first}")
        return _Command(name)

    def _take(self, thing: str) -> _Command:
        view = self._game.view
        identifier = view.ids[thing]
        for relation, holder in (f[::2] for f in view.facts if f[0] in ("on", "in") and f[1] == identifier):
            place, kind, rule = view.names[holder], "s" if relation == "on" else "c", "take/"
            return _Command(f"take {thing} from {place}", (rule + kind,), {"o": thing, kind: place})
        return _Command(f"take {thing}", ("take",), {"o": thing})

    def _progress_now(self) -> float | None:
        """Points of the game; where it has but one point, how much nearer the thing is than at the start."""
        if self._game.max_score > 1:
            return self._game.score / self._game.max_score
        left = self._steps_left()
        return None if left is None or not self._way else 1 - left / self._way

    def _steps_left(self) -> int | None:
        """Rooms to the thing that is to be taken, and one for taking it."""
        view, target = self._game.view, self._game.target
        place = view.room_of(target) if target else ""
        away = view.distance(view.room(), place) if place else None
        return None if away is None else away + 1
