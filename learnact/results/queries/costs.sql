-- Calls, tokens and dollars by method and purpose (`act` is playing).
SELECT t.method, c.purpose, count(*) AS calls, sum(c.prompt_tokens) AS prompt, sum(c.cached_tokens) AS cached,
       sum(c.completion_tokens) AS completion, sum(c.reasoning_tokens) AS reasoning,
       round(sum(c.cost), 4) AS dollars, round(avg(c.latency), 3) AS latency
FROM calls c JOIN trials t USING (run, trial) GROUP BY ALL ORDER BY ALL
