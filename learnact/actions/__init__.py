"""Learned actions, libraries and their sandbox."""
