-- Where LearnAct's difference to Act comes from, task by task: gains from turns saved (more primitive steps than the turn limit) or from
-- decisions saved; losses with a failed call of a learned action (defective or misused) or without one. In points of success.
WITH act AS (
    SELECT run, domain, task_hash, avg(success::int) AS success, avg(turns) AS turns FROM episodes
    WHERE phase = 'test' AND method = 'act' GROUP BY ALL
), learnact AS (
    SELECT run, domain, task_hash, key, learn_repeat, success::int AS success, turns, primitive_steps,
           learned_calls > learned_calls_ok AS failed_call, max(turns) OVER (PARTITION BY run, domain) AS most_turns
    FROM episodes WHERE phase = 'test' AND method = 'learnact'
), pairs AS (
    SELECT l.domain, l.task_hash, l.success - a.success AS difference, a.turns - l.turns AS fewer,
           l.primitive_steps > l.most_turns AS long, l.failed_call, l.success AS solved
    FROM learnact l JOIN act a USING (run, domain, task_hash)
), tasks AS (
    SELECT domain, task_hash, avg(difference) AS difference FROM pairs GROUP BY ALL
), errors AS (
    SELECT domain, 100 * stddev_samp(difference) / sqrt(count(*)) AS error FROM tasks GROUP BY ALL
)
SELECT domain, count(DISTINCT task_hash) AS tasks, count(*) AS pairs, round(100 * avg(difference), 1) AS difference,
       round(any_value(error), 1) AS standard_error,
       round(100 * sum(greatest(difference, 0)) FILTER (long) / count(*), 1) AS turns_saved,
       round(100 * sum(greatest(difference, 0)) FILTER (NOT long) / count(*), 1) AS decisions_saved,
       round(100 * sum(least(difference, 0)) FILTER (failed_call) / count(*), 1) AS failed_functions,
       round(100 * sum(least(difference, 0)) FILTER (NOT failed_call) / count(*), 1) AS other_losses,
       round(avg(fewer), 1) AS fewer_turns
FROM pairs JOIN errors USING (domain) GROUP BY ALL ORDER BY domain
