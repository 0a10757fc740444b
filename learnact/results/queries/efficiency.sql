-- What a test episode and a solved task took, by domain, method and models: turns, primitive steps, tokens,
-- dollars (null without a price), seconds of the model. Intervals, and when learning is paid back: `learnact
-- table 2 RUN`.
SELECT domain, method, model, learner_model, any_value(simulated) AS simulated, count(*) AS episodes,
       count(*) FILTER (success) AS solved,
       round(avg(turns), 1) AS turns, round(avg(primitive_steps), 1) AS steps,
       CAST(avg(prompt_tokens) AS BIGINT) AS tokens_in, CAST(avg(completion_tokens) AS BIGINT) AS tokens_out,
       CASE WHEN count(cost) = count(*) THEN round(avg(cost), 4) END AS dollars,
       round(avg(model_seconds), 1) AS model_seconds,
       round(sum(turns) / nullif(count(*) FILTER (success), 0), 1) AS turns_a_solved_task,
       CAST(sum(prompt_tokens + completion_tokens) / nullif(count(*) FILTER (success), 0) AS BIGINT)
           AS tokens_a_solved_task
FROM episodes WHERE phase = 'test' GROUP BY domain, method, model, learner_model ORDER BY ALL
