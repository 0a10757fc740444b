-- The primitive steps of `turns`, one per row.
-- episode: `episodes.key`
-- step: number of the step in its turn, from 0
-- command: the primitive action
-- ok: whether it was valid
-- observation: what the environment answered
SELECT run, trial, episode, turn, generate_subscripts(steps, 1) - 1 AS step, unnest(steps, recursive := true)
FROM stored.turns
