-- Success in tests by domain, method and model; every task weighs the same.
SELECT domain, method, model, avg(share) AS success, CAST(sum(episodes) AS BIGINT) AS episodes,
       count(*) AS tasks
FROM (SELECT domain, method, model, task_hash, avg(success::INT) AS share, count(*) AS episodes
      FROM (SELECT DISTINCT ON (key) * FROM episodes WHERE phase = 'test')
      GROUP BY domain, method, model, task_hash)
GROUP BY domain, method, model ORDER BY ALL
