"""The packages that this family needs."""

from __future__ import annotations

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages(
    "jericho",
    ("jericho", "adventure"),
    ("jericho", "adventure"),
    note="an interpreter of games is compiled, which needs a C compiler and make",
)
