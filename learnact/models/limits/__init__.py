"""Limits of endpoints, of all workers: requests and tokens a minute, in flight (docs/models.md)."""
