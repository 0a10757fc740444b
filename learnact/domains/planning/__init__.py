"""Robotic-planning domains: STRIPS problems told in controlled English."""
