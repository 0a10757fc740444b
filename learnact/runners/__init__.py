"""Runners: they carry out units of work (episodes, requests) in this process or on a Ray cluster."""
