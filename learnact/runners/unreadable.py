"""Ends a run whose model's replies cannot be read at all: more of them would cost money and tell nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from learnact.errors import Failure, HarnessFailure
from learnact.records import ACT, EpisodeResult, Outcome


class UnreadableReplies:
    """Counts the turns of each agent model until one can be read.

    `limit`: that many unreadable turns, without any other, end the run; None: no limit. `on_limit` is called
    once, with the failure by which units are to end. Turns of this session are counted, when their episode
    ends.
    """

    def __init__(self, limit: int | None, on_limit: Callable[[Failure], None]) -> None:
        self._limit = limit
        self._on_limit = on_limit
        self._causes: dict[str, Counter[str]] = defaultdict(Counter)
        self._readable: set[str] = set()
        self.failure: HarnessFailure | None = None

    def see(self, outcome: Outcome) -> None:
        """Take an outcome that has just come in."""
        model, result = outcome.unit.model, outcome.result
        if self._limit is None or self.failure or model is None or not isinstance(result, EpisodeResult):
            return
        if model.shown in self._readable:
            return
        if any(turn.kind != "unreadable" for turn in result.turns):
            self._readable.add(model.shown)
            return
        finishes = [call.reply.finish for call in outcome.calls if call.purpose == ACT]
        causes = self._causes[model.shown]
        for index, turn in enumerate(result.turns):
            cut = index < len(finishes) and finishes[index] == "length"
            at = model.max_tokens if model.max_tokens is not None else "the server's limit"
            causes[f"cut at max_tokens {at}" if cut else turn.cause.replace("_", " ") or "in no form"] += 1
        if causes.total() >= self._limit:
            words = ", ".join(f"{number} {cause}" for cause, number in causes.most_common())
            self.failure = HarnessFailure(
                f"none of the first {causes.total()} replies of {model.shown} could be read ({words}; "
                f"limits.unreadable: {self._limit}): look at one with `learnact show`, change the model's "
                "max_tokens, effort or the method, or set limits.unreadable to null",
                False,
            )
            self._on_limit(self.failure)
