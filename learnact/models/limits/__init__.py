"""Limits of endpoints: requests and tokens a minute, requests in flight, over all workers (docs/limits.md)."""
