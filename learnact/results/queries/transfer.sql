-- Success on each kind of test tasks, by the options of their domain (sizes, text, perturbations).
SELECT method, domain, learner_model, simulated,
       b.text ->> '$.domain.options' AS tasks, avg(success::int) AS success,
       avg(turns) AS turns, count(*) AS episodes
FROM episodes JOIN (SELECT DISTINCT hash, text FROM blocks) b ON b.hash = setup
WHERE phase = 'test' GROUP BY ALL ORDER BY domain, tasks, method
