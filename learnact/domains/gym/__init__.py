"""Any text environment of Gymnasium, with actions named by the user (docs/environments.md)."""
