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
WITH places AS MATERIALIZED (
    SELECT *, row_number() OVER () AS place
    FROM (SELECT DISTINCT run, domain, domain_options, model, task_hash FROM stored.episodes
          WHERE phase = 'test')
), tested AS MATERIALIZED (
    SELECT place, seed, method, bool_or(simulated) AS simulated, avg(success::INT) AS success,
           avg(turns) AS turns, avg(prompt_tokens + completion_tokens) AS tokens
    FROM stored.episodes e JOIN places USING (run, domain, domain_options, model, task_hash)
    WHERE phase = 'test' GROUP BY place, seed, method
), by_task AS (
    SELECT place, a.method AS first, b.method AS second, bool_or(a.simulated OR b.simulated) AS simulated,
           count(*) AS pairs, avg(a.success) AS first_success, avg(b.success) AS second_success,
           count(*) FILTER (a.success > b.success) AS won, count(*) FILTER (a.success < b.success) AS lost,
           avg(a.turns - b.turns) AS turns, avg(a.tokens - b.tokens) AS tokens
    FROM tested a JOIN tested b USING (place, seed) WHERE a.method < b.method
    GROUP BY place, first, second
), compared AS (
    SELECT run, domain, domain_options, model, first, second, bool_or(simulated) AS simulated,
           sum(pairs)::BIGINT AS pairs, count(*) AS tasks, avg(first_success) AS first_success,
           avg(second_success) AS second_success, avg(first_success - second_success) AS difference,
           sum(won)::BIGINT AS won, sum(lost)::BIGINT AS lost, sum(pairs - won - lost)::BIGINT AS tied,
           avg(turns) AS turns, avg(tokens) AS tokens
    FROM by_task JOIN places USING (place) GROUP BY run, domain, domain_options, model, first, second
)
SELECT * FROM compared
UNION ALL
SELECT run, domain, domain_options, model, second, first, simulated, pairs, tasks, second_success,
       first_success, -difference, lost, won, tied, -turns, -tokens
FROM compared
