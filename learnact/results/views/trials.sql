-- One row per trial, with its last status.
-- simulated: an episode or request of it was played by a simulated model: says nothing about language models
WITH marks AS (
    SELECT run, trial, bool_or(simulated) AS simulated
    FROM (SELECT run, trial, simulated FROM stored.episodes
          UNION ALL SELECT run, trial, simulated FROM stored.requests)
    GROUP BY run, trial
)
SELECT t.* EXCLUDE (seq), coalesce(marks.simulated, false) AS simulated
FROM stored.trials t LEFT JOIN marks ON marks.run = t.run AND marks.trial = t.trial
QUALIFY row_number() OVER (PARTITION BY t.run, t.trial ORDER BY t.seq DESC) = 1
