-- What went wrong in tests: invalid actions by function and first words of the observation.
SELECT e.domain, e.method, e.simulated, t.kind, t.callee, left(t.observation, 60) AS observation,
       count(*) AS times
FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode
WHERE NOT t.ok AND t.kind <> 'thought' AND e.phase = 'test'
GROUP BY ALL ORDER BY times DESC, e.domain, e.method, callee, observation LIMIT 40
