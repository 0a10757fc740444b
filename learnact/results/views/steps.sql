-- Primitive steps, one a row: (episode, turn, step).
SELECT run, trial, episode, turn, generate_subscripts(steps, 1) - 1 AS step, unnest(steps, recursive := true) FROM _turns
