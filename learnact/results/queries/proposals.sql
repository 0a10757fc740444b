-- Of the K proposals of each iteration: how many were created, and how many differ in code or notes.
-- Descriptions do not count: they are worded anew each time. With temperature 0 and no seed a deterministic
-- server gives K equal proposals: then set learner.proposal_temperature or learner.vary_prompt.
WITH made AS (
    SELECT c.run, c.trial, c.iteration, c.candidate, c.uncreated,
           string_agg(a.source || array_to_string(a.notes, ' '), chr(10) ORDER BY a.name) AS code
    FROM candidates c
    LEFT JOIN actions a ON a.run = c.run AND a.trial = c.trial AND a.library = c.library
    WHERE c.origin IN ('create', 'update', 'note')
    GROUP BY ALL
), counted AS (
    SELECT run, trial, iteration, count(*) AS proposals, count(*) FILTER (uncreated = '') AS created,
           count(DISTINCT code) FILTER (uncreated = '') AS different
    FROM made GROUP BY ALL
)
SELECT t.method, t.domain, t.learner_model, t.simulated, iteration, count(*) AS trials,
       sum(proposals)::BIGINT AS proposals, sum(created)::BIGINT AS created,
       sum(different)::BIGINT AS different
FROM counted JOIN trials t USING (run, trial) GROUP BY ALL ORDER BY ALL
