-- Success in tests of the library that each iteration of learning selected, by trial.
SELECT t.method, t.agent_model, t.trial, c.iteration, avg(e.success::INT) AS success, count(*) AS episodes
FROM (SELECT DISTINCT ON (trial) * FROM trials) t
JOIN (SELECT DISTINCT ON (trial, iteration) * FROM candidates WHERE selected) c ON c.trial = t.trial
JOIN (SELECT DISTINCT ON (key) * FROM episodes WHERE phase IN ('test', 'survey')) e
  ON e.trial = c.trial AND e.library = c.library
WHERE t.method IN ($methods)
GROUP BY ALL ORDER BY ALL
