"""Records under which name a model answers: an alias that starts to answer as another model mixes two models
in one run."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable

from learnact.errors import ResultsError
from learnact.records import OPPONENT, Call, Episode, Outcome, Plain, Unit

_log = logging.getLogger("learnact.models.identity")


def answered_in(calls: Iterable[Call]) -> list[tuple[str, str]]:
    """(model asked, name it answered as) of some calls."""
    pairs = {(str(json.loads(call.reply.parameters).get("model", "")), call.reply.model) for call in calls}
    return sorted((asked, answered) for asked, answered in pairs if asked and answered)


def _asked(unit: Unit, call: Call) -> tuple[str, str]:
    """The model that a call of a unit asked, and the name it answered as."""
    model = unit.model
    if isinstance(unit, Episode) and unit.opponent is not None and call.purpose == OPPONENT:
        model = unit.opponent.model
    return model.name if model else "", call.reply.model


class ModelIdentity:
    """Names under which the models of a run have answered. `known`: (asked, answered) pairs of earlier
    sessions of the run.

    Within a session a second name is reported; a name that no earlier session saw is refused, unless `accept`
    says otherwise."""

    def __init__(self, known: Iterable[tuple[str, str]], accept: bool) -> None:
        self._earlier: dict[str, set[str]] = defaultdict(set)
        for asked, answered in known:
            self._earlier[asked].add(answered)
        self._accept = accept
        self._seen: dict[str, set[str]] = defaultdict(set)

    def see(self, outcome: Outcome) -> None:
        """Look at an outcome that has just come in.

        Raises:
            ResultsError: the model answers under a name that it did not have when the run began.
        """
        for asked, answered in {_asked(outcome.unit, call) for call in outcome.calls if call.reply.model}:
            if answered in self._seen[asked]:
                continue
            if self._seen[asked]:
                _log.warning(
                    "model %s answers as %s and as %s", asked, answered, ", ".join(self._seen[asked])
                )
            self._seen[asked].add(answered)
            earlier = self._earlier[asked]
            if earlier and answered not in earlier and not self._accept:
                raise ResultsError(
                    f"model {asked} answered as {', '.join(sorted(earlier))} when this run began, "
                    f"and answers as {answered} now; start a new run under another name, "
                    "or go on with --accept-model-change"
                )

    def facts(self) -> dict[str, Plain]:
        """What was seen in all sessions, for the run's record."""
        asked = sorted({*self._earlier, *self._seen})
        facts: dict[str, Plain] = {}
        for name in asked:
            facts[name] = [*sorted(self._earlier[name] | self._seen[name])]
        return facts
