-- Facts that the run made sure of.
SELECT * EXCLUDE (seq) FROM _checks QUALIFY row_number() OVER (PARTITION BY run, name ORDER BY seq DESC) = 1
