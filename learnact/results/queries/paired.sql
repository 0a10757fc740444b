-- Each task: success of every method side by side, the tasks that tell methods apart first.
PIVOT (
    SELECT domain, task, method, avg(success::int) AS success FROM episodes WHERE phase = 'test' GROUP BY ALL
)
ON method USING first(success) ORDER BY domain, task
