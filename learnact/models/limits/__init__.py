"""Limits of endpoints, over all workers: requests and tokens a minute, requests in flight (docs/models.md)."""
