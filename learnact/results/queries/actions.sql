-- Learned actions: how often each was called in tests, how often it worked, how many primitive steps it took.
SELECT e.domain, e.method, e.simulated, t.callee, count(*) AS calls, round(100 * avg(t.ok::int), 1) AS ok,
       round(avg(len(t.steps)), 1) AS steps
FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode
WHERE t.learned AND e.phase = 'test' GROUP BY ALL ORDER BY calls DESC, e.domain, e.method, t.callee
