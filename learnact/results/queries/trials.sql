-- Where each trial stands.
SELECT t.method, t.domain, t.agent_model, t.simulated, t.learn_repeat, t.status, t.reason,
       count(e.key) AS tests,
       round(100 * avg(e.success::int), 1) AS success
FROM trials t LEFT JOIN episodes e ON e.run = t.run AND e.trial = t.trial AND e.phase = 'test'
GROUP BY t.run, t.trial, t.method, t.domain, t.agent_model, t.simulated, t.learn_repeat, t.status,
         t.reason ORDER BY ALL
