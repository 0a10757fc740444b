-- One row per reply of a synthesis: whether it was accepted, else which rule it broke.
SELECT * EXCLUDE (seq) FROM stored.reply_checks
QUALIFY row_number() OVER (PARTITION BY run, trial, example, stage, attempt ORDER BY seq DESC) = 1
