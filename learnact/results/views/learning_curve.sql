-- What won each iteration of each trial, with its training score and, where it was tested, its test success.
-- agent_model: the agent's model as the job labels it
-- simulated: the trial was played by a simulated model: says nothing about language models
-- learn_repeat: repeat of learning, from 0
-- origin: how the winner was made: `create`, `update`, `note`, `incumbent`, ...
-- actions: learned actions of the winner
-- score: its training score
-- training_success: share of the training tasks that it solved
-- test_episodes: finished episodes of its library on test tasks (phases `test` and `survey`)
-- test_success: share of these that solved their task
WITH tested AS (
    SELECT run, trial, library, count(*) AS episodes, avg(success::INT) AS success
    FROM stored.episodes WHERE phase IN ('test', 'survey') GROUP BY ALL
), sizes AS (
    SELECT run, trial, library, any_value(len(actions)) AS actions FROM stored.libraries GROUP BY ALL
)
SELECT c.run, c.trial, t.domain, t.method, t.agent_model, t.learner_model, t.simulated, t.learn_repeat,
       c.iteration, c.candidate, c.origin, c.library, coalesce(s.actions, 0) AS actions, c.score,
       c.success AS training_success, coalesce(e.episodes, 0) AS test_episodes, e.success AS test_success
FROM candidates c
JOIN trials t ON t.run = c.run AND t.trial = c.trial
LEFT JOIN tested e ON e.run = c.run AND e.trial = c.trial AND e.library = c.library
LEFT JOIN sizes s ON s.run = c.run AND s.trial = c.trial AND s.library = c.library
WHERE c.selected
