"""Conversations with tools."""
