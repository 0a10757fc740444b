-- Learned actions by library: calls in tests, calls that worked, episodes, and the library's test success.
WITH tested AS (
    SELECT *, round(100 * avg(success::INT) OVER (PARTITION BY run, trial, library), 1) AS tests_solved
    FROM episodes WHERE phase = 'test'
)
SELECT e.domain, e.learn_repeat, e.method, left(e.library, 6) AS library, e.tests_solved, u.callee,
       count(*) AS calls, count(*) FILTER (u.ok) AS ok, count(DISTINCT e.key) AS episodes
FROM tested e JOIN turns u ON u.run = e.run AND u.episode = e.key WHERE u.learned GROUP BY ALL ORDER BY ALL
