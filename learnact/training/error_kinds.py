"""What kind of mistake a failed turn was, told from the engine's own answer (AgentRefine tells parameter,
place and logic errors apart, and takes a model's word for it).
"""

from __future__ import annotations

import re
from typing import Literal

from learnact.records import Turn

ErrorKind = Literal["", "format", "parameter", "place", "logic"]
"""format: no action could be read. parameter: an unknown name, or wrong arguments. place: not possible where
the agent is. logic: another requirement does not hold."""
_PARAMETER = re.compile(
    r"\bthere is no\b(?! switch\b| exit\b|[^.]* in/on the\b)|\bthere is nothing called\b|\w takes \w|"
    r"\bunknown\b|\bis not defined\b|\bno action\b|\bmissing\b.*\bargument|\bexpected\b",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\byou are (?:not )?(?:in|at)\b|\bnot (?:here|there)\b|\bdo(?:es)? not see\b|\bthere is no exit\b|"
    r"\bno path\b|\bthere is no [^.]* in/on the\b",
    re.IGNORECASE,
)


def error_kind(turn: Turn) -> ErrorKind:
    """The kind of a turn that was not carried out. A program or call of several primitive actions is judged
    by the first that had no effect, or by its exception.
    """
    if turn.kind == "unreadable":
        return "format"
    failed = next((step.observation for step in turn.steps if not step.ok), None)
    if failed is None:
        wrong = turn.error is not None and turn.error.type in ("TypeError", "NameError", "ValueError")
        return "parameter" if wrong else "logic"
    missing = failed.partition(" requires: ")[2]
    if missing:
        return "place" if _PLACE.search(missing) else "logic"
    failed = failed.partition("Now:")[0]  # what follows is the state, not the reason
    if _PARAMETER.search(failed):
        return "parameter"
    return "place" if _PLACE.search(failed) else "logic"
