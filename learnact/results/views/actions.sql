-- Learned actions, one a row.
SELECT run, trial, library, unnest(actions, recursive := true) FROM _libraries
