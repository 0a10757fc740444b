"""Learners: what turns training tasks into a library."""
