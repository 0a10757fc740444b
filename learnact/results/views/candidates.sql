-- Candidate libraries of each iteration; the last row written of (trial, iteration, candidate) counts.
SELECT * EXCLUDE (seq) FROM _candidates QUALIFY row_number() OVER (PARTITION BY run, trial, iteration, candidate ORDER BY seq DESC) = 1
