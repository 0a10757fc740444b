"""Libraries of learned actions: reading calls, checking code, files, and libraries that a job names."""
