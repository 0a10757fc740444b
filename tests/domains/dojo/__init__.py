"""AgentDojo's suites."""
