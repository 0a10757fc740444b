"""The driver: expands a job, dispatches its trials and commits what comes back."""
