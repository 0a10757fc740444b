"""Robotic-planning domains: STRIPS problems described in controlled English."""
