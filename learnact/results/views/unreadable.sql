-- Replies of test episodes that could not be read, by cause.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- cause: why they could not be read; empty in older runs
-- replies: how many
-- share: of all replies of the method with this model on this domain
-- episodes: test episodes with such a reply
-- example: key of one of these episodes
WITH tested AS (
    SELECT run, key, domain, method, model, learner_model, simulated, turns
    FROM stored.episodes WHERE phase = 'test'
), replies AS (
    SELECT run, domain, method, model, learner_model, sum(turns) AS number FROM tested GROUP BY ALL
)
SELECT e.run, e.domain, e.method, e.model, e.learner_model, bool_or(e.simulated) AS simulated,
       coalesce(t.cause, '') AS cause, count(*) AS replies, count(*) / any_value(r.number) AS share,
       count(DISTINCT e.key) AS episodes, min(e.key) AS example
FROM stored.turns t
JOIN tested e ON e.run = t.run AND e.key = t.episode
JOIN replies r ON r.run = e.run AND r.domain = e.domain AND r.method = e.method AND r.model = e.model
              AND r.learner_model = e.learner_model
WHERE t.kind = 'unreadable'
GROUP BY e.run, e.domain, e.method, e.model, e.learner_model, coalesce(t.cause, '')
