-- Facts that the run has checked; the last of a name.
SELECT * EXCLUDE (seq) FROM stored.checks
QUALIFY row_number() OVER (PARTITION BY run, name ORDER BY seq DESC) = 1
