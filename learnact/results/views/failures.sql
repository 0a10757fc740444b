-- Turns of test episodes that failed, by what was called and why.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- kind: `action` or `unreadable`
-- callee: the function that was called
-- learned: whether it was a learned action
-- why: the exception, why the reply could not be read, or the first words of what was observed
-- turns: how many
-- episodes: test episodes with such a turn
-- unsolved: those of them that did not solve their task
-- example: key of one of these episodes, an unsolved one where there is any
SELECT e.run, e.domain, e.method, e.model, e.learner_model, bool_or(e.simulated) AS simulated, t.kind,
       t.callee, t.learned,
       coalesce(t.error.type, nullif(t.cause, ''), left(t.observation, 60)) AS why, count(*) AS turns,
       count(DISTINCT e.key) AS episodes, count(DISTINCT e.key) FILTER (NOT e.success) AS unsolved,
       arg_min(e.key, (e.success, e.key)) AS example
FROM stored.turns t JOIN stored.episodes e ON e.run = t.run AND e.key = t.episode
WHERE NOT t.ok AND t.kind <> 'thought' AND e.phase = 'test'
GROUP BY e.run, e.domain, e.method, e.model, e.learner_model, t.kind, t.callee, t.learned, why
