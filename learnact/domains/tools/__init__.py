"""Tool APIs with a user who asks for things in turn: BFCL's multi-turn conversations (docs/tools.md)."""
