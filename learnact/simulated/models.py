"""The simulated models: names, constants of their inattention, and the version that is part of every draw.

The constants of `sim-strong` and `sim-weak` were fixed once, on Act alone (docs/simulated.md, "Calibration").
"""

from __future__ import annotations

from learnact.simulated.noisy_reader import ModelSettings

VERSION = "1"
"""Goes up whenever a reply could change; part of every draw, so that no run mixes two versions unseen."""

MODELS = {
    settings.name: settings
    for settings in (
        ModelSettings("sim-strong", 0.40, 60.0, 0.30),
        ModelSettings("sim-weak", 0.60, 60.0, 0.40),
        ModelSettings("sim-perfect", 0.0, 60.0, 0.0),
    )
}
