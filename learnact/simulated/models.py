"""The simulated models: names, constants of their inattention, and their version.

The constants of `sim-strong` and `sim-weak` were fixed once, on Act alone (docs/simulated.md, "Calibration").
"""

from __future__ import annotations

from learnact.simulated.noisy_reader import ModelSettings

VERSION = "3"
"""Goes up whenever a reply could change; told as the fingerprint of each reply."""
DRAWS = "1"
"""Part of every draw. It stays as long as replies to an agent without learned actions stay, on which the
constants were fixed."""

MODELS = {
    settings.name: settings
    for settings in (
        ModelSettings("sim-strong", 0.40, 60.0, 0.30),
        ModelSettings("sim-weak", 0.60, 60.0, 0.40),
        ModelSettings("sim-perfect", 0.0, 60.0, 0.0),
    )
}
