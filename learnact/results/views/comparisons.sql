-- Two methods of a run on the tasks that both played, in pairs of the same task and seed. How sure a
-- difference is: `learnact compare`.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- first: a method
-- second: another; each two methods have two rows, one each way
-- pairs: episodes of equal task and seed
-- tasks: tasks of these
-- first_success: success of the first, a mean over tasks
-- second_success: success of the second, a mean over tasks
-- difference: first minus second
-- won: pairs that the first alone solved
-- lost: pairs that the second alone solved
-- tied: other pairs
-- turns: difference in turns, a mean over tasks
-- tokens: difference in tokens, a mean over tasks
WITH tested AS (
    SELECT run, domain, domain_options, model, method, task_hash, seed, bool_or(simulated) AS simulated,
           avg(success::INT) AS success, avg(turns) AS turns,
           avg(prompt_tokens + completion_tokens) AS tokens
    FROM stored.episodes WHERE phase = 'test' GROUP BY ALL
), by_task AS (
    SELECT a.run, a.domain, a.domain_options, a.model, a.method AS first, b.method AS second, a.task_hash,
           bool_or(a.simulated OR b.simulated) AS simulated, count(*) AS pairs,
           avg(a.success) AS first_success, avg(b.success) AS second_success,
           count(*) FILTER (a.success > b.success) AS won, count(*) FILTER (a.success < b.success) AS lost,
           avg(a.turns - b.turns) AS turns, avg(a.tokens - b.tokens) AS tokens
    FROM tested a
    JOIN tested b USING (run, domain, domain_options, model, task_hash, seed)
    WHERE a.method <> b.method GROUP BY ALL
)
SELECT run, domain, domain_options, model, first, second, bool_or(simulated) AS simulated,
       sum(pairs)::BIGINT AS pairs, count(*) AS tasks, avg(first_success) AS first_success,
       avg(second_success) AS second_success, avg(first_success - second_success) AS difference,
       sum(won)::BIGINT AS won, sum(lost)::BIGINT AS lost, sum(pairs - won - lost)::BIGINT AS tied,
       avg(turns) AS turns, avg(tokens) AS tokens
FROM by_task GROUP BY run, domain, domain_options, model, first, second
