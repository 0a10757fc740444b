-- The learned actions of `libraries`, one per row.
-- name: name of the function
-- signature: signature as shown to the agent
-- source: source of the function
-- description: description as shown to the agent
-- notes: sentences on its use, learned from failures
SELECT run, trial, library, unnest(actions, recursive := true) FROM stored.libraries
