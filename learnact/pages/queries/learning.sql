-- Success on the training tasks of the library that each iteration of learning selected, by trial. A trial
-- that stopped early keeps its last library.
WITH winners AS (
    SELECT DISTINCT ON (trial, iteration) trial, iteration, success, score
    FROM candidates WHERE selected AND success IS NOT NULL
), learners AS (
    SELECT DISTINCT ON (trial) trial, method, agent_model, domain FROM trials
    WHERE trial IN (SELECT trial FROM winners)
), places AS (
    SELECT l.*, i.iteration FROM learners l
    JOIN (SELECT DISTINCT method, iteration FROM winners JOIN learners USING (trial)) i USING (method)
)
SELECT p.method, p.agent_model, p.iteration, p.trial, p.domain, w.success, w.score
FROM places p ASOF JOIN winners w ON p.trial = w.trial AND p.iteration >= w.iteration
ORDER BY ALL
