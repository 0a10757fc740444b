-- Calls, tokens and dollars by method, phase and purpose (`act` is playing). Dollars: null where a call has
-- no known price. A learner's requests are of phase `learn`.
SELECT t.method, t.simulated, coalesce(e.phase, 'learn') AS phase, c.purpose, count(*) AS calls,
       sum(c.prompt_tokens) AS prompt, sum(c.cached_tokens) AS cached, sum(c.completion_tokens) AS completion,
       sum(c.reasoning_tokens) AS reasoning,
       CASE WHEN count(c.cost) = count(*) THEN round(sum(c.cost), 4) END AS dollars,
       round(avg(c.latency), 3) AS latency
FROM calls c JOIN trials t USING (run, trial) LEFT JOIN episodes e ON e.run = c.run AND e.key = c.unit
GROUP BY ALL ORDER BY ALL
