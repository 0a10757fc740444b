"""The tools of any MCP server as primitive actions (docs/mcp.md)."""
