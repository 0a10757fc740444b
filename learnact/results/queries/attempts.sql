-- Failed tries by boundary and message: what to fix outside of the agents.
SELECT boundary, kind, simulated, left(error, 100) AS error, count(*) AS tries,
       count(DISTINCT unit) AS units, max(recorded) AS last
FROM attempts LEFT JOIN (SELECT run, trial, simulated FROM trials) USING (run, trial)
GROUP BY ALL ORDER BY tries DESC, boundary, error LIMIT 40
