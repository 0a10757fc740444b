-- One row per exchange with a model. Messages are kept by reference; view `prompts` rebuilds them.
SELECT * FROM stored.calls
