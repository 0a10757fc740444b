"""Agents: prompts, reply parsing and the episode loop."""
