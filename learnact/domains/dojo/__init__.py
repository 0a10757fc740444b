"""AgentDojo's suites: a user's task, and text in the data that asks for something else (docs/dojo.md)."""
