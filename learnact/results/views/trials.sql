-- One row per trial, with its last status.
SELECT * EXCLUDE (seq) FROM stored.trials
QUALIFY row_number() OVER (PARTITION BY run, trial ORDER BY seq DESC) = 1
