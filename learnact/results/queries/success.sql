-- Success and progress by domain, method and models. Intervals that respect tasks: `learnact table 2 RUN`.
SELECT domain, method, model, learner_model, any_value(simulated) AS simulated,
       count(*) AS episodes, count(DISTINCT task_hash) AS tasks,
       round(100 * avg(success::int), 1) AS success, round(100 * avg(progress), 1) AS progress,
       round(100 * sum(unreadable_turns) / sum(turns), 2) AS unreadable
FROM episodes WHERE phase = 'test' GROUP BY domain, method, model, learner_model ORDER BY ALL
