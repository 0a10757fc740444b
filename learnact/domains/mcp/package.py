"""What the extra `mcp` brings: the official SDK of the Model Context Protocol."""

from __future__ import annotations

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages("mcp", modules=("mcp",), distributions=("mcp",))
