"""Ray: workers, limiter and submission."""
