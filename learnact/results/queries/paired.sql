-- Each task: success of every method side by side, the tasks that tell methods apart first.
WITH tried AS (
    SELECT domain, task, model, method, avg(success::int) AS success,
           bool_or(bool_or(simulated)) OVER (PARTITION BY domain, task, model) AS simulated
    FROM episodes WHERE phase = 'test' GROUP BY domain, task, model, method
), spread AS (
    SELECT domain, task, model, round(max(success) - min(success), 2) AS apart FROM tried GROUP BY ALL
)
PIVOT (SELECT * FROM tried JOIN spread USING (domain, task, model))
ON method USING first(success) ORDER BY apart DESC, domain, task, model
