"""The models on offer: names, skills, and the version that goes into every draw.

The constants of `sim-strong` and `sim-weak` were fixed once, on Act alone (docs/simulated.md, "Calibration").
"""

from __future__ import annotations

from learnact.simulated.attention import Skill

VERSION = "1"
"""Goes up whenever a reply could change; part of every draw, so that no run mixes two versions unseen."""

SKILLS = {
    skill.name: skill
    for skill in (
        Skill("sim-strong", 0.40, 60.0, 0.30),
        Skill("sim-weak", 0.60, 60.0, 0.40),
        Skill("sim-perfect", 0.0, 60.0, 0.0),
    )
}
