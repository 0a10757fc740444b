-- What a test episode takes, and what learning took. Intervals: `learnact table 2`, `learnact table cost`.
-- model: the agent's model
-- simulated: some of it comes from a simulated model: says nothing about language models
-- trials: trials of the method on the domain
-- episodes: finished test episodes
-- solved: those that solved their task
-- turns: replies of the model per test episode
-- primitive_steps: primitive actions per test episode
-- prompt_tokens: per test episode
-- completion_tokens: per test episode
-- dollars: per test episode; null where a price is not known
-- model_seconds: wall clock of calls to models per test episode
-- turns_per_solved: replies of all test episodes for each solved one; null where none is solved
-- tokens_per_solved: tokens of all test episodes for each solved one
-- dollars_per_solved: dollars of all test episodes for each solved one
-- learning_tokens: tokens of learning per trial: requests and training episodes
-- learning_dollars: dollars of learning per trial; null where a price is not known
WITH played AS (
    SELECT run, domain, domain_options, method, model, learner_model, bool_or(simulated) AS simulated,
           list(DISTINCT trial) AS ids, count(*) AS episodes, count(*) FILTER (success) AS solved,
           sum(turns) AS turns, sum(primitive_steps) AS steps, sum(prompt_tokens) AS prompt,
           sum(completion_tokens) AS completion, sum(model_seconds) AS seconds,
           CASE WHEN count(cost) = count(*) THEN sum(cost) END AS dollars
    FROM stored.episodes WHERE phase = 'test' GROUP BY ALL
), units AS (
    SELECT run, trial, prompt_tokens + completion_tokens AS tokens, cost FROM stored.requests
    UNION ALL
    SELECT run, trial, prompt_tokens + completion_tokens, cost FROM stored.episodes
    WHERE phase IN ('learn', 'check')
), learning AS (
    SELECT run, trial, sum(tokens) AS tokens, CASE WHEN count(cost) = count(*) THEN sum(cost) END AS dollars
    FROM units GROUP BY run, trial
), of_trials AS (
    SELECT run, domain, domain_options, method, model, learner_model, unnest(ids) AS trial FROM played
), learned AS (
    SELECT o.run, domain, domain_options, method, model, learner_model, avg(coalesce(l.tokens, 0)) AS tokens,
           CASE WHEN count(l.trial) = count(l.dollars) THEN avg(coalesce(l.dollars, 0)) END AS dollars
    FROM of_trials o LEFT JOIN learning l ON l.run = o.run AND l.trial = o.trial GROUP BY ALL
)
SELECT run, domain, domain_options, method, model, learner_model, simulated, len(ids) AS trials, episodes,
       solved, turns / episodes AS turns, steps / episodes AS primitive_steps,
       prompt / episodes AS prompt_tokens, completion / episodes AS completion_tokens,
       p.dollars / episodes AS dollars, seconds / episodes AS model_seconds,
       turns / nullif(solved, 0) AS turns_per_solved,
       (prompt + completion) / nullif(solved, 0) AS tokens_per_solved,
       p.dollars / nullif(solved, 0) AS dollars_per_solved, l.tokens AS learning_tokens,
       l.dollars AS learning_dollars
FROM played p JOIN learned l USING (run, domain, domain_options, method, model, learner_model)
