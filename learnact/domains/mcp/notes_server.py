"""A small MCP server that keeps notes in memory: what the domain `mcp` plays when no server is named.

python -m learnact.domains.mcp.notes_server
"""

from __future__ import annotations

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

_SERVER = MCPServer("notes", log_level="CRITICAL")
_NOTES: dict[str, str] = {}


@_SERVER.tool()
def add_note(title: str, text: str) -> str:
    """Keep a note. A title is used once."""
    if title in _NOTES:
        raise ToolError(f"there is a note {title!r} already")
    _NOTES[title] = text
    return f"The note {title!r} is kept."


@_SERVER.tool()
def read_note(title: str) -> str:
    """The text of a note."""
    if title not in _NOTES:
        raise ToolError(f"there is no note {title!r}")
    return _NOTES[title]


@_SERVER.tool()
def delete_note(title: str) -> str:
    """Delete a note."""
    if title not in _NOTES:
        raise ToolError(f"there is no note {title!r}")
    del _NOTES[title]
    return f"The note {title!r} is deleted."


@_SERVER.tool()
def list_notes(beginning: str = "") -> str:
    """The titles of the notes, or of those that begin so."""
    return (
        ", ".join(sorted(title for title in _NOTES if title.startswith(beginning))) or "There are no notes."
    )


if __name__ == "__main__":
    _SERVER.run()
