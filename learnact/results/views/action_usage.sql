-- Learned actions in tests: how often each was called, how often that worked, what it did.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- callee: the learned action
-- calls: calls of it
-- ok: share of these that were valid as a whole
-- steps: primitive steps per call
-- errors: calls that ended with an exception
-- episodes: test episodes with a call of it
-- solved: share of these episodes that solved their task
WITH called AS (
    SELECT run, episode, callee, count(*) AS calls, count(*) FILTER (ok) AS ok, sum(len(steps)) AS steps,
           count(error) AS errors
    FROM stored.turns WHERE learned GROUP BY ALL
)
SELECT e.run, e.domain, e.method, e.model, e.learner_model, bool_or(e.simulated) AS simulated, c.callee,
       sum(c.calls)::BIGINT AS calls, sum(c.ok) / sum(c.calls) AS ok, sum(c.steps) / sum(c.calls) AS steps,
       sum(c.errors)::BIGINT AS errors, count(*) AS episodes, avg(e.success::INT) AS solved
FROM called c JOIN stored.episodes e ON e.run = c.run AND e.key = c.episode
WHERE e.phase = 'test' GROUP BY e.run, e.domain, e.method, e.model, e.learner_model, c.callee
