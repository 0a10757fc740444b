-- Exchanges with models; messages by reference (view `prompts` rebuilds them).
SELECT * FROM _calls
