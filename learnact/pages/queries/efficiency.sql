-- Success in tests against what a test episode takes: tokens, and calls of models. "With learning": the
-- trials' learning (training episodes, checks and the learner's requests) shared among their test episodes.
-- NULL where a server counted no tokens. A check is an episode that asks no model.
WITH units AS (
    SELECT DISTINCT ON (key) key, trial, phase, success::INT AS success,
           CASE WHEN prompt_tokens > 0 OR turns = 0 OR model = '' THEN prompt_tokens + completion_tokens END
               AS tokens,
           CASE WHEN model = '' THEN 0 ELSE turns END AS calls
    FROM episodes WHERE phase <> 'survey'
    UNION ALL
    SELECT DISTINCT ON (key) key, trial, 'learn', NULL,
           CASE WHEN prompt_tokens > 0 OR calls = 0 THEN prompt_tokens + completion_tokens END, calls
    FROM requests
), owners AS (
    SELECT DISTINCT ON (trial) trial, method, agent_model, learner_model FROM trials
)
SELECT method, agent_model, learner_model, count(*) FILTER (phase = 'test') AS episodes,
       avg(success) FILTER (phase = 'test') AS success,
       avg(tokens) FILTER (phase = 'test') AS tokens,
       CASE WHEN count(tokens) = count(*) THEN sum(tokens) / count(*) FILTER (phase = 'test') END
           AS tokens_with_learning,
       avg(calls) FILTER (phase = 'test') AS calls,
       sum(calls) / count(*) FILTER (phase = 'test') AS calls_with_learning
FROM units JOIN owners USING (trial)
GROUP BY method, agent_model, learner_model HAVING episodes > 0 ORDER BY ALL
