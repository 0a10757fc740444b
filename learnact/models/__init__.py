"""Chat models behind OpenAI-compatible URLs: one endpoint (`client`), retries, settled parameters, context, replies, replicas (`pool`)."""
