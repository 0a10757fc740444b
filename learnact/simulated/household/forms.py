"""The sentences of which observations in a house consist (docs/alfworld.md): read for what they say, or known
to say nothing that matters."""

from __future__ import annotations

import re

FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        r"You are in the middle of a room",
        r"Looking quickly around you, you see .*",
        r"You are (?:at|facing|not at|carrying|already carrying|not carrying|already at)\b.*",
        r"You (?:arrive at|open|close|pick up|put|move|turn on|clean|heat|cool|carry|do not|cannot|see)\b.*",
        r"(?:On|In|Next to) .*, you see .*",
        r"The .* is (?:open|closed|already open|already closed)",
        r"(?:An?|The) .* cannot (?:clean|heat|cool|be [a-z]+(?: in/on .*)?)",
        r"\w+ takes .*",
        r"There(?: is|'s) .*",
        r"This .*",
        r"Nothing happens(?:\. .*)?",
    )
)
