-- What was spent, by trial, phase and purpose.
-- agent_model: the agent's model as the job labels it
-- simulated: the units were played by a simulated model: says nothing about language models
-- phase: `learn`, `check`, `test` or `survey`; a learner's requests are `learn`
-- purpose: `act` for episodes, `opponent` for their second players, else what the request was for
-- units: episodes or requests
-- prompt_tokens: a sum, cached ones included
-- cached_tokens: a sum
-- completion_tokens: a sum, with reasoning
-- reasoning_tokens: a sum
-- dollars: a sum; null where a price is not known
-- attempts: failed tries
WITH units AS (
    SELECT run, trial, CASE WHEN phase = 'learn' AND agent = 'program' THEN 'check' ELSE phase END AS phase,
           'act' AS purpose, simulated, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens,
           cost, attempts
    FROM stored.episodes
    UNION ALL
    SELECT run, trial, 'learn', purpose, simulated, prompt_tokens, cached_tokens, completion_tokens,
           reasoning_tokens, cost, attempts
    FROM stored.requests
    UNION ALL
    SELECT e.run, e.trial, e.phase, 'opponent', e.simulated, sum(c.prompt_tokens), sum(c.cached_tokens),
           sum(c.completion_tokens), sum(c.reasoning_tokens),
           CASE WHEN count(c.cost) = count(*) THEN sum(c.cost) END, 0
    FROM (SELECT * FROM stored.episodes WHERE opponent IS NOT NULL) e
    JOIN (SELECT * FROM stored.calls WHERE purpose = 'opponent') c
      ON c.run = e.run AND c.trial = e.trial AND c.unit = e.key
    GROUP BY e.run, e.trial, e.phase, e.key, e.simulated
)
SELECT u.run, u.trial, t.domain, t.method, t.agent_model, t.learner_model, bool_or(u.simulated) AS simulated,
       t.learn_repeat, u.phase, u.purpose, count(*) AS units, sum(u.prompt_tokens)::BIGINT AS prompt_tokens,
       sum(u.cached_tokens)::BIGINT AS cached_tokens,
       sum(u.completion_tokens)::BIGINT AS completion_tokens,
       sum(u.reasoning_tokens)::BIGINT AS reasoning_tokens,
       CASE WHEN count(u.cost) = count(*) THEN sum(u.cost) END AS dollars, sum(u.attempts)::BIGINT AS attempts
FROM units u LEFT JOIN trials t ON t.run = u.run AND t.trial = u.trial
GROUP BY u.run, u.trial, t.domain, t.method, t.agent_model, t.learner_model, t.learn_repeat, u.phase,
         u.purpose
