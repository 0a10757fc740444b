-- Test success of each method. Intervals: `learnact table 2`, `learnact compare`.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- libraries: trials that learned; 0 for a method that learns nothing
-- tasks: tasks with a finished episode
-- episodes: finished test episodes
-- success: share of episodes that solved their task, a mean over tasks
-- error: standard error of `success` from the differences between tasks; these libraries, other tasks
-- progress: share of the goal reached, a mean over tasks
WITH by_task AS (
    SELECT run, domain, domain_options, method, model, learner_model, task_hash,
           bool_or(simulated) AS simulated, count(*) AS episodes, avg(success::INT) AS success,
           avg(progress) AS progress
    FROM stored.episodes WHERE phase = 'test' GROUP BY ALL
), learned AS (
    SELECT run, domain, domain_options, method, model, learner_model, count(DISTINCT trial) AS libraries
    FROM stored.episodes WHERE phase = 'test' AND learner_model <> '' GROUP BY ALL
)
SELECT run, domain, domain_options, method, model, learner_model, bool_or(simulated) AS simulated,
       coalesce(any_value(libraries), 0) AS libraries, count(*) AS tasks,
       sum(episodes)::BIGINT AS episodes, avg(success) AS success,
       stddev_samp(success) / sqrt(count(*)) AS error, avg(progress) AS progress
FROM by_task LEFT JOIN learned USING (run, domain, domain_options, method, model, learner_model)
GROUP BY run, domain, domain_options, method, model, learner_model
