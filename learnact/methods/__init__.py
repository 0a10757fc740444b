"""Methods: learners, agents, and what they share (docs/methods.md)."""
