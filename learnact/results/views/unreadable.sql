-- Replies of test episodes that could not be read, by cause.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- cause: why they could not be read; empty in older runs
-- replies: how many
-- share: of all replies of the method with this model on this domain
-- episodes: test episodes with such a reply
-- example: key of one of these episodes
WITH replies AS (
    SELECT run, domain, method, model, learner_model, sum(turns) AS number
    FROM stored.episodes WHERE phase = 'test' GROUP BY ALL
)
SELECT g.run, g.domain, g.method, g.model, g.learner_model, bool_or(g.simulated) AS simulated, g.why AS cause,
       sum(g.turns)::BIGINT AS replies, sum(g.turns) / any_value(r.number) AS share,
       sum(g.episodes)::BIGINT AS episodes, min(g.example) AS example
FROM stored.all_turn_groups g
JOIN replies r ON r.run = g.run AND r.domain = g.domain AND r.method = g.method AND r.model = g.model
              AND r.learner_model = g.learner_model
WHERE g.topic = 'unreadable'
GROUP BY g.run, g.domain, g.method, g.model, g.learner_model, g.why
