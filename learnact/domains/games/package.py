"""What the extra `games` brings: OpenSpiel, compiled wheels with its games and its search."""

from __future__ import annotations

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages("games", modules=("pyspiel",), distributions=("open-spiel",))
