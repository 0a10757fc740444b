"""One trial: learn, then test."""
