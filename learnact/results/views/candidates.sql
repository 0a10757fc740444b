-- One row per candidate library of an iteration. The incumbent is one again.
SELECT * EXCLUDE (seq) FROM stored.candidates
QUALIFY row_number() OVER (PARTITION BY run, trial, iteration, candidate ORDER BY seq DESC) = 1
