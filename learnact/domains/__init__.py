"""Environments and tasks."""
