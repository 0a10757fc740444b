"""A domain written for the tests: its words occur nowhere in the reader."""

from __future__ import annotations

RULES = (
    "- walk(from_, to): Requires: from_ is a spot. to is a spot. a path leads from_ to. you stand on from_. "
    "Then: you stand on to. you no longer stand on from_.\n"
    "- take(thing, spot_): Requires: thing lies at spot_. you stand on spot_. your bag is empty. "
    "Then: you carry thing. thing no longer lies at spot_. your bag is no longer empty.\n"
    "- fix(lamp_, bulb_, spot_): Requires: lamp_ hangs at spot_. you stand on spot_. you carry bulb_. "
    "lamp_ is dark. "
    "Then: lamp_ glows. your bag is empty. you no longer carry bulb_. lamp_ is no longer dark."
)
TASK = (
    "Goal: lamp1 glows. lamp2 glows.\n"
    "Observation: Objects:\n"
    "- object: attic, bulb1, bulb2, hall, kitchen, lamp1, lamp2.\n"
    "Facts that never change: hall is a spot. kitchen is a spot. attic is a spot. a path leads hall kitchen. "
    "a path leads kitchen hall. a path leads kitchen attic. a path leads attic kitchen. lamp1 hangs at "
    "hall. lamp2 hangs at attic.\n"
    "Now: you stand on hall. bulb1 lies at kitchen. bulb2 lies at attic. your bag is empty. lamp1 is "
    "dark. lamp2 is dark."
)
REQUEST = (
    "## Your answer\nWrite the next action: one call of one of the actions above, with all its "
    "arguments, and nothing else.\n"
    "Action:"
)
LAMPS = (
    "## Instructions\nLamps must glow. Each turn you do one thing.\n\n"
    f"## Primitive actions\n{RULES}\n\n## Your task\n{TASK}\n\n{REQUEST}"
)
