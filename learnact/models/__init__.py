"""Chat models behind OpenAI-compatible URLs: one endpoint, retries, refused parameters, context, replies,
replicas."""
