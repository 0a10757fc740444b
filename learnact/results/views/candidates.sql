-- One row per candidate library of an iteration. The same library may be a candidate more than once (the incumbent).
SELECT * EXCLUDE (seq) FROM _candidates
QUALIFY row_number() OVER (PARTITION BY run, trial, iteration, candidate ORDER BY seq DESC) = 1
